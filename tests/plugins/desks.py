"""A whole desk without loops and servers: `make_desk` gives an `Office` whose work is done when asked.

What comes in goes through the real parsers and the raw inbox; what goes out stands in a tray. The
clock stands still until a test moves it. The company is the sample one, with 30 members.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from servers import createdb
from sqlalchemy import ColumnElement, text
from sqlmodel import SQLModel, select

from subjectline.handlers import audit, inbox, outbox, tasks
from subjectline.handlers.audit import Actor
from subjectline.handlers.desk import Desk, Manner
from subjectline.handlers.gate import Gate
from subjectline.handlers.inbox import Raw
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines
from subjectline.handlers.understanding import Vocabulary
from subjectline.intake.mail import MailPolicy
from subjectline.intake.mail_sink import mail_parser
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.intake.telegram_update import parse_update
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map, vocabulary_words
from subjectline.models.db import Database
from subjectline.models.incoming import Door
from subjectline.models.keys import KeyRing, KeyStore, Vault
from subjectline.models.migrate import migrate
from subjectline.models.regimes import regime_named
from subjectline.models.tables import Agent, Conversation, Hold, Message, Outbox, Request

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # a Monday, 10:00 in Seoul
DESK = "privacy@moment-pick.test"
SERVER = "border.test"  # whose Authentication-Results the desk believes
PEOPLE = 30
PATIENCE = 60.0  # seconds for a call to a company's database: a busy machine is no fault
AGENTS = (("minji", "서민지"), ("alex", "Alex Moreau"), ("jiho", "윤지호"))
POLICY = MailPolicy((SERVER,), (DESK,))
PARSERS = {Door.MAIL: mail_parser(POLICY), Door.TELEGRAM: parse_update}
CODE = re.compile(r"(?<![\dA-Za-z_-])\d{6}(?![\dA-Za-z_-])")  # not within a reference or a link
STOP = re.compile(r"/m/stop/([A-Za-z0-9_-]{43})")

# What members write, and is understood without a question.
NEW_ADDRESS = "부산시 수영구 파도로 12, 3층"
CORRECT = f"제 배송지를 {NEW_ADDRESS}으로 바꿔 주세요."
CORRECT_EN = "Please change my shipping address to 5 Harbour Lane, Busan."
ACCESS = "회사가 보관하는 제 개인정보를 열람하고 싶습니다."
ACCESS_EN = "Please send me a copy of all personal data you hold about me."
MARKETING = "광고 메일 수신 동의를 철회합니다."
THIRD_PARTY = "제3자 제공 동의를 철회합니다."
LEAVE = "회원 탈퇴하겠습니다."

Row = TypeVar("Row", bound=SQLModel)
MakeDesk = Callable[..., Awaitable["Office"]]


class Tray:
    """Both ways out: keeps what it is handed. `wrong` is raised instead, once for each in the list."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.wrong: list[Exception] = []

    async def send(self, parcel: Parcel) -> None:
        if self.wrong:
            raise self.wrong.pop(0)
        self.parcels.append(parcel)

    def to(self, recipient: str) -> list[Parcel]:
        return [parcel for parcel in self.parcels if parcel.recipient == recipient]


@dataclass
class Office:
    """A desk, its clock, what left it, and the hands that make it work."""

    desk: Desk
    clock: FrozenClock
    folder: Path
    company: str  # the URL of the company's database
    tray: Tray = field(default_factory=Tray)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def mail(
        self,
        sender: str,
        words: str,
        subject: str = "",
        *,
        answers: Parcel | None = None,
        to: str = "",
        auth: str = "pass",
        work: bool = True,
    ) -> None:
        """A mail arrives, by default authenticated; then the desk works until nothing is due."""
        raw = letter(sender, words, subject, answers=answers, to=to, auth=auth, now=self.clock())
        await self.arrives(raw, work=work)

    async def arrives(self, raw: bytes, *, work: bool = True, oversized: bool = False) -> None:
        """The bytes of a mail as the mailbox's door hands them over."""
        key = f"mail:test:1:{next(self._numbers)}"
        await inbox.keep(
            self.desk, [Raw(Door.MAIL, key, "mail:test", self.clock(), raw, oversized)]
        )
        if work:
            await self.work()

    async def chat(self, user: int, words: str = "", *, button: str = "", lang: str = "ko") -> None:
        """A member writes to the bot, or presses a button."""
        body = self._update(user, words, button, lang)
        key = f"telegram:1:{next(self._numbers)}"
        await inbox.keep(
            self.desk,
            [Raw(Door.TELEGRAM, key, f"telegram:{user}", self.clock(), json.dumps(body).encode())],
        )
        await self.work()

    def _update(self, user: int, words: str, button: str, lang: str) -> dict[str, Any]:
        person = {"id": user, "is_bot": False, "first_name": "P", "language_code": lang}
        message = {
            "message_id": next(self._numbers),
            "date": int(self.clock().timestamp()),
            "chat": {"id": user, "type": "private", "first_name": "P"},
            "from": person,
            "text": words,
        }
        if not button:
            return {"update_id": next(self._numbers), "message": message}
        query = {"id": "1", "from": person, "message": message, "data": button}
        return {"update_id": next(self._numbers), "callback_query": query}

    async def work(self) -> None:
        """Everything that is due now, until nothing is."""
        while (
            await inbox.once(self.desk, PARSERS)
            + await tasks.once(self.desk)
            + await outbox.once(self.desk, self.senders)
        ):
            pass

    @property
    def senders(self) -> outbox.Senders:
        return {Door.MAIL: self.tray, Door.TELEGRAM: self.tray, Door.SMS: self.tray}

    def last(self, recipient: str) -> Parcel:
        """The newest letter to an address or a chat."""
        return self.tray.to(str(recipient))[-1]

    async def all(self, table: type[Row], *where: ColumnElement[bool] | bool) -> list[Row]:
        """Rows in the order of their keys."""
        async with self.desk.db.read() as session:
            rows = await session.exec(select(table).where(*where).order_by(text("1")))
            return list(rows)

    async def request(self) -> Request:
        """The newest request."""
        return (await self.all(Request))[-1]

    async def state(self) -> str:
        return (await self.request()).state

    async def holds(self) -> list[Hold]:
        """Those in force."""
        return [hold for hold in await self.all(Hold) if hold.ended_revision is None]

    async def letters(self) -> list[str]:
        """The names of all letters that were queued, in order."""
        return [row.letter for row in await self.all(Outbox)]

    async def conversation(self) -> Conversation:
        return (await self.all(Conversation))[-1]

    async def messages(self) -> list[Message]:
        return await self.all(Message)

    async def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Straight into the company's database, behind the desk's back."""
        engine = open_engine(self.company)
        try:
            async with engine.begin() as connection:
                done = await connection.execute(text(statement), values)
                return [tuple(row) for row in done] if done.returns_rows else []
        finally:
            await engine.dispose()

    async def close(self) -> None:
        await self.desk.registry.close()
        await self.desk.db.dispose()
        self.desk.vault.close()


def letter(
    sender: str,
    words: str,
    subject: str = "",
    *,
    answers: Parcel | None = None,
    to: str = "",
    auth: str = "pass",
    now: datetime = NOW,
) -> bytes:
    """A mail as the company's border server leaves it. `answers` is a letter of ours."""
    mail = EmailMessage()
    domain = sender.rpartition("@")[2]
    if auth:
        mail["Authentication-Results"] = f"{SERVER}; dmarc={auth} header.from={domain}"
    mail["From"] = sender
    mail["To"] = to or (answers.reply_to if answers else "") or DESK
    mail["Subject"] = subject or (f"Re: {answers.subject}" if answers else "")
    mail["Message-ID"] = make_msgid(domain="mail.test")
    mail["Date"] = format_datetime(now)
    if answers:
        mail["In-Reply-To"] = answers.message_id
    mail.set_content(words)
    return mail.as_bytes()


def code_in(parcel: Parcel) -> str:
    """The one-time code that a letter carries."""
    found = CODE.search(parcel.text)
    assert found is not None, "the letter has no code"
    return found[0]


def stop_token(parcel: Parcel) -> str:
    """The token of the stop link in a letter."""
    found = STOP.search(parcel.text)
    assert found is not None, "the letter has no stop link"
    return found[1]


def agent(number: int = 1) -> Actor:
    """One of the three agents of every test desk."""
    return audit.agent(number)


@pytest.fixture(scope="session")
def sample_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture(scope="session")
def company_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company's SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("company") / "company.db"

    async def make() -> None:
        engine = open_engine(f"sqlite:///{path}")
        await fill(engine, NOW, PEOPLE)
        await engine.dispose()

    asyncio.run(make())
    return path


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite desk with three agents, to be copied."""
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    asyncio.run(_new_desk(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite desk with nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "desk.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await migrate(database)
        await database.dispose()

    asyncio.run(make())
    return path


@pytest.fixture(scope="session")
def postgres_desk(postgres: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL desk with three agents, shared by the tests of a worker."""
    name = f"desk{os.getpid()}"
    createdb(postgres, name)
    asyncio.run(_new_desk(f"{postgres}/{name}"))
    yield f"{postgres}/{name}"


async def _new_desk(url: str) -> None:
    database = Database(url)
    await migrate(database)
    async with database.write() as session:
        for login, name in AGENTS:
            session.add(Agent(login=login, name=name, password_hash="!", made_at=NOW))
    await database.dispose()


@pytest.fixture
async def make_desk(
    desk_template: Path, company_template: Path, sample_map: DataMap, tmp_path: Path
) -> AsyncIterator[MakeDesk]:
    """`await make_desk()` gives an Office on new SQLite files; `url=` puts it on another database.

    `data_map=` is another map of the same company; with `sms` text messages leave as well.
    """
    made: list[Office] = []

    async def make(
        url: str = "", at: datetime = NOW, data_map: DataMap | None = None, *, sms: bool = False
    ) -> Office:
        folder = tmp_path / f"desk{len(made)}"
        folder.mkdir()
        shutil.copy(company_template, folder / "company.db")
        if not url:
            shutil.copy(desk_template, folder / "desk.db")
            url = f"sqlite+aiosqlite:///{folder / 'desk.db'}"
        office = office_in(folder, url, data_map or sample_map, FrozenClock(at))
        office.desk = replace(office.desk, manner=replace(office.desk.manner, sms=sms))
        made.append(office)
        return office

    yield make
    for office in made:
        await office.close()


def known_words(data_map: DataMap) -> Vocabulary:
    """The vocabulary of a map, made once for each."""
    words = vocabulary_words(data_map)
    return _vocabulary(tuple(words.items()))


@cache
def _vocabulary(words: tuple[tuple[str, tuple[str, ...]], ...]) -> Vocabulary:
    return Vocabulary(dict(words))


def office_in(folder: Path, url: str, data_map: DataMap, clock: FrozenClock) -> Office:
    """A desk on the files of a folder, with a new key ring."""
    company = f"sqlite:///{folder / 'company.db'}"
    database = Database(url)
    zone = regime_named("kr-pipa").tz
    engines = open_engines(data_map, {"members": company}, PATIENCE)
    vault = Vault(KeyRing.generate(), KeyStore(folder / "keys.db"))
    archive = Archive(
        open_engine(f"sqlite:///{folder / 'archive.db'}", PATIENCE),
        vault,
        clock,
        data_map.registry,
        PATIENCE,
    )
    desk = Desk(
        db=database,
        vault=vault,
        clock=clock,
        data_map=data_map,
        registry=Registry(
            data_map, engines, clock=clock, zone=zone, archive=archive, seconds=PATIENCE
        ),
        gate=Gate(database, data_map, clock),
        vocabulary=known_words(data_map),
        manner=Manner(address=DESK, public_url="https://privacy.moment-pick.example"),
    )
    return Office(desk, clock, folder, company)


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a migrated PostgreSQL desk that nobody is connected to, to be copied."""
    name = f"template{os.getpid()}"
    createdb(postgres, name)
    asyncio.run(_new_desk(f"{postgres}/{name}"))
    return name


@pytest.fixture
async def texting(make_desk: MakeDesk) -> Office:
    """One desk on SQLite from which text messages leave as well."""
    return await make_desk(sms=True)


@pytest.fixture
async def office(make_desk: MakeDesk, desk_url: str) -> Office:
    """One desk, its clock at NOW; the test runs on SQLite and on PostgreSQL."""
    return await make_desk(url=desk_url)
