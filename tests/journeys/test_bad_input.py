"""Bad input, as a table: what came in, who is told, in which words, and the next state.

Whatever it was, the request is still there: the last column of each table is what opens it after all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from desks import CORRECT, NEW_ADDRESS, PARSERS, Office, code_in, letter
from servers import free_port

from subjectline.handlers import inbox
from subjectline.handlers.registry import Registry, open_engines
from subjectline.intake.listening import bind
from subjectline.intake.sandbox.company import MAP
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.intake.setup import make_desk
from subjectline.models.errors import RegistryAway, SettingsError, SubjectlineError
from subjectline.models.keys import KeyRing
from subjectline.models.settings import Settings, load_settings
from subjectline.models.tables import Message, MessageFile, RawInbox, Request

ME = KO_MEMBER.email
NUMBER = "900101-2345678"


# What members send


@dataclass(frozen=True)
class Row:
    """One line of the table. `member` and `agent`: what each is told; `mends`: what opens it."""

    first: str  # the member's first mail
    then: str  # their answer that cannot be taken
    member: tuple[str, ...]
    state: str
    mends: str
    after: str


VALUES = {
    "31 February": Row(
        "제 생년월일을 고쳐 주세요.",
        "1990년 2월 31일",
        ("달력에 없는 날짜입니다", "요청은 그대로 남아"),
        "waiting",
        "1990년 2월 28일",
        "waiting",  # then a paper is asked for: a birth date needs one
    ),
    "31 February in English": Row(
        "Please correct my date of birth.",
        "31 February 1990",
        ("There is no such day in the calendar", "Your request is still"),
        "waiting",
        "28 February 1990",
        "waiting",
    ),
    "a letter in a phone number": Row(
        "휴대전화번호를 바꿔 주세요.",
        "010-12a4-5678",
        ("숫자가 아닌 글자", "요청은 그대로 남아"),
        "waiting",
        "010-0000-4321",
        "open",  # an agent calls the new number first
    ),
    "a letter in a phone number, in English": Row(
        "Please change my phone number.",
        "010-12a4-5678",
        ("something other than digits", "Your request is still"),
        "waiting",
        "010-0000-4321",
        "open",
    ),
    "nothing but a document": Row(
        "배송지를 바꿔 주세요.", "", ("어떤 내용으로",), "waiting", NEW_ADDRESS, "proposed"
    ),
}


@pytest.mark.parametrize("row", VALUES.values(), ids=VALUES)
async def test_a_value_that_cannot_be_taken(office: Office, row: Row) -> None:
    await office.mail(ME, row.first)
    await office.mail(ME, "네", answers=office.last(ME))
    asked = len(office.tray.to(ME))
    await office.arrives(
        with_document(row.then, office) if not row.then else answer(row.then, office)
    )
    assert await office.state() == row.state
    assert len(office.tray.to(ME)) == asked + 1
    for words in row.member:
        assert words in office.last(ME).text.replace("\n", " ")
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    await office.mail(ME, row.mends, answers=office.last(ME))
    assert await office.state() == row.after
    assert len(await office.all(Request)) == 1


def answer(words: str, office: Office) -> bytes:
    return letter(ME, words, answers=office.last(ME), now=office.clock())


def with_document(words: str, office: Office) -> bytes:
    """An answer whose only content is a file."""
    mail = EmailMessage()
    parcel = office.last(ME)
    mail["Authentication-Results"] = "border.test; dmarc=pass header.from=mail.test"
    mail["From"], mail["To"], mail["Subject"] = ME, parcel.reply_to, f"Re: {parcel.subject}"
    mail["Message-ID"], mail["In-Reply-To"] = "<document@mail.test>", parcel.message_id
    mail.add_attachment(
        b"%PDF-1.4 invented", maintype="application", subtype="pdf", filename="a.pdf"
    )
    return mail.as_bytes()


async def test_a_document_is_kept_for_the_agent(office: Office) -> None:
    await office.mail(ME, "배송지를 바꿔 주세요.")
    await office.mail(ME, "네", answers=office.last(ME))
    await office.arrives(with_document("", office))
    [file] = await office.all(MessageFile)
    assert office.desk.vault.open(file.content) == b"%PDF-1.4 invented"  # type: ignore[arg-type]


async def test_a_document_before_any_request(office: Office) -> None:
    mail = letter(ME, "x", "서류").replace(b"\n\nx", b"\n\n")
    await office.arrives(mail)
    assert (await office.conversation()).state == "unsorted"  # an agent looks at it
    assert await office.all(Request) == []


async def test_a_code_tried_five_times(office: Office) -> None:
    await office.mail(ME, CORRECT)
    wrong = f"{(int(code_in(office.last(ME))) + 1) % 10**6:06d}"
    told = []
    for _ in range(5):
        await office.mail(ME, wrong)
        told.append(office.last(ME).text)
    for words, left in zip(told, (4, 3, 2, 1), strict=False):
        assert "확인번호가 맞지 않습니다" in words and f"{left}번 더" in words
    assert "확인번호:" in told[-1]  # the fifth brings a new code
    assert await office.state() == "verifying"
    await office.mail(ME, code_in(office.last(ME)))
    assert await office.state() == "proposed"


async def test_an_unknown_member(office: Office) -> None:
    """The same letter first; the lawful answer, signed by an agent, after the proof."""
    from desks import agent

    from subjectline.handlers import decisions
    from subjectline.models.tables import Proposal

    stranger = "nobody@elsewhere.test"
    await office.mail(stranger, CORRECT)
    await office.mail(stranger, "네", answers=office.last(stranger))
    assert await office.state() == "proposed"
    [proposal] = await office.all(Proposal)
    for number in range(1, proposal.needs + 1):
        await decisions.approve(office.desk, proposal.sha256, agent(number))
    await office.work()
    assert await office.state() == "refused"
    assert "보관하고 있는 정보가 없" in office.last(stranger).text.replace("\n", " ")
    assert await office.holds() == []


async def test_a_resident_number(office: Office) -> None:
    await office.mail(ME, f"주민번호 {NUMBER} 확인하시고 {CORRECT}")
    first, second = office.tray.to(ME)
    assert "주민등록번호" in first.text and NUMBER not in first.text
    assert "확인번호:" in second.text and await office.state() == "verifying"
    message = (await office.messages())[0]
    assert "●●●●●●-●●●●●●●" in office.desk.vault.text(message.text)


async def test_a_mail_of_thirty_megabytes(office: Office) -> None:
    """The door fetches its header alone; the member is told, an agent sees it."""
    header = letter(ME, "x").partition(b"\n\n")[0] + b"\n\n"
    await office.arrives(header, oversized=True)
    [told] = office.tray.to(ME)
    assert "너무 커서" in told.text
    message = (await office.all(Message))[0]
    assert message.waits and message.rule == "oversized"
    assert (await office.conversation()).state == "unsorted"
    await office.mail(ME, CORRECT, answers=told)
    assert await office.state() == "verifying"


async def test_a_machine_with_thirty_megabytes_is_not_answered(office: Office) -> None:
    header = letter("mailer-daemon@mail.test", "x", "Undelivered Mail Returned to Sender")
    robot = header.partition(b"\n\n")[0] + b"\nAuto-Submitted: auto-replied\nReturn-Path: <>\n\n"
    await office.arrives(robot, oversized=True)
    assert office.tray.parcels == []


async def test_the_registry_cannot_be_reached(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said and nothing is lost; the mail waits and goes on when it is back."""
    monkeypatch.setattr(inbox, "AWAY", 0.001)

    async def away(*_: object) -> list[str]:
        raise RegistryAway("the members database is away")

    with monkeypatch.context() as gone:
        gone.setattr(office.desk.registry, "find_all", away)
        await office.mail(ME, CORRECT)
    assert office.tray.parcels == []
    assert [row.state for row in await office.all(RawInbox)] == ["new"]
    await office.work()
    assert await office.state() == "verifying"


async def test_what_nobody_can_read(office: Office) -> None:
    await office.arrives(b"")
    [row] = await office.all(RawInbox)
    assert row.state == "dead" and await office.all(Request) == []
    assert await inbox.once(office.desk, PARSERS) == 0  # it keeps nobody up


# What operators set

GOOD = """
[desk]
address = "privacy@moment-pick.test"
data_dir = "{home}"
[registry]
map = "{map}"
[registry.urls]
members = "sqlite:///{home}/company.db"
[[mailboxes]]
host = "127.0.0.1"
user = "privacy"
password = "secret"
[smtp]
host = "127.0.0.1"
from_address = "privacy@moment-pick.test"
"""


def edited(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown key": (edited(("[desk]", "[desk]\ncolour = 1")), ("desk.colour", "not permitted")),
    "unknown section": (GOOD + "\n[desks]\na = 1\n", ("desks",)),
    "no registry": (
        edited(("[registry]\nmap", "[other]\nmap"), ("[registry.urls]", "[x]")),
        ("registry",),
    ),
    "no way out": (GOOD.partition("[smtp]")[0], ("no [smtp]",)),
    "a port that is none": (
        edited(('user = "', 'port = 99999\nuser = "')),
        ("mailboxes.0.port", "65535"),
    ),
    "a password in the clear": (
        edited(('[smtp]\nhost = "127.0.0.1"', '[smtp]\nhost = "smtp.example.com"\ntls = "none"')),
        ("in the clear", "tls"),
    ),
    "a secret's file is missing": (
        edited(('password = "secret"', 'password_file = "/nowhere/imap"')),
        ("mailboxes", "cannot be read"),
    ),
    "a secret's command fails": (
        edited(('password = "secret"', 'password_command = "false"')),
        ("did not print a secret",),
    ),
    "not TOML": ("[desk\n", ("not TOML",)),
}


@pytest.mark.parametrize(("text", "words"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_is_wrong(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    """One sentence that names the field; never a secret."""
    file = tmp_path / "subjectline.toml"
    file.write_text(text.replace("{home}", str(tmp_path)).replace("{map}", str(MAP)))
    with pytest.raises(SettingsError) as told:
        load_settings(file)
    for word in words:
        assert word in str(told.value)
    assert "secret" not in str(told.value).replace("a secret", "") and "\n" not in str(told.value)


def test_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        load_settings(tmp_path / "nothing.toml")
    assert "there is no" in str(told.value) and "settings --example" in told.value.remedy


def good(home: Path, text: str = GOOD) -> Settings:
    file = home / "subjectline.toml"
    file.write_text(text.replace("{home}", str(home)).replace("{map}", str(MAP)))
    return load_settings(file)


def without_ring(home: Path) -> None:
    make_desk(good(home))


def open_ring(home: Path) -> None:
    KeyRing.generate().save(home / "keyring.json")
    (home / "keyring.json").chmod(0o644)
    make_desk(good(home))


def without_map(home: Path) -> None:
    KeyRing.generate().save(home / "keyring.json")
    make_desk(good(home, GOOD.replace("{map}", "{home}/none.yaml")))


def elsewhere(home: Path) -> None:
    KeyRing.generate().save(home / "keyring.json")
    make_desk(good(home, GOOD + '[database]\nurl = "mysql://x/y"\n'))


STARTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "no key ring": (without_ring, ("no key ring", "subjectline keys init")),
    "a key ring open to others": (open_ring, ("can be read by others", "chmod 600")),
    "no map": (without_map, ("none.yaml",)),
    "another database": (elsewhere, ("SQLite or PostgreSQL",)),
}


@pytest.mark.parametrize(("start", "words"), STARTS.values(), ids=STARTS)
def test_a_desk_that_cannot_start(
    tmp_path: Path, start: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    with pytest.raises(SubjectlineError) as told:
        start(tmp_path)
    for word in words:
        assert word in str(told.value)


def test_a_busy_port_names_the_way_out() -> None:
    port = free_port()
    with bind("127.0.0.1", port), pytest.raises(SettingsError) as told:
        bind("127.0.0.1", port)
    assert str(port) in told.value.rule and f"PORT={port + 1}" in told.value.remedy


async def test_a_registry_server_that_is_not_there(office: Office) -> None:
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/members"
    data_map = office.desk.data_map
    registry = Registry(data_map, open_engines(data_map, {"members": url}))
    with pytest.raises(RegistryAway) as told:
        await registry.find("email", ME)
    await registry.close()
    assert "nobody@" not in str(told.value) and ME not in str(told.value)
