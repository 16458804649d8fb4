"""kill -9 while a full mailbox is taken in from Dovecot and letters leave through smtp-sink.

Strangers and members write, some of them what is no request, some with a resident number. The desk is
killed by chance: at a point inside its work, or after so many more messages. Every mail ends as one
row, every request has its one letter of acknowledgement, and a letter that left twice is the same one.
"""

import asyncio
import random
import re
import shutil
import smtplib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from mail_support import until
from mortal import DESK_ADDRESS, Nursery, nursery
from servers import PASSWORD, Dovecot, SmtpSink, SmtpSinks

from subjectline.intake.sandbox.mail_world import AUTHSERV_ID
from subjectline.models.keys import KeyRing

# What strangers ask for, and what nobody needs to be asked about.
WISHES = (
    "회사가 보관하는 제 개인정보를 열람하고 싶습니다.",
    "Please send me a copy of all personal data you hold about me.",
    "광고 메일 수신 동의를 철회합니다.",
    "I want to close my account.",
)
OTHER = "사진 업로드가 잘 되지 않습니다. 화면이 멈춥니다."
MARKETING = "광고 메일 수신 동의를 철회합니다."
RESIDENT_NUMBER = (
    "제 주민등록번호는 910203-1234567입니다."  # invented: no such checksum is asked for
)
MEMBERS, OTHERS_EACH = 10, 12  # members who write; mails of one sender, under what a flood is
# Points inside intake and sending, and how far into the work they may be.
POINTS = {
    "raw mail kept, not yet moved": 2,
    "message received, not committed": 60,
    "letters rendered, not committed": 2,
    "letter taken, not handed over": 20,
    "letter handed over, not noted": 20,
}
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
ONE_EACH = {
    "a step": "SELECT 1 FROM history GROUP BY request_id, version HAVING count(*) > 1",
    "a beginning": "SELECT 1 FROM history WHERE event = 'arrive' GROUP BY request_id"
    " HAVING count(*) > 1",
    "a source": "SELECT 1 FROM request_message WHERE source GROUP BY request_id HAVING count(*) > 1",
    "a request": "SELECT 1 FROM request_message WHERE source GROUP BY message_id HAVING count(*) > 1",
    "a challenge": "SELECT 1 FROM challenge GROUP BY group_id HAVING count(*) > 1",
    "a hold": "SELECT 1 FROM hold GROUP BY request_id HAVING count(*) > 1",
    "a letter": "SELECT 1 FROM outbox GROUP BY request_id, letter"
    " HAVING count(*) > 1 AND request_id IS NOT NULL",
    "a key": "SELECT 1 FROM request GROUP BY key_id HAVING count(*) > 1",
    "a conversation's key": "SELECT 1 FROM conversation GROUP BY key_id HAVING count(*) > 1",
}


@dataclass(frozen=True)
class Mails:
    """A mailbox full: the bytes, and how many of them ask for something or must be expunged."""

    raw: list[bytes]
    asking: int
    expunged: int


@dataclass
class Office:
    """The desk's files, its mailbox on Dovecot and the sink of its letters."""

    home: Path
    server: Dovecot
    user: str
    sink: SmtpSink
    mails: Mails

    @property
    def imap_port(self) -> int:
        return self.server.imap_port

    @property
    def smtp_port(self) -> int:
        return self.sink.port

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / "desk.db", timeout=30) as database:
            found = database.execute(statement).fetchall()
        database.close()
        return found

    def count(self, statement: str) -> int:
        number: int = self.rows(f"SELECT count(*) FROM {statement}")[0][0]
        return number

    async def received(self, count: int) -> None:
        """Until the desk has so many messages that came in."""

        async def there() -> bool:
            return self.count("message WHERE direction = 'in'") >= count

        await until(there, 120)

    async def quiet(self) -> None:
        """Until all is received, moved and sent."""

        async def still() -> bool:
            open_work = self.count("raw_inbox WHERE state = 'new'")
            open_work += self.count("outbox WHERE outcome != 'sent'")
            open_work += self.count("task WHERE outcome = 'due'")
            return not open_work and not await asyncio.to_thread(self.server.uids, self.user)

        await self.received(len(self.mails.raw))
        await until(still, 300)


def full_mailbox(count: int, members: list[str], chance: random.Random) -> Mails:
    """So many mails in any order: members first, then strangers, a quarter without a wish."""
    made, asking, expunged = list[bytes](), 0, 0
    for number in range(count):
        wish = number % 4 != 3
        words = WISHES[number % len(WISHES)] if wish else OTHER
        sender = (
            f"person{number}@mail.test" if wish else f"other{number // 4 // OTHERS_EACH}@mail.test"
        )
        if number < len(members):
            sender, words, wish = members[number], MARKETING, True
        if number % 40 == 21:
            words, expunged = f"{words} {RESIDENT_NUMBER}", expunged + 1
        asking += wish
        made.append(mail(number, sender, words, chance))
    chance.shuffle(made)
    return Mails(made, asking, expunged)


def mail(number: int, sender: str, words: str, chance: random.Random) -> bytes:
    made = EmailMessage()
    domain = sender.rpartition("@")[2]
    made["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from={domain}"
    made["From"], made["To"], made["Subject"] = sender, DESK_ADDRESS, f"{number}"
    made["Message-ID"] = f"<{number}.{chance.getrandbits(60):x}@mail.test>"
    made.set_content(words)
    if number % 5 == 0:
        photo = chance.randbytes(chance.randrange(1000, 20_000))
        made.add_attachment(photo, maintype="image", subtype="jpeg", filename="photo.jpg")
    return made.as_bytes()


@asynccontextmanager
async def office(
    home: Path, company: Path, desk: Path, server: Dovecot, sink: SmtpSink, count: int, seed: int
) -> AsyncIterator[tuple[Office, Nursery]]:
    shutil.copy(company, home / "company.db")
    shutil.copy(desk, home / "desk.db")
    KeyRing.generate().save(home / "keyring.json")
    with sqlite3.connect(home / "company.db") as database:
        rows = database.execute("SELECT email FROM member ORDER BY member_id LIMIT ?", (MEMBERS,))
        members = [email for (email,) in rows]
    database.close()
    mails = full_mailbox(count, members, random.Random(seed))
    made = Office(home, server, server.new_user(), sink, mails)
    mailbox = {"user": made.user, "password": PASSWORD, "verify_dkim": False}
    more = {"mailbox": mailbox, "letters": {"user": "", "password": ""}}
    async with nursery(home, made, more) as births:
        try:
            yield made, births
        finally:
            if births.pid:
                await births.kill()


async def deliver(made: Office, begin: int, end: int | None = None) -> None:
    """So much of the mailbox arrives: a desk that is killed always finds work to die over."""

    def line_by_line() -> None:
        with smtplib.LMTP("127.0.0.1", made.server.lmtp_port) as line:
            for raw in made.mails.raw[begin:end]:
                line.sendmail("sender@mail.test", [made.user], raw)

    await asyncio.to_thread(line_by_line)


async def killed(made: Office, births: Nursery, kills: int, chance: random.Random) -> None:
    """So many deaths, over the whole of the work: half of them at a point, half at any moment."""
    total = len(made.mails.raw)
    share = max(-(-total // kills), 100)
    for number in range(kills):
        here = min((number + 1) * share, total)
        await deliver(made, number * share, here)
        if number % 2 == 0 and number < kills - 2:
            point = chance.choice(list(POINTS))
            await births.bear(point, chance.randint(1, POINTS[point]))
            await births.death()
        else:
            before = made.count("message WHERE direction = 'in'")
            await births.bear()
            await made.received(min(before + chance.randint(0, share), here))
            await asyncio.sleep(chance.uniform(0, 0.15))  # the moment is chance
            await births.kill()
        births.pid = 0


async def finish(made: Office, births: Nursery) -> None:
    """A last desk, that nobody kills until everything is done."""
    await births.bear()
    await made.quiet()
    await births.kill()
    births.pid = 0


def nothing_lost_nothing_doubled(made: Office) -> None:
    mails = made.mails
    ours = sorted(found(raw) for raw in mails.raw)
    assert made.rows("SELECT DISTINCT state, body FROM raw_inbox") == [("done", None)]
    assert made.count("raw_inbox") == len(mails.raw)
    assert made.count("(SELECT DISTINCT message_id FROM raw_inbox)") == len(mails.raw)
    kept = made.rows("SELECT rfc_message_id FROM message WHERE direction = 'in' ORDER BY 1")
    assert [one for (one,) in kept] == ours
    assert made.count("request") == mails.asking
    assert {what: made.rows(rows) for what, rows in ONE_EACH.items()} == {
        what: [] for what in ONE_EACH
    }
    steps = made.rows("SELECT count(*), max(version) + 1 FROM history GROUP BY request_id")
    assert len(steps) == mails.asking and all(number == versions for number, versions in steps)


def every_letter_left(made: Office) -> None:
    """Each request's acknowledgement (`verify` asks who it is, `ack` knows) and each other letter."""
    queued = made.rows("SELECT rfc_message_id, outcome FROM outbox")
    assert {outcome for _, outcome in queued} == {"sent"}
    answered = made.rows(
        "SELECT request_id FROM outbox WHERE letter IN ('verify', 'ack') ORDER BY request_id"
    )
    assert answered == made.rows("SELECT id FROM request ORDER BY id")
    told = made.count("outbox WHERE letter = 'resident_number'")
    assert told == made.count("conversation WHERE told_resident_number")
    left = Counter(found(raw) for raw in made.sink.mails())
    assert set(left) == {one for one, _ in queued}


def the_mailbox_is_empty(made: Office) -> None:
    """What was kept was moved, once; what had a resident number in it is nowhere."""
    assert made.server.uids(made.user) == []
    moved = Counter(found(raw) for raw in made.server.mails(made.user, "Processed"))
    assert sum(moved.values()) == len(made.mails.raw) - made.mails.expunged
    assert set(moved.values()) == {1}


def found(raw: bytes) -> str:
    match = MESSAGE_ID.search(raw)
    assert match is not None, "a mail without its Message-ID"
    return match[1].decode()


@pytest.fixture
def sink(smtp_sinks: SmtpSinks) -> Iterator[SmtpSink]:
    yield smtp_sinks.start()


async def story(
    kills: int,
    count: int,
    seed: int,
    home: Path,
    files: tuple[Path, Path],
    servers: tuple[Dovecot, SmtpSink],
) -> None:
    async with office(home, *files, *servers, count, seed) as (made, births):
        await killed(made, births, kills, random.Random(seed))
        await finish(made, births)
        nothing_lost_nothing_doubled(made)
        every_letter_left(made)
        the_mailbox_is_empty(made)


@pytest.mark.server
async def test_three_kills_over_a_mailbox(
    tmp_path: Path, company_template: Path, desk_template: Path, dovecot: Dovecot, sink: SmtpSink
) -> None:
    await story(3, 120, 1, tmp_path, (company_template, desk_template), (dovecot, sink))


@pytest.mark.long
@pytest.mark.server
@pytest.mark.parametrize("seed", range(2))
async def test_twenty_kills_over_a_full_mailbox(
    seed: int,
    tmp_path: Path,
    company_template: Path,
    desk_template: Path,
    dovecot: Dovecot,
    sink: SmtpSink,
) -> None:
    await story(20, 2000, seed, tmp_path, (company_template, desk_template), (dovecot, sink))
