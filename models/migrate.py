"""Brings a desk's database to the newest form."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from subjectline.models.db import Database

FOLDER = Path(__file__).parent / "migrations"


async def migrate(database: Database) -> None:
    """Runs every migration that is not yet in this database, in one transaction."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def config(url: str = "") -> Config:
    """Alembic's configuration without a file, so that it works from an installed wheel."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    if url:
        made.set_main_option("sqlalchemy.url", url)
    return made


def _upgrade(connection: Connection) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
