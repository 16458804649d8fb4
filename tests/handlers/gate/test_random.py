"""Random lives of holds: no permit is ever given for a held field."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from subjectline.handlers import holds
from subjectline.handlers.gate import Gate
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Make = Callable[..., Awaitable[int]]
PURPOSES = ("marketing", "service", "legal-retention")


class Model:
    """What is held, as a plain table of request -> (member, kind, fields)."""

    def __init__(self) -> None:
        self.live: dict[int, tuple[str, str, tuple[str, ...]]] = {}

    def held(self, member: str, field: str, purpose: str) -> bool:
        return any(
            who == member and self._says(kind, fields, field, purpose)
            for who, kind, fields in self.live.values()
        )

    @staticmethod
    def _says(kind: str, fields: tuple[str, ...], field: str, purpose: str) -> bool:
        if kind == "correction":
            return field in fields
        if kind == "erasure":
            return purpose != "legal-retention"
        return purpose == "marketing"


@pytest.mark.parametrize("seed", range(4))
async def test_no_permit_for_a_held_field(
    database: Database, data_map: DataMap, gate: Gate, new_request: Make, seed: int
) -> None:
    dice, model = random.Random(seed), Model()
    slow = Gate(database, data_map, FrozenClock(NOW))  # looks only now and then
    for _ in range(40):
        await _step(database, data_map, new_request, dice, model)
        await _compare(gate, model, dice)
        if dice.random() < 0.15:
            await _compare(slow, model, dice)
    assert len(gate.state) == len(model.live)


async def _step(
    database: Database, data_map: DataMap, new_request: Make, dice: random.Random, model: Model
) -> None:
    """One commit: a hold placed or ended, or a step that fails and must leave no trace."""
    member, fields = dice.choice("123"), tuple(dice.sample(["email", "name", "phone"], 2))
    kind = dice.choice(["correction", "erasure", "marketing_withdrawal"])
    number = await new_request(member, kind=kind)
    ends = dice.choice(list(model.live)) if model.live and dice.random() < 0.5 else None
    fails = dice.random() < 0.2
    try:
        async with database.write() as session:
            if ends is None:
                plan = holds.holds_for(kind, fields, (), data_map)
                where = (data_map.registry, member, plan, "firm", NOW)
                await holds.place(session, number, *where)
            else:
                await holds.end(session, ends, NOW)
            if fails:
                raise InterruptedError
    except InterruptedError:
        return
    if ends is None:
        model.live[number] = (member, kind, fields)
    else:
        del model.live[ends]


async def _compare(gate: Gate, model: Model, dice: random.Random) -> None:
    member, field = dice.choice("1234"), dice.choice(["email", "name", "phone"])
    purpose = dice.choice(PURPOSES)
    answer = await gate.decide("desk", member, (field,), purpose)
    held = model.held(member, field, purpose)
    if purpose == "legal-retention":
        assert answer.permit and answer.override is held
    else:
        assert answer.permit is not held
