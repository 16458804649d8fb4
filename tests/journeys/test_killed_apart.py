"""kill -9 between every two steps of apply, with two databases and with moves into the archive.

Corrections and leavings are signed first. Then desk after desk is started and dies at its point; in
between, whatever is not done is held and has promised nothing. The last desk finishes: every cell of
both databases is as it must be, every move is in the archive once, every letter left once.
"""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cells import KEPT, Before, corrected, left, theirs
from desks import CORRECT, LEAVE, NOW
from mortal import APART, DESK_ADDRESS, Nursery, nursery
from pairs import Cell, Pair, Pairs, cast, changed, pair_office
from signing import proven

from subjectline.handlers import decisions
from subjectline.handlers.audit import agent
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.intake.sandbox.people import Person
from subjectline.models.clock import system_clock
from subjectline.models.keys import KeyRing
from subjectline.models.tables import Proposal


@dataclass
class Site:
    """A desk's files and its company, some of whose members wait for what was signed."""

    home: Path
    pair: Pair
    before: Before
    correcting: list[Person]
    leaving: list[Person]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """From the desk's database, which nobody has open for long."""
        with sqlite3.connect(self.home / "desk.db") as database:
            found = database.execute(statement).fetchall()
        database.close()
        return found

    def honest(self) -> None:
        """What is not done is being applied, is held, and no letter says otherwise."""
        states = self.rows(
            "SELECT r.state, (SELECT count(*) FROM hold h WHERE h.request_id = r.id AND"
            " h.ended_revision IS NULL AND h.kind = 'firm'), (SELECT count(*) FROM outbox o WHERE"
            " o.request_id = r.id AND o.letter = 'done') FROM request r"
        )
        assert {state for state, _, _ in states} <= {"applying", "done"}
        for state, firm, letters in states:
            assert (firm > 0, letters) == ((True, 0) if state == "applying" else (False, 1))

    async def done(self) -> None:
        """Until everything is done and told."""
        async with asyncio.timeout(40):
            while self.rows(
                "SELECT 1 FROM request WHERE state != 'done' UNION ALL"
                " SELECT 1 FROM outbox WHERE outcome != 'sent' LIMIT 1"
            ):
                await asyncio.sleep(0.05)  # another process tells nobody of its commits

    async def right(self) -> None:
        """Applied once, everywhere, and nothing else."""
        self.honest()
        wanted: set[Cell] = self._between_them()
        for who in self.correcting:
            wanted |= corrected(self.before, who)
        for who in self.leaving:
            wanted |= left(self.before, who)
        whole = {cell[:2] for cell in wanted if cell[2] == ""}
        wanted = {cell for cell in wanted if cell[2] == "" or cell[:2] not in whole}
        found = changed(self.before, await self.pair.whole())
        assert {(*cell[:3], "now" if cell[2] == "left_at" else cell[3]) for cell in found} == wanted
        for who in self.leaving:
            kept = {table: len(theirs(self.before, who, table)) for table in KEPT}
            assert await self.pair.archived(who.member) == kept
        steps = "SELECT count(*) FROM history WHERE event = 'apply' GROUP BY request_id"
        count = len(self.correcting) + len(self.leaving)
        assert self.rows(steps) == [(1,)] * count
        proofs = "SELECT count(*) FROM attempt WHERE outcome = 'applied' GROUP BY request_id"
        assert self.rows(proofs) == [(1,)] * count

    def _between_them(self) -> set[Cell]:
        """A sale goes whole once both sides have left."""
        gone = {who.number for who in self.leaving}
        return {
            (*place, "", None)
            for place, row in self.before.items()
            if {row.get("seller_id"), row.get("buyer_id")} <= gone
        }


@asynccontextmanager
async def site(
    pairs: Pairs, home: Path, desk: Path, correcting: int, leaving: int
) -> AsyncIterator[tuple[Site, Nursery]]:
    """So many signed corrections and leavings, and a nursery for desks that apply them."""
    pair, ring, members = pairs.make(home), KeyRing.generate(), cast()["ko"]
    shutil.copy(desk, home / "desk.db")
    ring.save(home / "keyring.json")
    made = Site(home, pair, await pair.whole(), members[:correcting], members[-leaving:])
    await _sign_all(made, ring)
    mail = MailWorld(system_clock, desk_address=DESK_ADDRESS)
    await mail.start()
    where = {"map": str(pair.map), "urls": dict(pair.urls), "start": NOW.isoformat()}
    async with nursery(home, mail, where) as births:
        try:
            yield made, births
        finally:
            if births.pid:
                await births.kill()
            await mail.stop()


async def _sign_all(made: Site, ring: KeyRing) -> None:
    office = pair_office(
        made.pair, made.home, f"sqlite+aiosqlite:///{made.home / 'desk.db'}", ring=ring
    )
    for who in made.correcting + made.leaving:
        await proven(office, who.email, LEAVE if who in made.leaving else CORRECT)
    for proposal in await office.all(Proposal):
        for number in range(1, proposal.needs + 1):
            await decisions.approve(office.desk, proposal.sha256, agent(number))
    await office.close()


async def finish(made: Site, births: Nursery) -> None:
    await births.bear()
    await made.done()
    await births.kill()
    births.pid = 0
    await made.right()


async def test_killed_between_every_two_steps(
    pairs: Pairs, tmp_path: Path, desk_template: Path
) -> None:
    """Every point on SQLite, every second one on PostgreSQL; `make long` has the rest."""
    async with site(pairs, tmp_path, desk_template, 3, 2) as (made, births):
        for point in list(APART)[:: 1 if pairs.backend == "sqlite" else 2]:
            await births.bear(point)
            await births.death()
            births.pid = 0
            made.honest()
        await finish(made, births)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
async def test_killed_at_many_points(
    seed: int, pairs: Pairs, tmp_path: Path, desk_template: Path
) -> None:
    """Any point, at any of its first calls, in any order; a desk that comes to none is killed too."""
    chance = random.Random(seed)
    async with site(pairs, tmp_path, desk_template, 6, 6) as (made, births):
        for _ in range(30):
            await births.bear(chance.choice(list(APART)), chance.randrange(1, 5))
            if not await died(made, births):
                break
            births.pid = 0
            made.honest()
        if births.pid:
            await births.kill()
            births.pid = 0
        await finish(made, births)


async def died(made: Site, births: Nursery) -> bool:
    """Waits for the desk to die; False where it did everything before it came to its point."""
    death, done = asyncio.create_task(births.death()), asyncio.create_task(made.done())
    await asyncio.wait((death, done), return_when=asyncio.FIRST_COMPLETED)
    dead = death.done()
    for task in (death, done):
        task.cancel()
    await asyncio.gather(death, done, return_exceptions=True)
    return dead
