"""What commands share: a desk for the time of one command, errors as one line, plain or JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from subjectline.models.errors import SubjectlineError

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk
    from subjectline.models.settings import Settings


def with_desk(config: Path, work: Callable[["Desk"], Awaitable[None]]) -> None:
    """Runs `work` with the desk of these settings, its database up to date."""
    # A whole desk takes a second to import; words that need none shall not wait for it.
    from subjectline.intake.setup import close_desk, make_desk
    from subjectline.models.migrate import migrate
    from subjectline.models.settings import load_settings

    async def opened() -> None:
        settings: Settings = load_settings(config)
        desk = make_desk(settings)
        try:
            await migrate(desk.db)
            await work(desk)
        finally:
            await close_desk(desk)

    run(opened)


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Runs a coroutine; see `guarded`."""
    guarded(lambda: asyncio.run(work()))


def guarded(work: Callable[[], object]) -> None:
    """Our own errors become one line on standard error and exit code 2."""
    try:
        work()
    except SubjectlineError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from None
    except FileNotFoundError as gone:
        typer.echo(f"There is no file {gone.filename}.", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def show(told: dict[str, Any], as_json: bool) -> None:
    """Prints what was found: JSON, or a line for each key."""
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    for key, value in told.items():
        shown_value = "\n  ".join(str(item) for item in value) if isinstance(value, list) else value
        typer.echo(f"{key}: {shown_value}")
