"""What is kept of files, who is told, what the scanner does, and how an agent opens one."""

import logging
from dataclasses import replace
from email.message import EmailMessage

import pytest
from desks import DESK, Office, agent
from scanner import fake_clamd
from sqlmodel import select

from subjectline.handlers import attachments, opaque, scanning
from subjectline.handlers.senders.clamd import EICAR, Clamd
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, NotPermitted, ScannerAway, StaleMove
from subjectline.models.files import FileSettings
from subjectline.models.tables import Audit, MessageFile

ME = KO_MEMBER.email
NUMBER = "900101-2345678"
KILO = 1024


def with_files(
    *files: tuple[str, bytes], words: str = "배송지를 바꿔 주세요.", n: int = 1
) -> bytes:
    mail = EmailMessage()
    mail["Authentication-Results"] = "border.test; dmarc=pass header.from=mail.test"
    mail["From"], mail["To"], mail["Subject"] = ME, DESK, "요청"
    mail["Message-ID"] = f"<files{n}@mail.test>"
    mail.set_content(words)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def small(office: Office, **limits: int | str) -> None:
    """The desk with other limits."""
    files = FileSettings(max_file_bytes=2 * KILO, max_all_bytes=5 * KILO, max_files=4)
    made = FileSettings(**{**files.model_dump(), **limits})
    office.desk = replace(office.desk, files=made)


async def row(office: Office) -> MessageFile:
    [found] = await office.all(MessageFile)
    return found


def handle(office: Office, file: MessageFile) -> str:
    return opaque.hide(office.desk.vault, "message_file", file.id or 0)


async def actions(office: Office) -> list[tuple[str, str]]:
    async with office.desk.db.read() as session:
        return [(one.action, one.reason) for one in await session.exec(select(Audit))]


async def test_what_is_over_a_limit_is_named_and_its_sender_told_once(office: Office) -> None:
    small(office)
    one = b"\xff\xd8\xff" + b"x" * 1900
    files = [
        ("a.jpg", one),
        ("b.jpg", one * 2),
        ("c.jpg", one),
        ("d.jpg", one),
        ("e.jpg", b"\xff\xd8\xff"),
    ]
    await office.arrives(with_files(*files))
    kept = await office.all(MessageFile)
    assert [(f.apart, f.content is None) for f in kept] == [
        ([], False), (["over_file"], True), ([], False), (["over_all"], True), (["over_count"], True),
    ]  # fmt: skip
    assert [f.size for f in kept] == [len(content) for _, content in files]
    await office.arrives(with_files(("b.jpg", one * 2), n=2))
    assert (await office.letters()).count("files_left_out") == 1
    told = next(p for p in office.tray.to(ME) if "첨부 파일" in p.subject)
    assert "4개까지" in told.text and "b.jpg" not in told.text
    assert await office.state() == "verifying"  # the request itself is not held up


async def test_an_ordinary_file_opens_and_the_audit_says_so(office: Office) -> None:
    await office.arrives(with_files(("a.jpg", b"\xff\xd8\xff")))
    opened = await attachments.open_file(office.desk, handle(office, await row(office)), agent(1))
    assert opened.content == b"\xff\xd8\xff" and not opened.apart
    assert ("download", "") in await actions(office)


async def test_a_dangerous_file_opens_only_on_the_agents_word(office: Office) -> None:
    await office.arrives(with_files(("a.pdf.exe", b"MZ...")))
    file = await row(office)
    assert file.apart == ["double_ending", "program"]
    with pytest.raises(NotPermitted):
        await attachments.open_file(office.desk, handle(office, file), agent(1))
    assert [name for name, _ in await actions(office) if "download" in name] == []
    opened = await attachments.open_file(office.desk, handle(office, file), agent(1), knowing=True)
    assert opened.content == b"MZ..." and opened.apart
    assert ("download_apart", "double_ending,program,") in await actions(office)


async def test_a_file_with_a_resident_number_is_held_and_the_member_told_of_it(
    office: Office,
) -> None:
    await office.arrives(with_files(("명단.csv", f"이름,번호\n홍길동,{NUMBER}\n".encode())))
    assert (await row(office)).apart == ["resident_number"]
    told = next(p for p in office.tray.to(ME) if "주민등록번호" in p.subject)
    assert "첨부 파일에" in told.text and "따로 보관" in told.text


async def test_a_file_is_destroyed_for_good(office: Office) -> None:
    await office.arrives(with_files(("a.txt", NUMBER.encode())))
    where = handle(office, await row(office))
    await attachments.destroy(office.desk, where, agent(1))
    file = await row(office)
    assert file.content is None and file.apart == ["resident_number", "destroyed"]
    with pytest.raises(StaleMove):
        await attachments.destroy(office.desk, where, agent(1))
    with pytest.raises(BadInput):
        await attachments.open_file(office.desk, where, agent(1), knowing=True)
    assert ("destroy_file", "") in await actions(office)


async def test_scanned_after_the_commit_and_infected_for_good(office: Office) -> None:
    async with fake_clamd() as server:
        small(office, clamd=server.where)
        await office.arrives(with_files(("a.jpg", b"\xff\xd8\xff"), ("b.txt", EICAR)))
        assert [f.scan for f in await office.all(MessageFile)] == ["unscanned"] * 2
        assert await scanning.once(office.desk, Clamd(server.settings())) == 2
    clean, bad = await office.all(MessageFile)
    assert (clean.scan, clean.apart) == ("clean", [])
    assert (bad.scan, bad.finding, bad.apart) == (
        "infected", "Win.Test.EICAR_HDB-1", ["infected"],
    )  # fmt: skip
    assert ("quarantine", "Win.Test.EICAR_HDB-1") in await actions(office)
    with pytest.raises(NotPermitted):
        await attachments.open_file(office.desk, handle(office, bad), agent(1), knowing=True)


async def test_while_the_scanner_is_away_files_wait(office: Office) -> None:
    async with fake_clamd() as server:
        small(office, clamd=server.where)
    await office.arrives(with_files(("a.jpg", b"\xff\xd8\xff")))
    with pytest.raises(ScannerAway):
        await scanning.once(office.desk, Clamd(server.settings()))
    file = await row(office)
    assert (file.scan, file.scan_tries) == ("unscanned", 0)
    with pytest.raises(NotPermitted):
        await attachments.open_file(office.desk, handle(office, file), agent(1))
    await attachments.open_file(office.desk, handle(office, file), agent(1), knowing=True)
    assert ("download_apart", "unscanned") in await actions(office)


async def test_a_file_that_the_scanner_falls_over_at_fails_after_five_tries(
    office: Office,
) -> None:
    async with fake_clamd(mode="half") as server:
        small(office, clamd=server.where)
        await office.arrives(with_files(("a.jpg", b"\xff\xd8\xff")))
        scanner = Clamd(server.settings())
        for _ in range(scanning.TRIES - 1):
            with pytest.raises(ScannerAway):
                await scanning.once(office.desk, scanner)
        assert await scanning.once(office.desk, scanner) == 1
    assert ((await row(office)).scan, (await row(office)).scan_tries) == ("failed", 5)


async def test_a_missing_scanner_is_said_at_the_start(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "subjectline"):
        await scanning.run(office.desk, None)
    assert "attachments.clamd is not set" in caplog.text
