"""`subjectline mail …`: how a mail is read and believed, and the keys that our own are signed with."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from subjectline.handlers.senders.dkim import DkimKey, KeyType, make_key, record_line, write_key
from subjectline.intake.cli_desk import guarded, show
from subjectline.intake.mail import MailPolicy, explain
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import LiveDns, Records, records_in
from subjectline.models.errors import BadInput
from subjectline.models.mail_settings import DkimSettings, DnsSettings

mail_app = typer.Typer(no_args_is_help=True, help="How a mail is read, and how ours are signed.")

_KINDS: dict[str, KeyType] = {"rsa": "rsa", "ed25519": "ed25519"}


@mail_app.command("explain")
def explain_command(
    file: Path,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    authserv_id: Annotated[list[str] | None, typer.Option(help="A border server to trust.")] = None,
    address: Annotated[list[str] | None, typer.Option(help="The desk's own address.")] = None,
    dns: Annotated[
        Path | None,
        typer.Option(help="Verify signatures with the records in this file (JSON, or zone lines)."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Verify signatures with keys from the DNS.")
    ] = False,
    at: Annotated[str, typer.Option(help="When it arrived (ISO time), for x=; now.")] = "",
) -> None:
    """Text, quoted rest, rule, tier and attachments of one mail."""

    def work() -> None:
        policy = MailPolicy(tuple(authserv_id or ()), tuple(address or ()))
        records = records_in(dns) if dns else LiveDns(DnsSettings()) if verify else None
        raw, found = file.read_bytes(), None
        if records is not None:
            found = asyncio.run(_checker(records, policy).look(raw, _time(at)))
        show(explain(raw, policy, found), as_json)

    guarded(work)


def _checker(records: Records, policy: MailPolicy) -> Checker:
    return Checker(records, policy.authserv_ids, seconds=DnsSettings().mail_seconds)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError:
        raise BadInput(f"{text!r} is no ISO time", field="--at") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@mail_app.command("dkim-key")
def dkim_key(
    domain: Annotated[str, typer.Option(help="The domain of smtp.from_address.")],
    selector: Annotated[str, typer.Option(help="A name for this key, as 2026a.")],
    kind: Annotated[str, typer.Option("--type", help="rsa or ed25519.")] = "rsa",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; SELECTOR.DOMAIN.pem.")
    ] = None,
) -> None:
    """A new key that signs our mails: writes it (0600) and prints its DNS record."""

    def work() -> None:
        if kind not in _KINDS:
            raise BadInput(f"{kind!r} is no kind of key", field="--type", remedy="rsa or ed25519.")
        path = out or Path(f"{selector}.{domain}.pem")
        try:
            named = DkimSettings(domain=domain, selector=selector, key_file=path)
        except ValueError:
            raise BadInput("the domain or the selector is no DNS name", field="dkim-key") from None
        key = DkimKey(named.domain, named.selector, make_key(_KINDS[kind]))
        write_key(key.key, path)
        typer.echo(record_line(key))
        typer.echo(
            f"\nPublish this record, then add to subjectline.toml and run subjectline doctor:\n"
            f'[[smtp.dkim]]\ndomain = "{key.domain}"\nselector = "{key.selector}"\n'
            f'key_file = "{path}"',
            err=True,
        )

    guarded(work)
