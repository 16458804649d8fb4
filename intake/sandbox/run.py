"""`subjectline try`: the whole product in one process against its sandbox, or one story of it."""

import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from subjectline.intake.listening import bind
from subjectline.intake.sandbox.page import routes
from subjectline.intake.sandbox.stage import Stage
from subjectline.intake.sandbox.stories import story
from subjectline.intake.sandbox.story import Play, Shown, perform, play_of
from subjectline.intake.sandbox.world import AGENTS, PASSWORD, make_world
from subjectline.intake.serve import one_app
from subjectline.intake.serve import run as run_parts
from subjectline.intake.setup import close_desk
from subjectline.models.errors import SettingsError

HOST = "127.0.0.1"
WELCOME = """
  Subjectline is running. Everything in it is invented; nothing leaves this machine.

  See it        {base}/sandbox
  Console       {base}/
{agents}
  Policy        {base}/policy
  Health        {base}/healthz

  Ask the gate as the company's nightly export does (member 1001, the shipping address):

  curl -s {base}/access/v1/evaluation -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer {key}' \\
    -d '{{"subject": {{"type": "system", "id": "nightly-export"}}, "action": {{"name": "delivery"}},
         "resource": {{"type": "member", "id": "1001", "properties": {{"fields": ["shipping_address"]}}}},
         "context": {{"recipient": "post_office"}}}}'

  {files}
  Ctrl-C ends it.
"""


async def run(port: int, keep: Path | None) -> None:
    """The sandbox until Ctrl-C. Its files go with it, unless `keep` names a folder for them.

    Raises SettingsError in one line where the port is busy.
    """
    listening = bind(HOST, port)  # before anything is made
    async with _stage(listening, keep) as stage:
        stage.world.parts.loops.append(stage.warehouse.run)

        async def ready() -> None:
            typer.echo(_welcome(stage, keep))

        await _serve(stage, listening, ready, asyncio.Event())
    typer.echo("\nThe sandbox has ended." + ("" if keep else " Its files are gone."))


async def play(name: str, port: int) -> None:
    """Plays one story through the real doors. Exits 0 if every step was seen at the far end, else 1.

    Raises BadInput for an unknown name. Takes a free port if the given one is busy.
    """
    told, listening, over = story(name), _free(port), asyncio.Event()
    async with _stage(listening, None) as stage:
        played = play_of(told, stage.cast.now[told.language])

        async def ready() -> None:
            typer.echo(f"{name}: {len(told.steps)} steps on {stage.desk.manner.public_url}")
            try:
                await perform(played, stage, _print)
            finally:
                over.set()

        await _serve(stage, listening, ready, over)
    _conclude(played)


@asynccontextmanager
async def _stage(listening: socket.socket, keep: Path | None) -> AsyncIterator[Stage]:
    """A world with its actors in a folder of its own, which goes with it."""
    logging.getLogger("subjectline").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="subjectline-", ignore_cleanup_errors=True) as folder:
        world = await make_world(keep or Path(folder), listening.getsockname()[1])
        stage = Stage(world, PASSWORD)
        world.parts.loops.append(stage.pulse.run)
        try:
            yield stage
        finally:
            await stage.close()
            await close_desk(world.desk)


async def _serve(
    stage: Stage,
    listening: socket.socket,
    ready: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    app = one_app(stage.world.parts, routes(stage))
    await run_parts(stage.world.parts, [(app, HOST, listening)], ready, stage.close, stop)


def _free(port: int) -> socket.socket:
    """The port, or a free one if something else listens there."""
    try:
        return bind(HOST, port)
    except SettingsError:
        return bind(HOST, 0)


def _welcome(stage: Stage, keep: Path | None) -> str:
    signs = [f"                {login} / {PASSWORD}  ({name})" for login, name, _ in AGENTS]
    return WELCOME.format(
        base=stage.desk.manner.public_url,
        agents="\n".join(signs),
        key=stage.world.caller_keys["nightly-export"],
        files=f"Its files stay in {keep}." if keep else "Its files are deleted at the end.",
    )


def _print(shown: Shown) -> None:
    """One line a step, once it was seen or missed."""
    if shown.state in ("waits", "now"):
        return
    sign = "ok  " if shown.state == "seen" else "FAIL"
    typer.echo(f"{shown.at:7.2f} s  {sign}  {shown.caption('en')}")
    if seen := shown.seen("en"):
        typer.echo(f"                 {seen}")


def _conclude(played: Play) -> None:
    count = sum(each.state == "seen" for each in played.steps)
    if played.state == "seen":
        typer.echo(f"All {count} steps were seen, in {played.seconds:.1f} s.")
        return
    typer.echo(
        f"Not seen: {played.now.step.key} ({played.now.caption('en')}): {played.trouble}", err=True
    )
    raise typer.Exit(1)
