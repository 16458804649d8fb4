"""Letters that land together are written down together, and one at fault keeps none of the others."""

import asyncio
from typing import Any

import pytest
from desks import ACCESS, PARSERS, MakeDesk, Office
from sqlalchemy import event

from subjectline.handlers import inbox, landing
from subjectline.handlers.landing import Landing
from subjectline.models.tables import Outbox

PEOPLE = [f"person{number}@mail.test" for number in range(6)]


class Left:
    """A letter as it left: word for word as it was queued, or not."""

    def __init__(self, *, as_queued: bool = True) -> None:
        self.text, self.as_queued = "words", as_queued


async def flying(make_desk: MakeDesk) -> tuple[Office, list[Outbox]]:
    """A desk with a letter to each, none of them noted as sent."""
    office = await make_desk()
    for person in PEOPLE:
        await office.mail(person, ACCESS, work=False)
    while await inbox.once(office.desk, PARSERS):
        pass
    return office, await office.all(Outbox)


async def outcomes(office: Office) -> list[str]:
    return [row.outcome for row in await office.all(Outbox)]


async def test_those_who_come_meanwhile_share_a_commit(make_desk: MakeDesk) -> None:
    office, rows = await flying(make_desk)
    commits: list[Any] = []
    event.listen(office.desk.db.engine.sync_engine, "commit", commits.append)
    down = Landing(office.desk)
    await asyncio.gather(*(down.sent(row, Left()) for row in rows))
    assert await outcomes(office) == ["sent"] * len(rows)
    assert len(commits) < len(rows)


async def test_one_at_fault_keeps_none_of_the_others(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, rows = await flying(make_desk)
    real, bad = landing._what_left, rows[2].id

    async def fails(session: Any, desk: Any, row: Outbox, letter: Any) -> None:
        if row.id == bad:
            raise LookupError("its key is gone")
        await real(session, desk, row, letter)

    monkeypatch.setattr(landing, "_what_left", fails)
    down = Landing(office.desk)
    said = await asyncio.gather(*(down.sent(r, Left()) for r in rows), return_exceptions=True)
    assert [type(one) for one in said if one is not None] == [LookupError]
    assert said[2] is not None
    assert await outcomes(office) == ["due" if row.id == bad else "sent" for row in rows]
