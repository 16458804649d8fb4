"""`subjectline`: the operator's words. Each command says in one line what is wrong and how to mend it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from subjectline.handlers import agents, telegram_agents
from subjectline.handlers.desk import Desk
from subjectline.intake.cli_desk import guarded as _guarded
from subjectline.intake.cli_desk import run as _run
from subjectline.intake.cli_desk import with_desk as _with_desk
from subjectline.intake.cli_gate import gate_app
from subjectline.intake.cli_keeping import add_to as add_keeping
from subjectline.intake.cli_mail import mail_app
from subjectline.intake.cli_map import map_app
from subjectline.intake.cli_words import add_to as add_words
from subjectline.intake.discreet import start_logging
from subjectline.intake.doctor import examine
from subjectline.intake.places import places
from subjectline.intake.serve import serve as run_desk
from subjectline.intake.showing import EXAMPLE, shown
from subjectline.models.db import Database
from subjectline.models.errors import BadInput
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate as run_migrations
from subjectline.models.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Privacy requests by email and chat, with the data held back until it is right.",
)
agent_app = typer.Typer(no_args_is_help=True, help="Agents of the console.")
keys_app = typer.Typer(no_args_is_help=True, help="The key ring.")
for name, part in (
    ("agent", agent_app),
    ("keys", keys_app),
    ("gate", gate_app),
    ("mail", mail_app),
    ("map", map_app),
):
    app.add_typer(part, name=name)
add_keeping(app)
add_words(app)

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
DEFAULT_CONFIG = Path("subjectline.toml")


@app.callback()
def private() -> None:
    """Privacy requests by email and chat, with the data held back until it is right."""
    os.umask(0o077)  # what the desk writes is its owner's alone: database, keys, archive


@app.command("serve")
def serve_command(config: Config = DEFAULT_CONFIG) -> None:
    """Run the desk: doors, console, gate, letters."""
    start_logging()
    _run(lambda: run_desk(load_settings(config)))


@app.command("try")
def try_command(
    port: Annotated[int, typer.Option(help="Everything listens here, on 127.0.0.1.")] = 8080,
    play: Annotated[str, typer.Option(help="Run one story through the real doors and exit.")] = "",
    keep: Annotated[
        Path | None, typer.Option(help="Keep the sandbox's files in this folder.")
    ] = None,
) -> None:
    """The whole product against a sandbox: mail, Telegram and a sample company in one process."""
    start_logging()
    from subjectline.intake.sandbox import run as sandbox  # its libraries are an extra

    _run(lambda: sandbox.play(play, port) if play else sandbox.run(port, keep))


@app.command("migrate")
def migrate_command(config: Config = DEFAULT_CONFIG) -> None:
    """Bring the desk's database to the newest form."""

    async def work() -> None:
        database = Database(places(load_settings(config)).database)
        await run_migrations(database)
        await database.dispose()
        typer.echo("The database is up to date.")

    _run(work)


@app.command("doctor")
def doctor_command(config: Config = DEFAULT_CONFIG) -> None:
    """Try mail sign-in, bot token, database, keys and registry; exit 1 if anything is wrong."""

    async def work() -> None:
        findings = await examine(load_settings(config))
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.sentence}")
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)

    _run(work)


@app.command("settings")
def settings_command(
    config: Config = DEFAULT_CONFIG,
    example: Annotated[bool, typer.Option("--example", help="Print a file to start from.")] = False,
) -> None:
    """Print each setting and where it comes from, secrets masked."""
    if example:
        typer.echo(EXAMPLE, nl=False)
        return
    _guarded(lambda: typer.echo("\n".join(shown(config))))


@agent_app.command("add")
def agent_add(
    login: str,
    name: Annotated[str, typer.Option(help="As it stands in histories.")],
    role: str = "agent",
    language: str = "ko",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add an agent; the password is asked for, or read from standard input."""
    hidden = sys.stdin.isatty()
    password = (
        typer.prompt("Password", hide_input=True) if hidden else sys.stdin.readline().rstrip("\n")
    )

    async def work(desk: Desk) -> None:
        await agents.add(desk, login, name, password, role=role, language=language)
        typer.echo(f"{login} can sign in.")

    _with_desk(config, work)


@agent_app.command("link")
def agent_link(login: str, config: Config = DEFAULT_CONFIG) -> None:
    """Print a code that links an agent's Telegram account; it is good once, for ten minutes."""

    async def work(desk: Desk) -> None:
        code = await telegram_agents.new_code(desk, login)
        typer.echo(f"In a private chat with the bot: /agent {code}")

    _with_desk(config, work)


@agent_app.command("unlink")
def agent_unlink(login: str, config: Config = DEFAULT_CONFIG) -> None:
    """Let go of an agent's Telegram account."""

    async def work(desk: Desk) -> None:
        await telegram_agents.unlink(desk, login)
        typer.echo(f"{login} has no Telegram account here any more.")

    _with_desk(config, work)


@keys_app.command("init")
def keys_init(config: Config = DEFAULT_CONFIG) -> None:
    """Make the key ring. Keep a copy apart from the backups of the database."""

    def work() -> None:
        path = places(load_settings(config)).ring
        if path.exists():
            raise BadInput(
                f"there is a key ring at {path}",
                field="keys.ring",
                remedy="What it sealed opens with it alone; move it away first if you mean it.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        KeyRing.generate().save(path)
        typer.echo(f"The key ring is at {path}. Keep a copy apart from the database's backups.")

    _guarded(work)
