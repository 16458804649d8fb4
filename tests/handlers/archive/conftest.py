"""A company that can be killed: its engines stop at the statement or commit that a test names."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.keys import KeyRing, KeyStore, Vault

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
MEMBER, OTHER = "1001", "1003"
WITHDRAWAL = "membership_withdrawal"
Rows = list[tuple[Any, ...]]


class Killed(BaseException):
    """The process died here."""


@dataclass
class Fuse:
    """Burns down by one at each statement and commit of the engines; kills at zero."""

    left: int = -1
    steps: int = 0

    def burn(self, *_: Any, **__: Any) -> None:
        self.steps += 1
        if self.left == 0:
            raise Killed
        self.left -= 1


@dataclass
class Company:
    """One sample company in files, and what opens it."""

    folder: Path
    data_map: DataMap
    clock: FrozenClock
    ring: KeyRing

    def open(self, fuse: Fuse | None = None) -> Registry:
        """A registry as a new process has it."""
        vault = Vault(self.ring, KeyStore(self.folder / "keys.db"))
        engines = open_engines(self.data_map, {"members": f"sqlite:///{self.folder}/company.db"})
        apart = open_engine(f"sqlite:///{self.folder}/archive.db")
        for engine in (*engines.values(), apart):
            _fuse(engine, fuse)
        archive = Archive(apart, vault, self.clock, self.data_map.registry)
        return Registry(self.data_map, engines, clock=self.clock, zone=SEOUL, archive=archive)

    async def rows(self, table: str, condition: str = "1 = 1") -> Rows:
        """Straight from the live table."""
        return await self._sql("company.db", f"SELECT * FROM {table} WHERE {condition}")

    async def sql(self, statement: str) -> None:
        await self._sql("company.db", statement)

    async def apart(self) -> Rows:
        """Straight from the archive's table, sealed."""
        return await self._sql("archive.db", "SELECT * FROM subjectline_archive")

    async def _sql(self, file: str, statement: str) -> Rows:
        engine = open_engine(f"sqlite:///{self.folder}/{file}")
        try:
            async with engine.begin() as connection:
                done = await connection.execute(text(statement))
                return [tuple(row) for row in done] if done.returns_rows else []
        finally:
            await engine.dispose()


def _fuse(engine: AsyncEngine, fuse: Fuse | None) -> None:
    if fuse is not None:
        event.listen(engine.sync_engine, "before_cursor_execute", fuse.burn)
        event.listen(engine.sync_engine, "commit", fuse.burn)


MakeCompany = Callable[[], Company]


@pytest.fixture
def make_company(
    company_template: Path, sample_map: DataMap, tmp_path_factory: pytest.TempPathFactory
) -> MakeCompany:
    def make() -> Company:
        folder = tmp_path_factory.mktemp("killed")
        shutil.copy(company_template, folder / "company.db")
        return Company(folder, sample_map, FrozenClock(NOW), KeyRing.generate())

    return make


@pytest.fixture
def company(make_company: MakeCompany) -> Company:
    return make_company()


@pytest.fixture
def today() -> date:
    return NOW.astimezone(SEOUL).date()


@pytest.fixture
def make_fuse() -> Callable[[int], Fuse]:
    return Fuse


@pytest.fixture
def killed() -> type[BaseException]:
    return Killed


@pytest.fixture(scope="session")
def total_steps(
    company_template: Path, sample_map: DataMap, tmp_path_factory: pytest.TempPathFactory
) -> int:
    """How many statements and commits the whole leaving of one member makes."""
    folder = tmp_path_factory.mktemp("counted")
    shutil.copy(company_template, folder / "company.db")
    company = Company(folder, sample_map, FrozenClock(NOW), KeyRing.generate())

    async def count() -> int:
        registry = company.open()
        changes = await registry.draft_withdrawal(MEMBER, WITHDRAWAL)
        await registry.close()
        fuse = Fuse()
        whole = company.open(fuse)
        await whole.apply(changes)
        await whole.close()
        return fuse.steps

    return asyncio.run(count())
