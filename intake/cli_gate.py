"""`subjectline gate …`: the systems that ask the gate, and the gate by itself."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subjectline.intake.cli_desk import guarded, with_desk
from subjectline.intake.cli_gate_sql import add_to as add_sql
from subjectline.models.errors import BadInput

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk
    from subjectline.handlers.gate_callers import CallerShown, KeyShown

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
DEFAULT_CONFIG = Path("subjectline.toml")
CALLER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SPAN = re.compile(r"([0-9]{1,6})(m|h|d|w)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

gate_app = typer.Typer(no_args_is_help=True, help="The gate, and the systems that ask it.")
add_sql(gate_app)


@gate_app.command("serve")
def gate_serve(
    holds: Annotated[
        Path | None, typer.Option(help="A file of holds: the gate alone, without a desk.")
    ] = None,
    uses: Annotated[
        Path | None, typer.Option(help="With --holds: keep the ledger of uses in this file.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Instead of gate_http.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of gate_http.port.")] = None,
    processes: Annotated[int | None, typer.Option(help="Instead of gate_http.processes.")] = None,
    url: Annotated[str | None, typer.Option(help="Instead of gate_http.url.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Instead of gate_http.certificate.")
    ] = None,
    private_key: Annotated[
        Path | None, typer.Option(help="Instead of gate_http.private_key.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Run the gate by itself; it goes on while the desk is stopped or upgraded."""
    from subjectline.intake import gate_serve as served  # a whole web server

    def work() -> None:
        given = {"host": host, "port": port, "processes": processes, "url": url}
        files = {"certificate": certificate, "private_key": private_key}
        given |= {name: str(path.resolve()) if path else None for name, path in files.items()}
        changed: dict[str, Any] = {name: one for name, one in given.items() if one is not None}
        served.serve(served.order_of(config, holds, uses, changed))

    guarded(work)


@gate_app.command("caller")
def gate_caller(
    name: str,
    purpose: Annotated[list[str], typer.Option(help="May be given more than once.")],
    recipient: Annotated[
        list[str] | None, typer.Option(help="May be given more than once.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Let a system ask the gate; prints its key, once. Keys that it had end now."""
    from subjectline.handlers import gate_callers
    from subjectline.handlers.gate_policy import OUR_OWN

    async def work(desk: "Desk") -> None:
        _known("name", [name], CALLER_NAME.fullmatch, "letters, digits, dot, dash, underscore")
        purposes, recipients = desk.data_map.purposes, desk.data_map.recipients
        theirs = [one for one in purposes if one not in OUR_OWN]
        _known("--purpose", purpose, {"*", *theirs}.__contains__, ", ".join(theirs))
        _known(
            "--recipient",
            recipient or [],
            {"*", "self", *recipients}.__contains__,
            ", ".join(recipients),
        )
        async with desk.write() as session:
            key = await gate_callers.add_caller(session, name, purpose, recipient or [], desk.clock)
        typer.echo(key)

    with_desk(config, work)


@gate_app.command("rotate")
def gate_rotate(
    name: str,
    span: Annotated[
        str, typer.Option("--for", help="How long the old key is good yet: 30m, 12h, 7d, 2w, 0d.")
    ] = "7d",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Give a caller a new key and print it, once; the old one goes on for a while."""
    from subjectline.handlers import gate_callers

    async def work(desk: "Desk") -> None:
        async with desk.write() as session:
            key = await gate_callers.rotate(session, name, _span(span), desk.clock)
        typer.echo(key)

    with_desk(config, work)


@gate_app.command("revoke")
def gate_revoke(
    name: str,
    key: Annotated[int | None, typer.Option(help="This key only, by its number.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """End a caller with all its keys, or one key of it."""
    from subjectline.handlers import gate_callers

    async def work(desk: "Desk") -> None:
        async with desk.write() as session:
            await gate_callers.revoke(session, name, key, desk.clock)
        what = name if key is None else f"Key {key} of {name}"
        typer.echo(f"{what} is denied everywhere within {desk.gate.state.bound:g} seconds.")

    with_desk(config, work)


@gate_app.command("callers")
def gate_callers_command(config: Config = DEFAULT_CONFIG) -> None:
    """Who may ask: purposes, recipients, keys with their age, end and last use."""
    from subjectline.handlers import gate_callers

    async def work(desk: "Desk") -> None:
        async with desk.db.read() as session:
            for caller in await gate_callers.listed(session):
                typer.echo("\n".join(_lines(caller)))

    with_desk(config, work)


def _lines(caller: "CallerShown") -> list[str]:
    scope = f"{caller.name}  for {', '.join(caller.purposes) or 'nothing'}"
    if caller.recipients:
        scope += f"  to {', '.join(caller.recipients)}"
    if caller.disabled_at:
        scope += f"  revoked {_day(caller.disabled_at)}"
    return [scope, *(f"  {_key(key)}" for key in caller.keys)]


def _key(key: "KeyShown") -> str:
    used = f"last used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    until = f", until {_day(key.until)}" if key.until else ""
    return f"key {key.id}: since {_day(key.made_at)}{until}, {used}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _span(text: str) -> timedelta:
    found = SPAN.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no time", field="--for", remedy="Write 30m, 12h, 7d or 2w.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _known(field: str, given: Sequence[str], fits: Callable[[str], object], allowed: str) -> None:
    for one in given:
        if not fits(one):
            raise BadInput(f"{one!r} is not known here", field=field, remedy=f"Allowed: {allowed}.")
