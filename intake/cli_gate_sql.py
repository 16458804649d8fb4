"""`subjectline gate sql`: masking views for the company's PostgreSQL databases, written, run and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subjectline.intake.cli_desk import run
from subjectline.models.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from subjectline.handlers.registry.gate_sql_apply import Seen, Written
    from subjectline.models.datamap import DataMap

SECONDS = 60.0


def add_to(app: typer.Typer) -> None:
    """Adds the command to `subjectline gate`."""
    app.command("sql")(gate_sql)


def gate_sql(
    audience: Annotated[str, typer.Option(help="A purpose of the data map.")],
    recipient: Annotated[
        str, typer.Option(help="Who gets the data, where it leaves the company.")
    ] = "",
    role: Annotated[
        str, typer.Option(help="The database role that reads; else the audience's name.")
    ] = "",
    connection: Annotated[
        list[str] | None, typer.Option(help="Only this connection of the map; more than once.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Run it, all or nothing.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Try as the role what must not work; exit 1 if it does.")
    ] = False,
    url: Annotated[
        list[str] | None,
        typer.Option(help="connection=URL of a role that may do it, instead of the settings' one."),
    ] = None,
    config: Annotated[Path, typer.Option("--config", help="The settings file.")] = Path(
        "subjectline.toml"
    ),
) -> None:
    """Views of the company's PostgreSQL in which held fields are NULL: print, run or check them."""

    async def work() -> None:
        from subjectline.handlers.registry.gate_sql_plan import audience_of
        from subjectline.intake.map_source import url_options

        data_map, urls = _known(config, url_options(url or []))
        reader = audience_of(data_map, audience, recipient, role)
        engines = _opened(data_map, urls, connection or [])
        try:
            errors = [
                await _one(data_map, engine, name, reader, apply=apply, check=check)
                for name, engine in engines.items()
            ]
        finally:
            for engine in engines.values():
                await engine.dispose()
        if any(errors):
            raise typer.Exit(1)

    run(work)


def _known(config: Path, given: Mapping[str, str]) -> tuple["DataMap", dict[str, str]]:
    """The map and a URL for each connection: the option's, the writing role's, the reading role's."""
    from subjectline.intake.map_source import ANY
    from subjectline.models.datamap import load_map
    from subjectline.models.settings import load_settings

    settings = load_settings(config)
    data_map = load_map(settings.registry.map)
    urls = {name: url.get_secret_value() for name, url in settings.registry.urls.items()}
    urls |= {name: url.get_secret_value() for name, url in settings.registry.write_urls.items()}
    urls |= {name: given[ANY] for name in data_map.connections if ANY in given}
    return data_map, urls | {name: url for name, url in given.items() if name != ANY}


def _opened(
    data_map: "DataMap", urls: Mapping[str, str], only: list[str]
) -> dict[str, "AsyncEngine"]:
    from subjectline.handlers.registry.engines import open_engines

    for name in only:
        if name not in data_map.connections:
            raise BadInput(
                f"the data map has no connection {name!r}",
                field="--connection",
                remedy=f"Known: {', '.join(data_map.connections)}.",
            )
    names = only or list(data_map.connections)
    known = {name: url for name, url in urls.items() if name in data_map.connections}
    engines = open_engines(data_map, known, SECONDS)
    return {name: engine for name, engine in engines.items() if name in names}


async def _one(
    data_map: "DataMap",
    engine: "AsyncEngine",
    name: str,
    reader: object,
    *,
    apply: bool,
    check: bool,
) -> int:
    from subjectline.handlers.registry import gate_sql_apply as live
    from subjectline.handlers.registry.gate_sql import script
    from subjectline.handlers.registry.gate_sql_plan import Audience

    assert isinstance(reader, Audience)
    seen = await live.seen(data_map, name, engine)
    what = live.written(seen, reader, name)
    _told(what)
    if apply:
        await live.run(what, engine)
        typer.echo(f"-- {name}: {len(what.plan.views)} views for the role {reader.role}")
    elif not check:
        typer.echo(script(what.statements), nl=False)
    return await _checked(what, seen, engine) if check else 0


async def _checked(what: "Written", seen: "Seen", engine: "AsyncEngine") -> int:
    """Prints what was found; returns how many errors there are."""
    from subjectline.handlers.registry.gate_sql_check import check

    found = await check(what, seen, engine)
    for finding in found:
        typer.echo(f"{finding.level:7} {what.plan.connection}: {finding.told}")
    return sum(finding.level == "error" for finding in found)


def _told(what: "Written") -> None:
    """What a reader of the script should know, as comments."""
    for table, why in what.plan.unmade:
        typer.echo(f"-- no view of {table}: {why}")
    for place in what.plan.guessed:
        typer.echo(
            f"-- {place}: the map does not say what it is made from (depends_on);"
            " NULL while anything of the person is held"
        )
