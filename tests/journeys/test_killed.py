"""kill -9 in the middle of intake, apply and sending: nothing is lost, nothing is done twice.

Members write and answer; two agents sign whatever is proposed; the desk dies and is started again.
A trigger in the company's database counts every write of an address.
"""

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mortal import DESK_ADDRESS, POINTS, Nursery, nursery
from worlds import written

from subjectline.intake.sandbox.mail_world import MailWorld, SandboxMail
from subjectline.models.clock import system_clock
from subjectline.models.keys import KeyRing

TRIGGER = """
CREATE TABLE written (member_id INTEGER, value TEXT);
CREATE TRIGGER watch AFTER UPDATE OF shipping_address ON profile BEGIN
  INSERT INTO written VALUES (new.member_id, new.shipping_address); END;
"""
MEMBERS = "SELECT member_id, email FROM member ORDER BY member_id LIMIT ?"
EVENTS = ["arrive", "challenge", "prove", "propose", "approve", "apply"]


@dataclass
class Town:
    """The members of one test, their mailboxes and what they have answered."""

    home: Path
    mail: MailWorld
    members: list[tuple[int, str]]
    answered: set[str] = field(default_factory=set)

    async def write(self, count: int) -> None:
        """So many members, who have not written yet, each ask for a correction."""
        for number, email in self.members[:count]:
            words = f"제 배송지를 {street(number)}으로 바꿔 주세요."
            raw, to = written(email, words, "배송지 변경", None)
            await self.mail.deliver(raw, to, "pass")
        self.asking, self.members = [*self.asking, *self.members[:count]], self.members[count:]

    asking: list[tuple[int, str]] = field(default_factory=list)

    async def answer(self) -> None:
        """Whoever has a letter with a code says yes to it, once."""
        while True:
            changes = self.mail.changes.count
            for _, email in self.asking:
                for letter in self.mail.mailbox(email):
                    await self._yes(email, letter)
            await self.mail.changes.after(changes)

    async def _yes(self, email: str, letter: SandboxMail) -> None:
        if "확인번호:" in letter.text and letter.message_id not in self.answered:
            self.answered.add(letter.message_id)
            raw, to = written(email, "네", "", letter)
            await self.mail.deliver(raw, to, "pass")

    async def all_served(self) -> None:
        """Until everybody has the third letter: verify, ack, done."""
        async with asyncio.timeout(40):
            while True:
                changes = self.mail.changes.count
                if all(len(self.letters(email)) >= 3 for _, email in self.asking):
                    return
                await self.mail.changes.after(changes)

    def letters(self, email: str) -> Counter[str]:
        """How often each letter came, by its Message-ID."""
        return Counter(letter.message_id for letter in self.mail.mailbox(email))

    def rows(self, file: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / file) as database:
            found = database.execute(statement, values).fetchall()
        database.close()
        return found


def street(number: int) -> str:
    return f"부산시 수영구 파도로 {number}"


@asynccontextmanager
async def town(home: Path, company: Path, desk: Path) -> AsyncIterator[tuple[Town, Nursery]]:
    shutil.copy(company, home / "company.db")
    shutil.copy(desk, home / "desk.db")
    KeyRing.generate().save(home / "keyring.json")
    with sqlite3.connect(home / "company.db") as database:
        database.executescript(TRIGGER)
        members = database.execute(MEMBERS, (PEOPLE,)).fetchall()
    database.close()
    mail = MailWorld(system_clock, desk_address=DESK_ADDRESS)
    await mail.start()
    made = Town(home, mail, members)
    async with nursery(home, mail) as births:
        answering = asyncio.create_task(made.answer())
        try:
            yield made, births
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            if births.pid:
                await births.kill()
            await mail.stop()


PEOPLE = 30


def nothing_lost_nothing_doubled(made: Town) -> None:
    count = len(made.asking)
    assert made.rows("desk.db", "SELECT state, count(*) FROM request GROUP BY state") == [
        ("done", count)
    ]
    histories: dict[int, list[tuple[int, str]]] = {}
    for request, version, name in made.rows(
        "desk.db", "SELECT request_id, version, event FROM history ORDER BY request_id, version"
    ):
        histories.setdefault(request, []).append((version, name))
    for steps in histories.values():
        assert [name for _, name in steps] == EVENTS
        assert [version for version, _ in steps] == list(range(len(EVENTS)))
    registry = sorted(made.rows("company.db", "SELECT member_id, value FROM written"))
    assert registry == sorted((number, street(number)) for number, _ in made.asking)
    letters = made.rows("desk.db", "SELECT letter, count(*) FROM outbox GROUP BY letter ORDER BY 1")
    assert letters == [("ack", count), ("done", count), ("verify", count)]
    assert made.rows("desk.db", "SELECT DISTINCT state, body FROM raw_inbox") == [("done", None)]
    assert made.rows("desk.db", "SELECT count(*) FROM raw_inbox") == [(2 * count,)]
    assert made.rows("desk.db", "SELECT count(*) FROM hold WHERE ended_revision IS NULL") == [(0,)]
    assert made.rows("desk.db", "SELECT count(DISTINCT request_id) FROM hold") == [(count,)]
    assert len(made.rows("desk.db", "SELECT id FROM approval")) == count
    for _, email in made.asking:
        assert len(made.letters(email)) == 3  # a letter may come twice, but as itself
    assert len(made.mail.desk_folder("Processed")) == 2 * count
    assert made.mail.mailbox(DESK_ADDRESS) == []


async def finish(made: Town, births: Nursery) -> None:
    """A last desk, that nobody kills until everything is done."""
    await births.bear()
    await made.all_served()
    await asyncio.sleep(0)
    await quiet(made)
    await births.kill()
    births.pid = 0
    nothing_lost_nothing_doubled(made)


async def quiet(made: Town) -> None:
    """Until the desk has noted all that it sent and moved all that it read."""
    async with asyncio.timeout(20):
        while made.mail.mailbox(DESK_ADDRESS) or made.rows(
            "desk.db", "SELECT 1 FROM outbox WHERE outcome != 'sent'"
        ):
            await asyncio.sleep(0.02)  # another process tells nobody of its commits


async def test_killed_at_every_point(
    tmp_path: Path, company_template: Path, desk_template: Path
) -> None:
    async with town(tmp_path, company_template, desk_template) as (made, births):
        for point in POINTS:
            await made.write(1)
            await births.bear(point)
            await births.death()
        await finish(made, births)


async def killed_at_random(made: Town, births: Nursery, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        if made.members:
            await made.write(chance.choice((0, 1, 2)))
        await births.bear()
        await asyncio.sleep(chance.uniform(0.02, 0.6))  # the moment is chance; nothing is awaited
        await births.kill()
        births.pid = 0
    await finish(made, births)


async def test_killed_at_any_moment(
    tmp_path: Path, company_template: Path, desk_template: Path
) -> None:
    async with town(tmp_path, company_template, desk_template) as (made, births):
        await made.write(3)
        await killed_at_random(made, births, 6, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
async def test_killed_very_often(
    seed: int, tmp_path: Path, company_template: Path, desk_template: Path
) -> None:
    async with town(tmp_path, company_template, desk_template) as (made, births):
        await made.write(6)
        await killed_at_random(made, births, 40, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
async def test_killed_at_every_point_in_any_order(
    seed: int, tmp_path: Path, company_template: Path, desk_template: Path
) -> None:
    chance = random.Random(seed)
    async with town(tmp_path, company_template, desk_template) as (made, births):
        for point in chance.choices(list(POINTS), k=25):
            await made.write(1)
            await births.bear(point)
            await births.death()
        await finish(made, births)
