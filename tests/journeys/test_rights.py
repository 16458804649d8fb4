"""Each right, in both languages, on a company in two databases, SQLite and PostgreSQL.

Members write mails to the real mailbox, two agents sign. Then the databases themselves are judged: every
cell of both is compared with what it was, so that nothing else has changed, of anybody.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from cells import KEPT, NEW, Before, corrected, gone, left, put, theirs
from desks import (
    ACCESS,
    ACCESS_EN,
    CORRECT,
    CORRECT_EN,
    LEAVE,
    MARKETING,
    NEW_ADDRESS,
    NOW,
    THIRD_PARTY,
)
from pairs import Cell, Pair, Pairs, cast, changed
from pydantic import SecretStr
from servers import free_port
from sqlmodel import select
from worlds import Journey, reply, running

from subjectline.handlers import audit, deadlines, decisions, words
from subjectline.handlers.decisions import AgentDraft
from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.people import OTHER_MEMBER, Person
from subjectline.intake.sandbox.world import make_world
from subjectline.models.clock import MovableClock
from subjectline.models.errors import NotPermitted
from subjectline.models.settings import RegistrySection
from subjectline.models.tables import Agent, Hold, Outbox, Request

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[Before, Person], set[Cell]]


# What a right changes


def nothing(before: Before, who: Person) -> set[Cell]:
    return set()


def no_marketing(before: Before, who: Person) -> set[Cell]:
    off = {"marketing_email": False, "marketing_sms": False, "marketing_changed_at": "now"}
    return put(before, who, "member_consent", off) | gone(before, who, "mailing_list")


def no_third_party(before: Before, who: Person) -> set[Cell]:
    off = {"third_party": False, "third_party_changed_at": "now"}
    return put(before, who, "member_consent", off)


def erased(before: Before, who: Person) -> set[Cell]:
    """The nickname: in the member's row, on the advertising list, on every offer, also closed ones."""
    return (
        put(before, who, "member", {"nickname": None})
        | put(before, who, "mailing_list", {"nickname": None})
        | put(before, who, "sale_listing", {"seller_nickname": None})
    )


@dataclass(frozen=True)
class Right:
    """What a member writes, what comes of it, and what the letter says, in both languages."""

    kind: str
    ko: str
    en: str
    law: str  # the article of PIPA, or of another law
    told: tuple[str, str]
    change: Change = nothing
    hold: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None
    archived: bool = False


BUT_LAW = ("basis:consent", "basis:contract", "basis:legitimate")
RIGHTS = {
    "access": Right("access", ACCESS, ACCESS_EN, "35", ("보안 페이지", "secure page")),
    "portability": Right(
        "portability",
        "개인정보 전송을 요구합니다.",
        "I want to exercise my right to data portability.",
        "35",
        ("내려받", "download"),
    ),
    "correction": Right("correction", CORRECT, CORRECT_EN, "36", (NEW["ko"], NEW["en"]), corrected),
    "marketing": Right(
        "marketing_withdrawal",
        MARKETING,
        "I withdraw my consent to marketing emails.",
        "50",
        ("광고를 보내지 않습니다", "advertising"),
        no_marketing,
        ("standing", ("*",), ("consent:marketing",)),
    ),
    "third party": Right(
        "third_party_withdrawal",
        THIRD_PARTY,
        "I withdraw my consent to giving my data to third parties.",
        "37",
        ("콘텐츠 구매 회원", "Content purchasing member"),
        no_third_party,
        ("standing", ("*",), ("consent:third_party",)),
    ),
    "leaving": Right(
        "membership_withdrawal",
        LEAVE,
        "Please close my account.",
        "37",
        ("전자금융거래법", "Electronic Financial Transactions Act"),
        left,
        ("standing", ("*",), BUT_LAW),
        archived=True,
    ),
    "erasure of an item": Right(
        "erasure",
        "닉네임을 삭제해 주세요.",
        "Please delete my nickname.",
        "36",
        ("닉네임", "nickname"),
        erased,
        ("standing", ("nickname",), BUT_LAW),
    ),
    "erasure of everything": Right(
        "erasure",
        "제 개인정보를 모두 삭제해 주세요.",
        "Please erase all of my personal data.",
        "36",
        ("전자금융거래법", "Electronic Financial Transactions Act"),
        left,
        ("standing", ("*",), BUT_LAW),
        archived=True,
    ),
    "suspension": Right(
        "suspension",
        "제 휴대전화번호의 처리를 정지해 주세요.",
        "Please stop processing my phone number.",
        "37",
        ("휴대전화번호", "phone number"),
        hold=("standing", ("phone",), ("*",)),
    ),
}
BOTH = pytest.mark.parametrize("tongue", ["ko", "en"])
YES = {"ko": "네", "en": "yes"}


@dataclass
class Place:
    """A running desk over one company; every test takes a member whom nobody else had."""

    journey: Journey
    pair: Pair
    members: dict[str, list[Person]]

    def somebody(self, tongue: str) -> Person:
        return self.members[tongue].pop()

    async def asks(self, who: Person, words: str, first: int = 0) -> Request:
        """A member asks, and says yes to whatever is asked, until something waits for agents."""
        seen, version = self.journey.count(who), -1
        await self.journey.mail(who, words)
        while (request := await self._next(version)).state in ("verifying", "waiting"):
            version = request.version
            place = seen + (0 if request.state == "verifying" else 2)
            letter = await self.journey.next_mail(who, place)
            answer = reply(who, YES[who.language], letter)
            await self.journey.world.mail.deliver(*answer, "pass")
        return request

    async def _next(self, version: int) -> Request:
        """The newest request, once it rests in a version after this one."""

        async def look() -> Request | None:
            newest = (await self.journey.requests())[-1]
            resting = newest.state in ("verifying", "waiting", "proposed")
            by_hand = newest.kind == "objection" and newest.state == "open"
            return newest if (resting or by_hand) and newest.version > version else None

        return await self.journey.commits.until(look)

    async def signed(self, who: Person, *agents: int) -> tuple[Request, SandboxMail]:
        """Agents sign what is proposed; the decided request and the letter about it."""
        reference = (await self.journey.requests())[-1].reference
        await self.journey.approve(*agents)

        async def look() -> Request | None:
            newest = (await self.journey.requests())[-1]
            return newest if newest.state in ("done", "refused") else None

        request = await self.journey.commits.until(look)
        mail = self.journey.world.mail
        wanted = ("done", "partial", "refused")
        assert request.reference == reference
        async with self.journey.world.desk.db.read() as session:
            rows = await session.exec(
                select(Outbox).where(Outbox.request_id == request.id, Outbox.letter.in_(wanted))  # type: ignore[attr-defined]
            )
            [letter] = list(rows)
        found = await mail.wait_for(who.email, lambda m: m.message_id == letter.rfc_message_id, 20)
        return request, found

    async def answers(self, request: Request, wish: AgentDraft) -> str:
        """The first agent writes another answer than the desk's; its SHA-256."""
        office, number, version = self.journey.world.desk, request.id or 0, request.version
        if request.state == "proposed":
            await decisions.send_back(office, number, version, audit.agent(1), "another answer")
            version += 1
        return await decisions.propose(office, number, version, audit.agent(1), wish)

    async def holds(self, request: Request) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        async with self.journey.world.desk.db.read() as session:
            rows = await session.exec(
                select(Hold).where(Hold.request_id == request.id, Hold.ended_revision == None)  # noqa: E711
            )
            return [(hold.kind, tuple(hold.fields), tuple(hold.purposes)) for hold in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(pairs: Pairs, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One desk for all tests of a kind of database. Its clock runs from NOW on."""
    folder, port, started = tmp_path_factory.mktemp("rights"), free_port(), datetime.now(UTC)
    pair = pairs.make(folder)
    urls = {name: SecretStr(url) for name, url in pair.urls.items()}
    clock = MovableClock(lambda: NOW + (datetime.now(UTC) - started))
    world = await make_world(folder, port, clock, RegistrySection(map=pair.map, urls=urls))
    async with world.desk.db.write() as session:
        for login in ("jiho", "noor"):
            session.add(Agent(login=login, name=login.title(), password_hash="!", made_at=NOW))
    async with running(world, port) as journey:
        yield Place(journey, pair, cast())


@BOTH
@pytest.mark.parametrize("right", RIGHTS.values(), ids=RIGHTS)
async def test_a_right(desk: Place, right: Right, tongue: str) -> None:
    who = desk.somebody(tongue)
    before = await desk.pair.whole()
    request = await desk.asks(who, getattr(right, tongue))
    assert changed(before, await desk.pair.whole()) == set()  # before an agent has signed
    request, letter = await desk.signed(who)
    assert (request.kind, request.state, request.language) == (right.kind, "done", tongue)
    assert the_time(changed(before, await desk.pair.whole())) == right.change(before, who)
    assert await desk.holds(request) == ([right.hold] if right.hold else [])
    kept = {t: len(theirs(before, who, t)) for t in KEPT} if right.archived else {}
    assert await desk.pair.archived(who.member) == kept
    says_so(letter, request, right, tongue)
    if right.kind in ("access", "portability"):
        page = await desk.journey.open_page(letter.text)
        assert who.email in page and who.phone in page and OTHER_MEMBER.email not in page


def the_time(cells: set[Cell]) -> set[Cell]:
    """A time that was written is `now`: it is known to the second only."""
    return {
        (at, key, column, "now" if column.endswith("_at") and value else value)
        for at, key, column, value in cells
    }


def says_so(letter: SandboxMail, request: Request, right: Right, tongue: str) -> None:
    """Reference, result, law and date, in the member's language, in both bodies of the mail."""
    today = words.day(NOW.date(), tongue)
    article = f"제{right.law}조" if tongue == "ko" else f"Articles? {right.law}"
    for body in (" ".join(letter.text.split()), " ".join(letter.html.split())):
        for needed in (request.reference, today, right.told[tongue == "en"]):
            assert needed in body, needed
        assert re.search(article, body)
    assert ("알려" in letter.text or "습니다" in letter.text) is (tongue == "ko")


REFUSE = {
    "ko": "제 닉네임을 조용한 항구로 바꿔 주세요.",
    "en": "Please change my nickname to quiet harbour.",
}
OBJECT = {
    "ko": "거절하신 결정에 이의를 제기합니다.",
    "en": "I object to your decision to refuse my request.",
}
NOTE = {"ko": "다른 회원이 쓰는 닉네임입니다.", "en": "Another member has this nickname."}
AGAIN = {"ko": "다시 살펴보고 바꾸기로 했습니다.", "en": "We looked again and will change it."}


@BOTH
async def test_an_objection_after_a_refusal(desk: Place, tongue: str) -> None:
    """The refusal ends the hold, the objection brings it back, and other agents decide it."""
    who, office = desk.somebody(tongue), desk.journey.world.desk
    before = await desk.pair.whole()
    first = await desk.asks(who, REFUSE[tongue])
    ground = next(iter(deadlines.refusal_grounds("kr-pipa", "correction")))
    await desk.answers(first, AgentDraft("refuse", ground, NOTE[tongue]))
    refused, letter = await desk.signed(who, 1, 2)
    assert refused.state == "refused" and await desk.holds(refused) == []
    assert refused.reference in letter.text and NOTE[tongue] in letter.text.replace("\n", " ")
    objection = await desk.asks(who, OBJECT[tongue])
    assert (objection.kind, objection.follows_id) == ("objection", refused.id)
    [held] = await desk.holds(objection)
    assert held[:2] == ("firm", ("nickname",))
    sha256 = await desk.answers(objection, AgentDraft(note=AGAIN[tongue]))
    with pytest.raises(NotPermitted):
        await decisions.approve(office, sha256, audit.agent(1))
    done, letter = await desk.signed(who, 3, 4)
    assert (done.state, await desk.holds(done)) == ("done", [])
    assert AGAIN[tongue] in letter.text.replace("\n", " ") and done.reference in letter.text
    assert changed(before, await desk.pair.whole()) == set()


async def test_a_correction_by_chat(desk: Place) -> None:
    """The chat's door, with both databases behind it."""
    who, chat = desk.somebody("ko"), 7001
    before = await desk.pair.whole()
    desk.journey.world.telegram.user(chat, "Member", "ko")
    asked = desk.journey.says(chat, CORRECT)
    proof = await desk.journey.linked(chat, who, asked, "이메일 주소를 적어")
    await desk.journey.hears(chat, proof, NEW_ADDRESS[-4:])
    after = desk.journey.says(chat, "네")
    await desk.journey.approve()
    request = await desk.journey.request("done")
    await desk.journey.hears(chat, after, request.reference)
    assert changed(before, await desk.pair.whole()) == corrected(before, who)


async def test_a_withdrawal_by_chat(desk: Place) -> None:
    who, chat, right = desk.somebody("en"), 7002, RIGHTS["third party"]
    before = await desk.pair.whole()
    desk.journey.world.telegram.user(chat, "Member", "en")
    after = await desk.journey.linked(chat, who, desk.journey.says(chat, right.en), "email address")
    await desk.journey.approve()
    request = await desk.journey.request("done")
    await desk.journey.hears(chat, after, request.reference)
    assert the_time(changed(before, await desk.pair.whole())) == no_third_party(before, who)
    assert await desk.holds(request) == [right.hold]
