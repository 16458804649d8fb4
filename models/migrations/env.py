"""Alembic's way in: the application hands over its connection, the command line brings a URL."""

import asyncio
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from subjectline.models import tables
from subjectline.models.db import Database
from subjectline.models.types import SealedColumn, Utc

target = SQLModel.metadata
assert tables.__all__  # importing the package is what registers the tables


def plain_type(kind: str, item: Any, context: Any) -> str | Literal[False]:
    """Migrations know only SQL's own types, so that an old one never breaks when ours move."""
    if kind == "type" and isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, SealedColumn):
        return "sa.LargeBinary()"
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=False,
        render_item=plain_type,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_url(url: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(run)
    await database.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_url(context.config.get_main_option("sqlalchemy.url") or ""))
