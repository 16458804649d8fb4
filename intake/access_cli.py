"""`subjectline access`: an export's rows by table, for judging from outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from subjectline.handlers.registry import Registry, open_engines
from subjectline.handlers.registry.collected import Collected
from subjectline.handlers.registry.mapcheck import check
from subjectline.intake.map_source import SECONDS, Source, reader, source, url_options
from subjectline.models.errors import (
    BadInput,
    BadValue,
    DataMapError,
    RegistryAway,
    RegistryError,
    UnknownMember,
)

_MOST = 12  # misfits that are told at once


async def rows_of(
    paths: Sequence[Path], identity: str, urls: Sequence[str], without: Sequence[str] = ()
) -> dict[str, Any]:
    """The export of the one person with this email or phone number: `rows` by table (every table of
    the map), `tables` with their words, `withheld` with the reason of each, and `not_reached`: what
    no URL was given for. `member` is None for somebody who is no member but whom rows name.

    Raises BadInput for a malformed option, UnknownMember for nobody or more than one, DataMapError
    with file and line where the databases are not as the map says.
    """
    given = source(paths, url_options(urls), without)
    engines = open_engines(given.data_map, given.urls, SECONDS)
    registry = Registry(given.data_map, engines, seconds=SECONDS)
    try:
        collected = await _collected(registry, identity.strip())
    except UnknownMember:
        raise
    except RegistryAway as error:
        remedy = "Look at its URL (host, port, role, password, name) and try again."
        raise RegistryAway(error.rule, field=error.field, remedy=remedy) from None
    except RegistryError as error:
        wrong = [f for f in await check(given.data_map, reader(engines)) if f.level == "error"]
        if not wrong:
            raise
        told = "; ".join(map(str, wrong[:_MOST]))
        raise DataMapError(
            f"the database is not as the map says: {told}",
            field=error.field,
            remedy="Mend the map, or leave out what is elsewhere: --without NAME.",
        ) from None
    finally:
        await registry.close()
    return _told(given, collected)


async def _collected(registry: Registry, identity: str) -> Collected:
    kind = "email" if "@" in identity else "phone"
    if registry.data_map.contact_field(kind) is None or not identity:
        known = [str(f.contact) for f in registry.data_map.fields.values() if f.contact]
        raise BadInput(
            f"the map knows nobody by {kind}" if identity else "no identity is given",
            field="--identity",
            remedy=f"Give the {' or '.join(known)} of a person.",
        )
    found = await registry.find(kind, identity)
    if len(found) == 1:
        return await registry.collect(found[0])
    if not found:
        try:
            collected = await registry.collect_stranger(kind, identity)
        except BadValue as error:
            raise BadInput(
                f"this is no {kind} ({error.rule})", field="--identity", remedy="Name another."
            ) from None
        if collected.withheld or any(collected.counts.values()):
            return collected
    raise UnknownMember(
        f"{len(found)} members have this {kind}" + ("" if found else ", and no other row names it"),
        field="--identity",
        remedy="Name another.",
    )


def _told(given: Source, collected: Collected) -> dict[str, Any]:
    why = "no URL was given for its database"
    return {
        **collected.as_json("en"),
        "member": collected.member or None,
        "rows": {table.table: list(table.rows) for table in collected.tables},
        "counts": collected.counts,
        "withheld": [withheld.as_json("en") for withheld in collected.withheld_list()],
        "not_reached": [
            {"connection": name, "tables": list(tables), "told": why}
            for name, tables in given.left_out.items()
        ],
    }
