"""`subjectline archive`, `retention`, `papers`, `consent`, `restriction`: what is kept, and its end."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from subjectline.handlers import (
    agents,
    consents,
    given_anew,
    keeping,
    legal_holds,
    papers,
    restrictions,
    retention,
)
from subjectline.handlers.archive_looks import BASES, Basis
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.handlers.desk import Desk
from subjectline.handlers.retention import Line
from subjectline.intake.cli_desk import with_desk
from subjectline.models.errors import BadInput

archive_app = typer.Typer(no_args_is_help=True, help="Records that only a law still keeps.")
retention_app = typer.Typer(no_args_is_help=True, help="What is destroyed, and when.")
papers_app = typer.Typer(no_args_is_help=True, help="Papers in the drawer.")
consent_app = typer.Typer(no_args_is_help=True, help="The consent ledger.")
restriction_app = typer.Typer(no_args_is_help=True, help="Members suspected of false information.")

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
DEFAULT = Path("subjectline.toml")
AsAgent = Annotated[str, typer.Option("--as", help="Your sign-in name at the console.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Member = Annotated[str, typer.Option("--member", help="The member's number.")]
Door = Annotated[str, typer.Option(help="How they said it: " + ", ".join(consents.DOORS) + ".")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the application's."""
    for name, part in (
        ("archive", archive_app),
        ("retention", retention_app),
        ("papers", papers_app),
        ("consent", consent_app),
        ("restriction", restriction_app),
    ):
        app.add_typer(part, name=name)


@archive_app.command("open")
def archive_open(
    member: Member,
    basis: Annotated[str, typer.Option(help="One of: " + ", ".join(BASES) + ".")],
    paper: Annotated[str, typer.Option(help="The document, case or reference that says so.")],
    login: AsAgent,
    config: Config = DEFAULT,
) -> None:
    """Print the archived records of one member. Writes an audit row first."""

    async def work(desk: Desk) -> None:
        agent = await _agent(desk, login)
        found = await keeping.open_archive(desk, member, Basis(basis, paper), agent)
        _print([keeping.as_json(desk, record) for record in found])

    with_desk(config, work)


@archive_app.command("bases")
def archive_bases() -> None:
    """On which bases the archive may be opened."""
    for name, words in BASES.items():
        typer.echo(f"{name}: {words.en} / {words.ko}")


@retention_app.command("run")
def retention_run(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only say what would be destroyed. The daily run waits for this look."
        ),
    ] = False,
    login: Annotated[str, typer.Option("--as", help="Your sign-in name at the console.")] = "",
    as_json: AsJson = False,
    config: Config = DEFAULT,
) -> None:
    """Destroy what is due now, and write a certificate for each kind."""

    async def work(desk: Desk) -> None:
        actor = await _agent(desk, login) if login else Actor(SYSTEM.account, "cli")
        lines = await (retention.look if dry_run else retention.run)(desk, actor)
        _report(lines, as_json, dry_run=dry_run)
        if any(line.told for line in lines):
            raise typer.Exit(1)

    with_desk(config, work)


@retention_app.command("rules")
def retention_rules(config: Config = DEFAULT) -> None:
    """The schedule: each rule with its period and law."""

    async def work(desk: Desk) -> None:
        language = desk.manner.language
        for name, rule in desk.data_map.retention.items():
            period = rule.period.text(language) if rule.period else "-"
            law = rule.law.text(language) if rule.law else "-"
            swept = "  (swept)" if rule.sweep else ""
            typer.echo(f"{name}: {rule.labels.text(language)}; {period}; {law}{swept}")

    with_desk(config, work)


@retention_app.command("certificates")
def retention_certificates(config: Config = DEFAULT) -> None:
    """What was destroyed, the newest first, as JSON lines."""

    async def work(desk: Desk) -> None:
        for row in await retention.certificates(desk):
            typer.echo(row.model_dump_json())

    with_desk(config, work)


@retention_app.command("hold")
def retention_hold(
    reason: Annotated[str, typer.Option(help="Why nothing may be destroyed.")],
    until: Annotated[str, typer.Option(help="The last day, as 2027-01-31.")],
    login: AsAgent,
    member: Annotated[str, typer.Option("--member", help="Only this member's.")] = "",
    request: Annotated[str, typer.Option("--request", help="Only this request's.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Set a legal hold: on a member, on a request, or on everything. Officers only."""

    async def work(desk: Desk) -> None:
        officer = await _agent(desk, login)
        number = await legal_holds.place(
            desk, officer, reason, _day(until), member=member, reference=request
        )
        typer.echo(f"Legal hold {number} is in force until {until}.")

    with_desk(config, work)


@retention_app.command("release")
def retention_release(number: int, login: AsAgent, config: Config = DEFAULT) -> None:
    """End a legal hold before its day. Officers only."""

    async def work(desk: Desk) -> None:
        await legal_holds.release(desk, await _agent(desk, login), number)
        typer.echo(f"Legal hold {number} has ended.")

    with_desk(config, work)


@papers_app.command("add")
def papers_add(reference: str, what: str, login: AsAgent, config: Config = DEFAULT) -> None:
    """List a paper that came in with the request REFERENCE."""

    async def work(desk: Desk) -> None:
        await papers.add(desk, reference, what, await _agent(desk, login))

    with_desk(config, work)


@papers_app.command("list")
def papers_list(
    everything: Annotated[bool, typer.Option("--all", help="Those shredded too.")] = False,
    config: Config = DEFAULT,
) -> None:
    """Papers in the drawer; those that are due to be shredded are marked."""

    async def work(desk: Desk) -> None:
        for row in await papers.listed(desk, everything=everything):
            state = "due" if row.due else "kept"
            if row.shredded_on:
                state = f"shredded {row.shredded_on} by {row.shredded_by}, seen by {row.witness}"
            typer.echo(f"{row.id}  {row.reference}  {row.what}  {state}")

    with_desk(config, work)


@papers_app.command("shred")
def papers_shred(
    number: int,
    witness: Annotated[str, typer.Option(help="Who saw it, by name.")],
    login: AsAgent,
    config: Config = DEFAULT,
) -> None:
    """Say that paper NUMBER was shredded just now."""

    async def work(desk: Desk) -> None:
        await papers.shred(desk, number, await _agent(desk, login), witness)

    with_desk(config, work)


@consent_app.command("list")
def consent_list(member: Member, login: AsAgent, config: Config = DEFAULT) -> None:
    """The consent ledger of one member, oldest first, as JSON."""

    async def work(desk: Desk) -> None:
        lines = await keeping.look_at_ledger(desk, member, await _agent(desk, login))
        _print([line.model_dump(mode="json", exclude={"id"}) for line in lines])

    with_desk(config, work)


@consent_app.command("longer")
def consent_longer(
    member: Member,
    rule: Annotated[str, typer.Option(help="A retention rule of the map.")],
    until: Annotated[str, typer.Option(help="The day they agreed to, as 2035-12-31.")],
    text: Annotated[str, typer.Option(help="The version of the text they agreed to.")],
    login: AsAgent,
    door: Door = "cli",
    config: Config = DEFAULT,
) -> None:
    """Record that a member agreed to have records kept longer than the law asks."""

    async def work(desk: Desk) -> None:
        agent = await _agent(desk, login)
        await consents.agree_longer(desk, member, rule, _day(until), agent, door=door, text=text)

    with_desk(config, work)


@consent_app.command("shorter")
def consent_shorter(
    member: Member,
    rule: Annotated[str, typer.Option(help="The retention rule that they had agreed to.")],
    login: AsAgent,
    door: Door = "cli",
    config: Config = DEFAULT,
) -> None:
    """Record that a member took back the consent to a longer keeping."""

    async def work(desk: Desk) -> None:
        await consents.end_longer(desk, member, rule, await _agent(desk, login), door=door)

    with_desk(config, work)


@consent_app.command("again")
def consent_again(
    member: Member,
    what: Annotated[str, typer.Option(help="A consent of the map, or suspension.")],
    evidence: Annotated[str, typer.Option(help="The paper, record or reference that shows it.")],
    login: AsAgent,
    second: Annotated[str, typer.Option("--with", help="The other agent who has seen it.")],
    text: Annotated[str, typer.Option(help="The version of the text they agreed to.")] = "",
    door: Door = "cli",
    config: Config = DEFAULT,
) -> None:
    """Record that a member consented anew, or took a suspension back: its lasting hold ends."""

    async def work(desk: Desk) -> None:
        seen = given_anew.Evidence(door, evidence, text)
        both = await _agent(desk, login), await _agent(desk, second)
        typer.echo(f"revision {await given_anew.release(desk, member, what, seen, *both)}")

    with_desk(config, work)


@restriction_app.command("open")
def restriction_open(
    member: Member,
    reason: Annotated[str, typer.Option(help="The member reads these words.")],
    login: AsAgent,
    config: Config = DEFAULT,
) -> None:
    """Restrict a member suspected of false information; two agents sign it at the console."""

    async def work(desk: Desk) -> None:
        number = await restrictions.suspect(desk, member, await _agent(desk, login), reason)
        typer.echo(await keeping.reference_of(desk, number))

    with_desk(config, work)


@restriction_app.command("lift")
def restriction_lift(
    member: Member,
    remedy: Annotated[str, typer.Option(help="What was found and done; the member reads it.")],
    login: AsAgent,
    config: Config = DEFAULT,
) -> None:
    """End a restriction; two agents sign it at the console."""

    async def work(desk: Desk) -> None:
        number = await restrictions.lift(desk, member, await _agent(desk, login), remedy)
        typer.echo(await keeping.reference_of(desk, number))

    with_desk(config, work)


async def _agent(desk: Desk, login: str) -> Actor:
    return await agents.by_login(desk, login, place="cli")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("write the day as 2027-01-31", field="until") from None


def _report(lines: list[Line], as_json: bool, *, dry_run: bool) -> None:
    shown = [line for line in lines if line.due or line.spared or line.told]
    if as_json:
        _print([asdict(line) for line in shown])
        return
    for line in shown:
        count = f"{line.due} due" if dry_run else f"{line.destroyed} of {line.due} destroyed"
        held = f", {line.spared} stay ({line.kept_why})" if line.spared else ""
        typer.echo(f"{line.kind} {line.what}: {count}{held} ({line.law}) {line.told}".rstrip())
    if not shown:
        typer.echo("Nothing is due.")


def _print(told: list[Any]) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
