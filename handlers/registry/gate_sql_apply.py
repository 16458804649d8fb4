"""The gate's SQL on a live database: what is there, and running what was written."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.gate_sql import Writer
from subjectline.handlers.registry.gate_sql_plan import Audience, Plan, plan
from subjectline.handlers.registry.live import Live, fitted, look, schemas_of
from subjectline.models.datamap import DataMap
from subjectline.models.errors import RegistryAway, RegistryError, SettingsError

SECONDS = 60.0
NO_LOCK = (
    "SQLite has no roles: who can open the file reads every table, and a query that names a table of its"
    " own like the view walks around it. A view there would be a convenience and no lock, so none is"
    " written. Ask the gate over HTTP or with subjectline-client"
)
_HOW = (
    "Nothing was changed. It takes a superuser, or the tables' owner with CREATEROLE who is a member of"
    " gate_owner; views of others that hang on these must go first."
)
_PLACE = "SELECT current_schema()"


@dataclass(frozen=True, slots=True)
class Written:
    """The statements of an audience for one connection, with the plan that they were written from."""

    plan: Plan
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a connection has: the map with what it left to the database, tables, the default schema."""

    data_map: DataMap
    live: Live
    schema: str


def lockable(engine: AsyncEngine) -> bool:
    """Whether the database can keep a reader from a table."""
    return engine.dialect.name == "postgresql"


async def seen(data_map: DataMap, connection: str, engine: AsyncEngine) -> Seen:
    """Looks at a connection. Raises SettingsError where it cannot lock, RegistryError."""
    if not lockable(engine):
        raise SettingsError(NO_LOCK, field=f"connection {connection}")
    async with guarded(connection, SECONDS), engine.connect() as reading:
        live = await look(reading, schemas_of(data_map, connection))
        schema = (await reading.exec_driver_sql(_PLACE)).scalar_one()
    return Seen(fitted(data_map, {connection: live}), live, schema or "public")


def written(what: Seen, audience: Audience, connection: str) -> Written:
    """The statements for an audience. Raises BadInput, DataMapError."""
    made = plan(what.data_map, audience, connection)
    return Written(made, tuple(Writer(what.data_map, made, what.live, what.schema).statements()))


async def run(what: Written, engine: AsyncEngine) -> None:
    """Runs the statements, all or none. Raises RegistryError; nothing is changed then."""
    connection = what.plan.connection
    try:
        async with guarded(connection, SECONDS), engine.begin() as writing:
            for statement in what.statements:
                await writing.exec_driver_sql(statement)
    except RegistryAway:
        raise
    except RegistryError as wrong:
        raise RegistryError(wrong.rule, field=connection, remedy=_HOW) from None
