"""The sample company: the same every time, complete, and nobody in it exists."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from subjectline.handlers.registry import Registry, open_engines
from subjectline.intake.sandbox.company import KNOWN, MAP, MEMBERS, create_company
from subjectline.intake.sandbox.policies import sample_policies
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import load_map

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    await create_company(tmp_path / "company.db", FrozenClock(NOW))
    return tmp_path / "company.db"


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


async def test_the_same_clock_gives_the_same_company(path: Path) -> None:
    first = dump(path)
    await create_company(path, FrozenClock(NOW))
    assert dump(path) == first


async def test_everybody_is_invented(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        people = connection.execute("SELECT email, phone, language FROM member").fetchall()
    assert len(people) == MEMBERS
    assert len({email for email, _, _ in people}) == MEMBERS
    assert all(email.endswith("@mail.test") for email, _, _ in people)
    assert all(phone.startswith("010-0000-") and len(phone) == 13 for _, phone, _ in people)
    assert {language for _, _, language in people} == {"ko", "en"}


async def test_every_value_is_one_that_its_field_takes(path: Path) -> None:
    data_map = load_map(MAP)
    registry = Registry(data_map, open_engines(data_map, {"members": f"sqlite:///{path}"}))
    assert await registry.check() == []
    for member in await registry.members(None, MEMBERS):
        for name, value in (await registry.read(member, data_map.fields)).items():
            assert value is None or data_map.fields[name].normalise(value) == value
    for person in KNOWN:
        assert all((await registry.collect(person.member)).counts.values())
        assert all((await registry.read(person.member, data_map.fields)).values())
    await registry.close()


async def test_the_map_and_the_schema_are_the_same(path: Path) -> None:
    tables = load_map(MAP).tables
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        assert {name for (name,) in found} == set(tables)
        for name, table in tables.items():
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,))
            assert {column for (column,) in columns} == set(table.columns)


async def test_nothing_lies_in_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for name, table in load_map(MAP).tables.items():
            for column, spec in table.columns.items():
                if spec.type == "datetime":
                    latest = connection.execute(f"SELECT max({column}) FROM {name}").fetchone()[0]
                    assert latest is None or datetime.fromisoformat(latest) <= NOW


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_second_version_says_what_it_changes(language: str) -> None:
    first, second = sample_policies(date(2026, 11, 23))
    assert second.effective_on - second.announced_on >= timedelta(days=7)
    assert first.effective_on - first.announced_on >= timedelta(days=7)
    old, new = (set(version.text[language].splitlines()) for version in (first, second))
    changed = {line for line in new - old if not line.startswith("- ")}
    assert len(changed) == 1 and second.changes[0]["after"][language] in changed.pop()
    assert len(new - old) == 2 + 2  # two clauses, two dates
    assert "[" not in second.text[language].replace("[내 정보]", "").replace("[My Inf", "")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_versions_have_the_sixteen_articles(language: str) -> None:
    for version in sample_policies(date(2026, 11, 23)):
        headings = [line for line in version.text[language].splitlines() if line[:3] == "## "]
        assert len(headings) == 16
