"""Engines for company databases, and their errors in our words. No value ever stands in a message."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from subjectline.models.datamap import DataMap
from subjectline.models.errors import (
    RegistryAway,
    RegistryConflict,
    RegistryError,
    SettingsError,
)

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_ALIASES = {"postgres": "postgresql"}
_log = logging.getLogger("subjectline.registry")
_SCHEMA = ("42P01", "42703", "42804", "42883", "3F000")
_AWAY_CLASSES = ("08", "28", "40", "53", "57", "58", "3D")
_SLOW = ("55P03", "57014", "40P01")  # a lock, a time-out, two who wait for one another
_REASONS = {"it is locked": "registry_slow", "it takes no writes": "registry_readonly"}
_CHANGED = "its tables have just changed"
_REASONS |= {"it did not answer in time": "registry_slow", _CHANGED: "registry_changed"}
_STATES = {"28": "it refuses the role or its password, ", "3D": "it has no database of that name, "}
_SILENCE = {
    "ConnectionRefusedError": "nothing answers at its host and port",
    "gaierror": "its host is not known",
    "TimeoutError": "it did not answer in time",
    "InvalidCachedStatementError": _CHANGED,
}
# What libpq takes in a URL and asyncpg does not, and what we set ourselves.
_PASSED_OVER = ("application_name", "channel_binding", "connect_timeout", "gssencmode")
_TAKEN = ("host", "port", "ssl", "passfile", "target_session_attrs", "krbsrvname")


def open_engines(
    data_map: DataMap,
    urls: Mapping[str, str],
    seconds: float = 5.0,
    *,
    read_only: Collection[str] = (),
) -> dict[str, AsyncEngine]:
    """An engine for every connection of the map; `urls` by connection name, time-out in seconds. A
    connection without one uses the `url` that the map carries for the tools; those of `read_only`
    refuse to write.

    Raises SettingsError where a URL is missing or of no database that we know.
    """
    found: dict[str, str] = {}
    for name, connection in data_map.connections.items():
        url = urls.get(name) or (connection.url.get_secret_value() if connection.url else "")
        if not url:
            raise SettingsError(
                f"the data map's connection {name!r} has no URL",
                field=f"registry.urls.{name}",
                remedy="Add it to the settings, or for the tools: --url NAME=URL.",
            )
        found[name] = url
    engines = {n: open_engine(u, seconds, read_only=n in read_only) for n, u in found.items()}
    return _standing(engines)


def open_writers(
    data_map: DataMap,
    urls: Mapping[str, str],
    seconds: float = 5.0,
    setting: str = "registry.write_urls",
) -> dict[str, AsyncEngine]:
    """Engines of the roles that may write; a connection without one is written by its reading role.

    Raises SettingsError for a connection that the map does not have.
    """
    for name in urls:
        if name not in data_map.connections:
            raise SettingsError(
                f"the data map has no connection {name!r}",
                field=f"{setting}.{name}",
                remedy=f"Known: {', '.join(data_map.connections)}.",
            )
    return _standing({name: open_engine(url, seconds) for name, url in urls.items()})


def _standing(engines: dict[str, AsyncEngine]) -> dict[str, AsyncEngine]:
    """A company's SQLite file is never made by looking into it: one that is away would seem empty."""
    for engine in engines.values():
        if engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:"):
            event.listen(engine.sync_engine, "do_connect", _looked_for(Path(engine.url.database)))
    return engines


def _looked_for(file: Path) -> Callable[..., None]:
    def looked(*_: object) -> None:
        if not file.is_file() and not str(file).startswith("file:"):
            raise sqlite3.OperationalError("unable to open database file")

    return looked


def open_engine(url: str, seconds: float = 5.0, *, read_only: bool = False) -> AsyncEngine:
    """An async engine on SQLite or PostgreSQL whose statements end after `seconds`.

    Another database that SQLAlchemy has an async driver for is taken where the URL names the driver;
    none of them is tested. Raises SettingsError for a URL that cannot be read, without showing it: it
    may hold a password.
    """
    try:
        parsed = make_url(url)
        backend = _ALIASES.get(parsed.get_backend_name(), parsed.get_backend_name())
        driver = _DRIVERS.get(backend) or _named(parsed.drivername)
        parsed = parsed.set(drivername=driver)
        if backend not in _DRIVERS:
            _log.warning("a registry on %s is untested", backend)
            return create_async_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    except (SQLAlchemyError, LookupError, ValueError, ImportError):
        raise SettingsError(
            "a registry is reached by an SQLite or PostgreSQL URL",
            field="registry.urls",
            remedy="Write sqlite:///FILE or postgresql://USER@HOST/NAME.",
        ) from None
    if backend == "sqlite":
        return _sqlite(create_async_engine(parsed, hide_parameters=True), seconds, read_only)
    return _postgres(parsed, seconds, read_only)


def _postgres(parsed: URL, seconds: float, read_only: bool) -> AsyncEngine:
    session = {"application_name": "subjectline", "lock_timeout": f"{seconds:.3f}s"}
    # Compiling a statement of many small subqueries takes longer than running it.
    session |= {"timezone": "UTC", "datestyle": "ISO", "jit": "off"}
    parsed, said = _libpq(parsed)
    session |= said
    if read_only:
        session["default_transaction_read_only"] = "on"
    # No time-out of the driver's own for a statement: `guarded` has one, and an export a longer one.
    arguments = {"timeout": seconds, "server_settings": session}
    return create_async_engine(
        parsed, hide_parameters=True, connect_args=arguments, pool_pre_ping=True
    )


def _libpq(parsed: URL) -> tuple[URL, dict[str, str]]:
    """The URL with the options that other tools write into it as asyncpg takes them, and the session
    settings of `options=-c name=value`. Raises SettingsError for an option that is none."""
    query = {k: v for k, v in parsed.query.items() if k not in _PASSED_OVER}
    if mode := query.pop("sslmode", None):
        query["ssl"] = mode
    told = str(query.pop("options", "")).replace("-c", " ").split()
    session = dict(setting.split("=", 1) for setting in told if "=" in setting)
    if unknown := sorted(set(query) - set(_TAKEN)):
        raise SettingsError(
            f"the URL of a registry has an option that is none: {unknown[0]}",
            field="registry.urls",
            remedy=f"Take it out. Known: {', '.join(('sslmode', 'options', *_TAKEN))}.",
        )
    return parsed.set(query=query), session


def _named(driver: str) -> str:
    """A driver that the URL names itself (mysql+asyncmy)."""
    if "+" not in driver:
        raise LookupError(driver)
    return driver


def _sqlite(engine: AsyncEngine, seconds: float, read_only: bool = False) -> AsyncEngine:
    folder = Path(engine.url.database or "").parent

    @event.listens_for(engine.sync_engine, "do_connect")
    def looked(*_: object) -> None:
        # aiosqlite leaves a thread behind where a file cannot be opened at all.
        if not folder.is_dir():
            raise sqlite3.OperationalError("unable to open database file")

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # what is destroyed is overwritten
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        # Shorter than our own time-out, so that a locked file is told as such.
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 800)}")
        cursor.close()

    return engine


@asynccontextmanager
async def guarded(connection: str, seconds: float) -> AsyncIterator[None]:
    """Within it a database has `seconds`; its errors become RegistryAway, RegistryConflict (a
    constraint) or RegistryError (the schema is not the map's)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (
        SQLAlchemyError,
        OSError,  # TimeoutError is one
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        raise _told(connection, error) from None


def _told(connection: str, error: Exception) -> RegistryError:
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        return _sqlite_told(connection, cause)
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if isinstance(state, str):
        return _postgres_told(connection, state)
    if isinstance(error, DBAPIError | OSError | asyncpg.InterfaceError):
        name = type(cause).__name__
        return _away(connection, _SILENCE.get(name, name))
    return RegistryError(
        f"the database did not take a statement ({type(error).__name__})",
        field=connection,
        remedy="Compare the data map with the database.",
    )


def _sqlite_told(connection: str, cause: sqlite3.Error) -> RegistryError:
    if isinstance(cause, sqlite3.IntegrityError):
        return _constraint(connection)
    words = str(cause)
    if words.startswith(("no such table", "no such column", "table ")) or "has no column" in words:
        return _schema(connection)
    if "parser stack" in words:
        return RegistryError(
            "whose a row is hangs on more tables in a row than SQLite can read in one statement",
            field=connection,
            remedy="Let the last of them name the member id itself, under `owners`.",
        )
    known = {"locked": "it is locked", "unable to open": "its file cannot be opened"}
    known |= {"readonly": "it takes no writes", "not a database": "its file is no database"}
    known |= {"disk I/O": "its disk fails", "malformed": "its file is damaged"}
    return _away(connection, next((w for k, w in known.items() if k in words), "it failed"))


def _postgres_told(connection: str, state: str) -> RegistryError:
    if state.startswith("23"):
        return _constraint(connection)
    if state in _SCHEMA:
        return _schema(connection)
    if state == "25006":
        return _away(connection, "it takes no writes")
    if state.startswith(_AWAY_CLASSES) or state in _SLOW:
        why = next((words for start, words in _STATES.items() if state.startswith(start)), "")
        reason = "registry_slow" if state in _SLOW else ""
        return _away(connection, f"{why}SQLSTATE {state}", reason)
    told = RegistryError(
        f"the database did not take a statement (SQLSTATE {state})",
        field=connection,
        remedy="Look at the rights of the desk's role and at the data map.",
    )
    return _because(told, "registry_denied" if state == "42501" else told.reason)


def _away(connection: str, why: str, reason: str = "") -> RegistryError:
    told = RegistryAway(
        f"the company's database cannot be used now ({why})",
        field=connection,
        remedy="The request waits; try again when it is back.",
    )
    return _because(told, reason or _REASONS.get(why, told.reason))


def _schema(connection: str) -> RegistryError:
    told = RegistryError(
        "a table or column of the data map is not in the database",
        field=connection,
        remedy="Compare the data map with the database; its schema may have changed.",
    )
    return _because(told, "registry_schema")


def _constraint(connection: str) -> RegistryError:
    told = RegistryConflict(
        "the database refuses the new value: it breaks one of its constraints",
        field=connection,
        remedy="Another row may hold the same value. Look there, then propose anew.",
    )
    return _because(told, "registry_constraint")


def _because(told: RegistryError, reason: str) -> RegistryError:
    """With the key under which the console says what is wrong and what to do."""
    told.reason = reason
    return told
