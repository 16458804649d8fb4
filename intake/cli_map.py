"""`subjectline map`: is the data map true, and how does one begin."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from subjectline.handlers.registry.engines import guarded, open_engine, open_engines
from subjectline.handlers.registry.live import look, schemas
from subjectline.handlers.registry.mapcheck import Finding, check
from subjectline.handlers.registry.mapdraft import connection_name, draft
from subjectline.intake.map_source import SECONDS, reader, source, url_options
from subjectline.models.errors import SettingsError, SubjectlineError
from subjectline.models.settings import load_settings

map_app = typer.Typer(no_args_is_help=True, help="The data map.")


@map_app.command("check")
def map_check(
    config: Annotated[Path, typer.Option("--config", help="The settings file.")] = Path(
        "subjectline.toml"
    ),
    data_map: Annotated[
        list[Path] | None,
        typer.Option("--map", help="This map (or Fides dataset), instead of the settings' one."),
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option("--url", "--connection", help="connection=URL, or one URL.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A collection or dataset to leave out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What in the data map does not fit the live databases, with file and line; exit 1 on errors."""
    try:
        found = asyncio.run(_check(config, data_map or [], url_options(url or []), without or []))
    except SubjectlineError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from None
    wrong_ones = [finding for finding in found if finding.level == "error"]
    if as_json:
        told = [{k: getattr(f, k) for k in ("level", "place", "where", "told")} for f in found]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for finding in found:
            typer.echo(f"{finding.level:7} {finding}")
        typer.echo("The map does not fit." if wrong_ones else "The map fits the databases.")
    if wrong_ones:
        raise typer.Exit(1)


async def _check(
    config: Path, paths: list[Path], urls: Mapping[str, str], without: list[str]
) -> list[Finding]:
    known: dict[str, str] = {}
    if not paths:
        settings = load_settings(config)
        paths = [settings.registry.map]
        known = {name: held.get_secret_value() for name, held in settings.registry.urls.items()}
    given = source(paths, {**known, **urls}, without)
    engines = open_engines(given.data_map, given.urls, SECONDS)
    try:
        return [*map(_not_reached, given.left_out), *await check(given.data_map, reader(engines))]
    finally:
        for engine in engines.values():
            await engine.dispose()


def _not_reached(name: str) -> Finding:
    told = "no URL was given for this database: its tables were not looked at"
    return Finding("warning", "--url", f"connections.{name}", told)


@map_app.command("draft")
def map_draft(
    url: Annotated[str, typer.Argument(help="sqlite:///FILE or postgresql://USER@HOST/NAME")],
    schema: Annotated[
        list[str] | None, typer.Option(help="A schema of its tables; more than once.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of the connection.")] = None,
) -> None:
    """Write a first map from a live database; what is guessed says so. The URL stays out of it."""
    try:
        typer.echo(asyncio.run(_draft(url, schema or [], name)), nl=False)
    except SubjectlineError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from None


async def _draft(url: str, wanted: list[str], name: str | None) -> str:
    engine = open_engine(url, SECONDS)
    try:
        async with guarded("database", SECONDS), engine.connect() as connection:
            live = await look(connection, wanted or [None])
            if not live and not wanted:  # nothing in the default schema: all others
                live = await look(connection, await schemas(connection))
    finally:
        await engine.dispose()
    return draft(live, name or _name(url))


def _name(url: str) -> str:
    try:
        database = make_url(url).database or ""
    except ArgumentError:  # open_engine has taken it already
        raise SettingsError("this is no URL of a database") from None
    return connection_name([Path(database).stem])
