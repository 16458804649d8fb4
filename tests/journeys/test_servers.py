"""The same journeys as an operator has them: `subjectline serve` in a process of its own, a Dovecot, a
Postfix sink, the Bot API over HTTP, agents who sign by the console.
"""

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from desks import ACCESS, ACCESS_EN, CORRECT, CORRECT_EN, LEAVE, NEW_ADDRESS, SERVER, letter
from desks import THIRD_PARTY as WITHDRAW
from servers import PASSWORD, Dovecot, SmtpSink, free_port
from worlds import LINK

from subjectline.handlers import agents
from subjectline.handlers.outbox import Parcel
from subjectline.intake.places import places
from subjectline.intake.sandbox.company import MAP
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER, Person
from subjectline.intake.sandbox.telegram_emulator import TOKEN
from subjectline.intake.setup import close_desk, make_desk
from subjectline.models.incoming import Door
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate
from subjectline.models.settings import load_settings

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("site")]

Found = TypeVar("Found")
START = "from subjectline.intake.cli import app; app()"
AGENT_PASSWORD = "a-password-of-the-test"
CODE = re.compile(r"(?<![\dA-Za-z_-])\d{6}(?![\dA-Za-z_-])")
WITHDRAW_EN = "I withdraw my consent to giving my data to third parties."

CONFIG = """
[desk]
address = "privacy@moment-pick.test"
public_url = "http://127.0.0.1:{public}"
data_dir = "{home}"
authserv_ids = ["{server}"]
[registry]
map = "{map}"
[registry.urls]
members = "sqlite:///{home}/company.db"
[[mailboxes]]
host = "127.0.0.1"
port = {imap}
tls = "tls"
ca_file = "{ca}"
user = "{user}"
password = "{password}"
[smtp]
host = "127.0.0.1"
port = {smtp}
tls = "none"
from_address = "privacy@moment-pick.test"
[telegram]
token = "{token}"
base_url = "http://127.0.0.1:{bot}/bot"
base_file_url = "http://127.0.0.1:{bot}/file/bot"
[listen]
public_port = {public}
internal_port = {internal}
"""


async def until(look: Callable[[], Awaitable[Found | None]], seconds: float = 30) -> Found:
    """What `look` finds: other processes tell nobody when something has happened."""
    async with asyncio.timeout(seconds):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.03)


@dataclass
class Site:
    """A running desk and the servers around it."""

    home: Path
    dovecot: Dovecot
    user: str
    sink: SmtpSink
    public: int
    internal: int
    bot: int

    # Mail

    async def writes(
        self, who: Person, words: str, answers: Parcel | None = None, auth: str = "pass"
    ) -> Parcel:
        """A member's mail is delivered; returns the next letter that leaves for them."""
        seen = len(self.letters(who))
        raw = letter(who.email, words, answers=answers, auth=auth)
        await asyncio.to_thread(self.dovecot.deliver, self.user, raw)
        return await self.next_letter(who, seen)

    async def next_letter(self, who: Person, seen: int) -> Parcel:
        async def look() -> Parcel | None:
            found = self.letters(who)
            return found[seen] if len(found) > seen else None

        return await until(look)

    def letters(self, who: Person) -> list[Parcel]:
        return [
            _parcel(who.email, raw) for raw in self.sink.mails() if _recipient(raw) == who.email
        ]

    # Chat

    async def control(self, action: str, **body: Any) -> Any:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.bot}") as line:
            done = await line.post(f"/control/{action}", json=body)
        assert done.status_code == 200, done.text
        return done.json()["result"]

    async def says(self, user: int, words: str) -> int:
        return int((await self.control("say", user=user, text=words))["message_id"])

    async def hears(self, user: int, after: int, *words: str) -> str:
        """The bot's first message after a number with all of these words."""

        async def look() -> str | None:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.bot}") as line:
                answer = await line.get("/control/messages", params={"chat": user, "after": after})
            said = [message.get("text", "") for message in answer.json()["result"]]
            return next((text for text in said if all(word in text for word in words)), None)

        return await until(look)

    async def linked(self, user: int, who: Person, after: int, ask: str) -> int:
        await self.hears(user, after, ask)
        seen = len(self.letters(who))
        await self.says(user, who.email)
        found = CODE.search((await self.next_letter(who, seen)).text)
        assert found is not None
        return await self.says(user, found[0])

    # Agents

    async def sign(self, who: Person, *logins: str) -> str:
        """Agents sign the newest proposal for a member by the console; returns the reference."""
        sha256, reference = await until(lambda: self._proposal(who))
        for login in logins:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.internal}", follow_redirects=True
            ) as browser:
                await _sign_in(browser, login)
                page = await browser.get(f"/requests/{reference}")
                assert sha256 in page.text
                form = {"csrf": _csrf(page.text), "sha256": sha256}
                done = await browser.post(f"/requests/{reference}/approve", data=form)
                assert done.status_code == 200, done.text[-2000:]
        return reference

    async def _proposal(self, who: Person) -> tuple[str, str] | None:
        rows = await asyncio.to_thread(
            self.rows,
            "desk.db",
            "SELECT p.sha256, r.reference FROM proposal p JOIN request r ON r.id = p.request_id"
            " WHERE p.state = 'open' AND r.subject_id = ?",
            who.member,
        )
        return rows[-1] if rows else None

    def rows(self, file: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.home / file)) as database:
            return database.execute(statement, values).fetchall()

    # The company and the member's browser

    async def permits(self, field: str, who: Person, purpose: str, recipient: str) -> bool:
        """Asks the gate over HTTP, as the export does."""
        body = {
            "subject": {"type": "caller", "id": "nightly-export"},
            "action": {"name": purpose},
            "resource": {
                "type": "member",
                "id": who.member,
                "properties": {"fields": [field], "recipient": recipient},
            },
        }
        headers = {"Authorization": f"Bearer {(self.home / 'export.key').read_text()}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.internal}") as line:
            answer = await line.post("/access/v1/evaluation", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["decision"])

    async def opens(self, words: str) -> str:
        found = LINK.search(words)
        assert found is not None and f":{self.public}/" in found[0]
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            assert (await browser.get(found[0])).status_code == 200
            pressed = await browser.post(found[0])
        assert pressed.status_code == 200
        return pressed.text


def _recipient(raw: bytes) -> str:
    found = re.search(rb"^X-Rcpt-Args: <([^>]+)>", raw, re.MULTILINE)
    return found[1].decode() if found else ""


def _parcel(email: str, raw: bytes) -> Parcel:
    mail = message_from_bytes(
        raw.partition(b"\n\n")[0] and _without_envelope(raw), policy=policy.default
    )
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("plain",))
    return Parcel(
        Door.MAIL,
        email,
        str(mail["Subject"]),
        str(part.get_content()) if part is not None else "",
        "",
        str(mail["Message-ID"]),
        reply_to=str(mail["Reply-To"]),
    )


def _without_envelope(raw: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    start = next(
        n for n, line in enumerate(lines) if not line.startswith((b"X-", b"Received:", b"\t"))
    )
    return b"".join(lines[start:])


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def _sign_in(browser: httpx.AsyncClient, login: str) -> None:
    page = await browser.get("/sign-in")
    form = {"login": login, "password": AGENT_PASSWORD, "csrf": _csrf(page.text)}
    done = await browser.post("/sign-in", data=form)
    assert done.status_code == 200 and "/sign-in" not in str(done.url)


@contextlib.contextmanager
def process(*command: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield running
        finally:
            running.terminate()
            running.wait(20)


async def furnish(config: Path) -> str:
    """Keys, tables, two agents and one caller of the gate, whose key it returns."""
    from subjectline.handlers import gate_callers

    settings = load_settings(config)
    KeyRing.generate().save(places(settings).ring)
    desk = make_desk(settings)
    await migrate(desk.db)
    for login in ("minji", "alex"):
        await agents.add(desk, login, login.title(), AGENT_PASSWORD, language="en")
    async with desk.db.write() as session:
        key = await gate_callers.add_caller(
            session, "nightly-export", ["delivery"], ["post_office"]
        )
    await close_desk(desk)
    return key


@pytest.fixture(scope="module")
def site(
    dovecot: Dovecot,
    smtp_sink: SmtpSink,
    small_company: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    shutil.copy(small_company, home / "company.db")
    made = Site(home, dovecot, dovecot.new_user(), smtp_sink, free_port(), free_port(), free_port())
    config = home / "subjectline.toml"
    config.write_text(
        CONFIG.format(
            home=home,
            map=MAP,
            server=SERVER,
            imap=dovecot.imaps_port,
            ca=dovecot.ca_file,
            user=made.user,
            password=PASSWORD,
            smtp=smtp_sink.port,
            token=TOKEN,
            bot=made.bot,
            public=made.public,
            internal=made.internal,
        )
    )
    (home / "export.key").write_text(asyncio.run(furnish(config)))
    emulator = (sys.executable, "-m", "subjectline.intake.sandbox.telegram_emulator", str(made.bot))
    serve = (sys.executable, "-c", START, "serve", "--config", str(config))
    with (
        process(*emulator, log=home / "emulator.log"),
        process(*serve, log=home / "serve.log") as desk,
    ):
        asyncio.run(_healthy(made, desk))
        yield made
    log = (home / "serve.log").read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    for person in (KO_MEMBER, EN_MEMBER):
        assert person.email not in log and person.name not in log


async def _healthy(site: Site, desk: "subprocess.Popen[bytes]") -> None:
    async def look() -> bool:
        assert desk.poll() is None, (site.home / "serve.log").read_text()
        async with httpx.AsyncClient() as line:
            try:
                answer = await line.get(f"http://127.0.0.1:{site.internal}/healthz")
            except httpx.TransportError:
                return False
        return answer.status_code == 200

    await until(look)


async def test_a_correction_by_mail(site: Site) -> None:
    who, export = KO_MEMBER, ("shipping_address", KO_MEMBER, "delivery", "post_office")
    assert await site.permits(*export)
    verify = await site.writes(who, CORRECT)
    await site.writes(who, "네", verify)
    assert not await site.permits(*export)
    seen = len(site.letters(who))
    reference = await site.sign(who, "minji")
    done = await site.next_letter(who, seen)
    assert reference in done.text and NEW_ADDRESS in done.text.replace("\n", " ")
    query = "SELECT shipping_address FROM profile WHERE member_id = ?"
    assert site.rows("company.db", query, who.number) == [(NEW_ADDRESS,)]
    assert await site.permits(*export)
    assert len(site.dovecot.mails(site.user, "Processed")) >= 2


async def test_access_by_mail(site: Site) -> None:
    verify = await site.writes(EN_MEMBER, ACCESS_EN)
    await site.writes(EN_MEMBER, "yes", verify)
    seen = len(site.letters(EN_MEMBER))
    await site.sign(EN_MEMBER, "alex")
    page = await site.opens((await site.next_letter(EN_MEMBER, seen)).text)
    assert EN_MEMBER.phone in page and OTHER_MEMBER.email not in page


async def test_leaving_by_mail_takes_two_agents(site: Site) -> None:
    who = OTHER_MEMBER
    verify = await site.writes(who, LEAVE)
    seen = len(site.letters(who))
    await site.writes(who, "네", verify)
    question = await site.next_letter(who, seen + 1)
    seen = len(site.letters(who))
    await asyncio.to_thread(
        site.dovecot.deliver, site.user, letter(who.email, "네", answers=question)
    )
    await site.sign(who, "minji", "alex")
    await site.next_letter(who, seen)
    query = "SELECT status, email FROM member WHERE member_id = ?"
    assert site.rows("company.db", query, who.number) == [("left", None)]


async def test_a_correction_by_chat(site: Site) -> None:
    chat, who = 71, EN_MEMBER
    await site.control("user", user=chat, first_name="Member", language="en")
    asked = await site.says(chat, CORRECT_EN)
    after = await site.linked(chat, who, asked, "email address")
    await site.hears(chat, after, "usan")
    said = await site.says(chat, "yes")
    reference = await site.sign(who, "minji")
    await site.hears(chat, said, reference)
    query = "SELECT shipping_address FROM profile WHERE member_id = ?"
    assert site.rows("company.db", query, who.number) == [("5 Harbour Lane, Busan",)]


async def test_access_and_a_withdrawal_by_chat(site: Site) -> None:
    chat, who = 72, KO_MEMBER
    await site.control("user", user=chat, first_name="Member", language="ko")
    asked = await site.says(chat, ACCESS)
    after = await site.linked(chat, who, asked, "이메일 주소를 적어")
    await site.sign(who, "alex")
    page = await site.opens(await site.hears(chat, after, "/m/"))
    assert who.phone in page and EN_MEMBER.email not in page
    said = await site.says(chat, WITHDRAW)  # the chat is linked: no second code
    reference = await site.sign(who, "minji")
    await site.hears(chat, said, reference)

    async def withdrawn() -> bool:
        query = "SELECT third_party FROM member_consent WHERE member_id = ?"
        rows = await asyncio.to_thread(site.rows, "company.db", query, who.number)
        return rows == [(0,)]

    await until(withdrawn)


async def test_a_withdrawal_by_mail(site: Site) -> None:
    verify = await site.writes(EN_MEMBER, WITHDRAW_EN)
    await site.writes(EN_MEMBER, "yes", verify)
    seen = len(site.letters(EN_MEMBER))
    reference = await site.sign(EN_MEMBER, "minji")
    assert reference in (await site.next_letter(EN_MEMBER, seen)).text
