"""Where the data map does not say what leaving does with a table, an agent does, and nobody else."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, Leave
from subjectline.models.errors import BadInput, RegistryError
from subjectline.models.keys import Vault

LEAVING = "membership_withdrawal"
Query = Callable[..., Any]


@pytest.fixture
def archive_url(databases: Any) -> str:
    return str(databases.make())


@pytest.fixture
async def asking(
    archive_url: str, shop_urls: dict[str, str], shop_map: DataMap, clock: FrozenClock
) -> AsyncIterator[Registry]:
    leave = dict(shop_map.leave) | {
        "customer": Leave(action="ask", set={"email": None, "phone": None}),
        "card": Leave(action="ask"),
        "purchase": Leave(action="ask", counted_from="bought_at"),
    }
    data_map = shop_map.model_copy(update={"leave": leave})
    apart = open_engine(archive_url)
    archive = Archive(apart, Vault.for_tests(), clock, data_map.registry)
    engines = open_engines(data_map, shop_urls)
    registry = Registry(data_map, engines, clock=clock, archive=archive)
    yield registry
    await registry.close()


async def test_the_tables_with_rows_are_asked_about_with_what_can_be_done(asking: Registry) -> None:
    assert await asking.asks("ann") == {
        "customer": ("anonymise", "by_hand"),
        "card": ("delete", "by_hand"),
        "purchase": ("delete", "keep", "by_hand"),
    }


async def test_nothing_is_drafted_without_a_choice(asking: Registry, shop_urls: Any) -> None:
    with pytest.raises(RegistryError, match="does not say"):
        await asking.draft_withdrawal("ann", LEAVING)
    some = {"customer": "anonymise", "card": "delete"}
    with pytest.raises(RegistryError, match="purchase"):
        await asking.draft_withdrawal("ann", LEAVING, choices=some)


async def test_where_the_member_has_no_row_nothing_is_asked(
    asking: Registry, shop_urls: dict[str, str], query: Query
) -> None:
    await query(shop_urls["shop"], "DELETE FROM card WHERE customer_id = 'ann'")
    assert "card" not in await asking.asks("ann")
    chosen = {"customer": "anonymise", "purchase": "delete"}
    changes = await asking.draft_withdrawal("ann", LEAVING, choices=chosen)
    assert "card" not in {change.table for change in changes}


async def test_what_was_chosen_is_what_the_changes_do(
    asking: Registry, shop_urls: dict[str, str], query: Query
) -> None:
    chosen = {"customer": "anonymise", "card": "by_hand", "purchase": "keep"}
    changes = await asking.draft_withdrawal("ann", LEAVING, choices=chosen)
    assert {(c.table, c.op) for c in changes} == {
        ("customer", "update"), ("purchase", "move"), ("note", "delete"), ("reader", "delete"),
    }  # fmt: skip
    kept = await asking.kept("ann", choices=chosen)
    assert [(one.table, one.rows) for one in kept] == [("purchase", 2)]
    await asking.apply(changes)
    shop = shop_urls["shop"]
    assert await query(shop, "SELECT email FROM customer WHERE id = 'ann'") == [(None,)]
    assert len(await query(shop, "SELECT id FROM card WHERE customer_id = 'ann'")) == 1
    assert await query(shop, "SELECT id FROM \"order\" WHERE customer_id = 'ann'") == []
    assert asking.archive is not None
    assert {one.about.table for one in await asking.archive.open("ann")} == {"purchase"}


@pytest.mark.parametrize(
    ("table", "choice"),
    [("card", "keep"), ("customer", "delete"), ("note", "keep"), ("nowhere", "delete")],
)
async def test_a_choice_that_is_not_open_is_refused(
    asking: Registry, table: str, choice: str
) -> None:
    with pytest.raises(BadInput) as told:
        await asking.draft_withdrawal("ann", LEAVING, choices={table: choice})
    assert told.value.field == f"leave.{table}"
