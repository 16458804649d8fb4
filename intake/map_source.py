"""What `access` and `map check` begin with: the map of one or more files, and the databases' URLs."""

import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.live import Reading
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.errors import BadInput, SettingsError

SECONDS = 60.0
ANY = ""  # the name under which a URL stands that was given without one
_NAMED = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)
_ENVIRONMENT = "SUBJECTLINE_REGISTRY__URLS__"


@dataclass(frozen=True, slots=True)
class Source:
    """A map with a URL for each of its connections. `left_out` says which tables of which connections
    were given no URL and so are not looked at."""

    data_map: DataMap
    urls: Mapping[str, str]
    left_out: Mapping[str, tuple[str, ...]]


def url_options(given: Sequence[str]) -> dict[str, str]:
    """`NAME=URL` as a dict; a URL alone stands under ANY. Raises BadInput."""
    urls: dict[str, str] = {}
    for text in given:
        named = _NAMED.fullmatch(text)
        name, url = (named[1], named[2]) if named else (ANY, text)
        if name in urls or not (re.match(r"[\w+]+://", url) or Path(url).is_file()):
            raise BadInput(
                "a database is named once, as connection=URL, or by its URL alone",
                field="--url",
                remedy="Write --url NAME=postgresql://USER@HOST/NAME or --url sqlite:///FILE.",
            )
        urls[name] = url if "://" in url else f"sqlite:///{url}"
    return urls


def source(paths: Sequence[Path], urls: Mapping[str, str], without: Sequence[str] = ()) -> Source:
    """The map in the files, with URLs from `urls`, else the environment, else the map itself. Datasets
    that stand alone need no URL each: the rest is left out, and said so.

    Raises DataMapError; SettingsError where a URL is missing or for a connection that is none.
    """
    whole = load_map(*paths, without=without)
    found = _urls(whole, urls)
    missing = [name for name in whole.connections if name not in found]
    if not missing:
        return Source(whole, found, {})
    if not found or whole.says("home"):
        raise _no_url(missing)
    left_out = {
        name: tuple(t for t, spec in whole.tables.items() if spec.connection == name)
        for name in missing
    }
    return Source(load_map(*paths, without=[*without, *missing]), found, left_out)


def _urls(data_map: DataMap, given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name != ANY and name not in data_map.connections:
            raise SettingsError(
                f"the data map has no connection {name!r}",
                field="--url",
                remedy=f"Known: {', '.join(data_map.connections)}.",
            )
    set_ones = {k.upper(): v for k, v in os.environ.items()}
    found: dict[str, str] = {}
    for name, connection in data_map.connections.items():
        written = connection.url.get_secret_value() if connection.url else ""
        from_outside = set_ones.get(f"{_ENVIRONMENT}{name.upper()}", "")
        if url := given.get(name) or from_outside or written or given.get(ANY, ""):
            found[name] = url
    return found


def _no_url(names: Sequence[str]) -> SettingsError:
    return SettingsError(
        f"no URL is given for {', '.join(map(repr, names))}",
        field="--url",
        remedy=f"Add --url {names[0]}=postgresql://USER@HOST/NAME (or sqlite:///FILE; a URL without a "
        f"name is for all), or set {_ENVIRONMENT}{names[0].upper()}.",
    )


def reader(engines: Mapping[str, AsyncEngine]) -> Reading:
    """Opens a connection of an engine by name, for `check`."""

    @asynccontextmanager
    async def reading(name: str) -> AsyncIterator[AsyncConnection]:
        async with guarded(name, SECONDS), engines[name].connect() as connection:
            yield connection

    return reading
