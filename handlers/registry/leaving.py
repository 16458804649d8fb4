"""What leaving does with each table: the map's word, or an agent's where the map says `ask`."""

from collections.abc import Mapping

from sqlalchemy import func, select

from subjectline.handlers.registry.moving import Places
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Leave
from subjectline.models.errors import BadInput

BY_HAND = "by_hand"  # the agent sees to it in the company's own system


def options(schema: Schema, table: str) -> tuple[str, ...]:
    """What an agent can choose for the member's rows of `table`: delete, keep, anonymise, by_hand.

    A shared row and the home row are never deleted; only a rule with law and period keeps; only a
    `set` of the map says what an anonymous row holds. A person in a list is taken out by hand.
    """
    spec, leave = schema.map.tables[table], schema.map.leave[table]
    if schema.listed(table):
        return (BY_HAND,)
    rule = schema.map.retention[spec.retention]
    whole = not spec.shared and table != schema.map.home.table
    ways = {
        "delete": whole,
        "keep": rule.law is not None and rule.period is not None,
        "anonymise": bool(leave.set),
        BY_HAND: True,
    }
    return tuple(way for way, possible in ways.items() if possible)


def decided(schema: Schema, choices: Mapping[str, str]) -> dict[str, Leave]:
    """`leave` of the map with an agent's choices; what is seen to by hand is left out.

    Raises BadInput for a choice that the map does not leave open or that cannot be made.
    """
    found = dict(schema.map.leave)
    for table, choice in choices.items():
        if table not in found or found[table].action != "ask":
            raise _wrong(table, "the data map does not ask what leaving does with this table")
        if choice not in (known := options(schema, table)):
            raise _wrong(table, f"one of {', '.join(known)} is chosen here")
        if choice == BY_HAND:
            del found[table]
        else:
            found[table] = found[table].model_copy(update={"action": choice})
    return found


async def asked(places: Places, member: str) -> dict[str, tuple[str, ...]]:
    """The tables that hold something of the member's and of which the map says `ask`, each with what
    can be chosen. `member` is a Person."""
    found: dict[str, tuple[str, ...]] = {}
    schema = places.schema
    for table, leave in schema.map.leave.items():
        if leave.action != "ask":
            continue
        count = select(func.count()).select_from(schema[table])
        async with places.reading(schema.connection(table)) as connection:
            if await connection.scalar(count.where(schema.owned(table, member))):
                found[table] = options(schema, table)
    return found


def _wrong(table: str, rule: str) -> BadInput:
    return BadInput(rule, field=f"leave.{table}", remedy="Choose again.")
