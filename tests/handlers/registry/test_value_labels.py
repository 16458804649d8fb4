"""`map check` tells of labels for values that nobody will ever see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from subjectline.handlers.registry import open_engines
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.mapcheck import check
from subjectline.models.datamap import Bilingual, DataMap

MEANT = {"kakao": Bilingual(ko="카카오", en="Kakao")}


def labelled(sample: DataMap, table: str, column: str) -> DataMap:
    """The sample map with labels for the values of one column."""
    spec = sample.tables[table]
    changed = spec.columns[column].model_copy(update={"values": MEANT})
    columns = {**spec.columns, column: changed}
    tables = {**sample.tables, table: spec.model_copy(update={"columns": columns})}
    return sample.model_copy(update={"tables": tables})


@pytest.mark.parametrize("column", ["kakao_id", "password_hash"])
async def test_of_a_column_that_is_gone_or_hidden(
    sample: DataMap, company_url: str, query: Any, column: str
) -> None:
    await query(company_url, "ALTER TABLE profile RENAME COLUMN kakao_id TO kakao_ident")
    table = "profile" if column == "kakao_id" else "credential"
    data_map = labelled(sample, table, column)
    engines = open_engines(data_map, {"members": company_url})

    @asynccontextmanager
    async def reading(name: str) -> AsyncIterator[Any]:
        async with guarded(name, 20), engines[name].connect() as connection:
            yield connection

    found = await check(data_map, reading)
    await engines["members"].dispose()
    told = [f for f in found if f.where == f"tables.{table}.columns.{column}.values"]
    assert [f.level for f in told] == ["warning"]
    assert not [f for f in found if f.where == "tables.member.columns.status.values"]
