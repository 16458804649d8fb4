"""`subjectline access`: an export's rows by table, for judging from outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from subjectline.handlers.registry import Registry, open_engines
from subjectline.models.datamap import load_map
from subjectline.models.errors import BadInput, UnknownMember


async def rows_of(path: Path, identity: str, urls: Sequence[str]) -> dict[str, Any]:
    """The export of the one member with this registered email or phone number: `rows` by table (every
    table of the map), `tables` with their words, and `withheld` with the reason of each.

    Raises BadInput for a malformed URL option, UnknownMember for nobody or more than one.
    """
    data_map = load_map(path)
    registry = Registry(data_map, open_engines(data_map, url_options(urls)), seconds=60)
    try:
        kind = "email" if "@" in identity else "phone"
        found = await registry.find(kind, identity)
        if len(found) != 1:
            raise UnknownMember(
                f"{len(found)} members have this {kind}", field="identity", remedy="Name another."
            )
        collected = await registry.collect(found[0])
    finally:
        await registry.close()
    return {
        **collected.as_json("en"),
        "rows": {table.table: list(table.rows) for table in collected.tables},
        "counts": collected.counts,
        "withheld": [withheld.as_json("en") for withheld in collected.withheld_list()],
    }


def url_options(given: Sequence[str]) -> dict[str, str]:
    """`NAME=URL` as a dict. Raises BadInput."""
    pairs = [text.partition("=") for text in given]
    if not all(name and url for name, _, url in pairs):
        raise BadInput("write it as connection=URL", field="--url")
    return {name: url for name, _, url in pairs}
