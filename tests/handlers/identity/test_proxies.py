"""Proxies and guardians: what their papers allow, what they do not, and who can stop them."""

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from desks import ACCESS, CORRECT, DESK, MARKETING, SERVER, MakeDesk, Office, agent

from subjectline.handlers import decisions, opaque, proxies, proxy_papers, stopping, timers
from subjectline.handlers.proxies import Claim, Consent, Scope
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.errors import BadInput, NotPermitted, StaleMove
from subjectline.models.tables import Audit, Hold, Mandate, MessageFile, Request

PROXY = "lawyer@office.test"
PAPER = b"%PDF-1.4 an invented power of attorney"
TODAY = date(2026, 11, 23)
CHILD_BORN, OF_AGE = "2013-03-02", "1988-03-02"


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    """A proxy has written, with a paper, and proven their own address by answering."""
    made = await make_desk()
    await born(made, OF_AGE)
    await write(made, ACCESS)
    return made


async def born(office: Office, day: str) -> None:
    await office.sql("UPDATE member SET birth_date = :day WHERE member_id = 1001", day=day)


async def write(office: Office, words: str) -> Request:
    """A mail of the proxy with a paper, and their yes to our letter."""
    mail = EmailMessage()
    mail["Authentication-Results"] = f"{SERVER}; dmarc=pass header.from=office.test"
    mail["From"], mail["To"], mail["Subject"] = PROXY, DESK, ""
    mail["Message-ID"] = f"<{len(await office.messages())}@office.test>"
    mail.set_content(words)
    mail.add_attachment(PAPER, maintype="application", subtype="pdf", filename="위임장.pdf")
    await office.arrives(mail.as_bytes())
    await office.mail(PROXY, "네", answers=office.last(PROXY))
    request = await office.request()
    assert (request.state in ("open", "proposed"), request.subject_id) == (True, None)
    return request


async def back_to_work(office: Office) -> None:
    """The draft that nothing is held goes back, as an agent does who sees the paper."""
    request = await office.request()
    if request.state == "proposed":
        await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "papers")


def claim(office: Office, **bent: object) -> Claim:
    made = Claim(
        kind="attorney",
        proxy="문보라",
        member="1001",
        scope=Scope(("access", "correction"), ("*",), TODAY + timedelta(days=30)),
        file=opaque.hide(office.desk.vault, "message_file", 1),
        contact_checked="reply",
    )
    return replace(made, **bent)  # type: ignore[arg-type]


def guardian(office: Office, **bent: object) -> Claim:
    consent = Consent("김보호", TODAY - timedelta(days=1), "phone")
    scope = Scope(("access", "correction"))
    return claim(office, **{"kind": "guardian", "consent": consent, "scope": scope} | bent)


async def accepted(office: Office, made: Claim) -> Request:
    """Recorded by one agent and accepted by another; the request that goes on."""
    await back_to_work(office)
    recorded_at = (await office.request()).id or 0
    number = await proxies.record(office.desk, recorded_at, made, agent())
    reference = await proxies.accept(office.desk, number, agent(2))
    await office.work()
    (going,) = await office.all(Request, Request.reference == reference)
    return going


async def test_an_access_within_the_scope_is_the_members(office: Office) -> None:
    first = await office.request()
    going = await accepted(office, claim(office))
    assert (going.level, going.subject_id) == ("document", KO_MEMBER.member)
    assert (going.arrived_at, going.due_on) == (first.arrived_at, first.due_on)
    assert going.state in ("open", "proposed")
    before = (await office.all(Request, Request.id == first.id))[0]
    assert (before.state, before.subject_id) == ("superseded", None)
    assert (await office.conversation()).subject_id is None  # the proxy is not the member
    letter = office.last(KO_MEMBER.email)
    assert "문보라" in letter.text and "/m/" in letter.text and "문보라" not in letter.subject
    said = {row.action: row.subject_id for row in await office.all(Audit) if "proxy" in row.action}
    assert said == dict.fromkeys(("proxy_recorded", "proxy_accepted"), KO_MEMBER.member)
    written = b"".join(p.read_bytes() for p in office.folder.glob("desk.db*"))
    assert "문보라".encode() not in written and PAPER not in written


@pytest.mark.parametrize(
    ("scope", "against"),
    [
        (Scope(("correction",), ("*",), TODAY), "rights"),
        (Scope(("access",), ("shipping_address",), TODAY), "fields"),
    ],
)
async def test_out_of_scope_is_refused(office: Office, scope: Scope, against: str) -> None:
    with pytest.raises(NotPermitted) as wrong:
        await accepted(office, claim(office, scope=scope))
    assert wrong.value.field == against
    assert {r.subject_id for r in await office.all(Request)} == {None}
    assert [m.state for m in await office.all(Mandate)] == ["recorded"]  # nothing half done
    assert not office.tray.to(KO_MEMBER.email)


async def test_later_requests_are_measured_anew(office: Office) -> None:
    """Another right, another field, another writer, and a day too late."""
    scope = Scope(("access", "correction"), ("*",), TODAY + timedelta(days=3))
    await accepted(office, claim(office, scope=scope))
    marketing = await write(office, MARKETING)
    with pytest.raises(NotPermitted) as wrong:
        await proxies.use(office.desk, 1, marketing.id or 0, agent())
    assert wrong.value.field == "rights"
    await office.mail("stranger@elsewhere.test", ACCESS)
    await office.mail("stranger@elsewhere.test", "네", answers=office.tray.parcels[-1])
    with pytest.raises(NotPermitted) as wrong:
        await proxies.use(office.desk, 1, (await office.request()).id or 0, agent())
    assert wrong.value.field == "conversation"
    office.clock.advance(timedelta(days=4))
    late = await write(office, CORRECT)
    await back_to_work(office)
    with pytest.raises(NotPermitted) as wrong:
        await proxies.use(office.desk, 1, late.id or 0, agent())
    assert wrong.value.field == "expires_on"


async def test_a_further_request_needs_the_proxys_own_address(office: Office) -> None:
    """A forged sender gets no further than our letter to the proxy."""
    await accepted(office, claim(office))
    await office.mail(PROXY, CORRECT, auth="fail")
    waiting = await office.request()
    assert waiting.state in ("received", "verifying")
    with pytest.raises(NotPermitted) as wrong:
        await proxies.use(office.desk, 1, waiting.id or 0, agent())
    assert wrong.value.field == "request"
    assert not await office.all(Hold, Hold.subject_id == KO_MEMBER.member)


async def test_the_member_stops_it_and_what_is_open_is_taken_back(office: Office) -> None:
    going = await accepted(office, claim(office))
    assert await proxies.stop(office.desk, 1, agent()) == 1
    assert await proxies.stop(office.desk, 1, agent()) == 0
    (after,) = await office.all(Request, Request.id == going.id)
    assert after.state == "withdrawn"
    later = await write(office, CORRECT)
    await back_to_work(office)
    with pytest.raises(NotPermitted) as wrong:
        await proxies.use(office.desk, 1, later.id or 0, agent())
    assert wrong.value.field == "state"
    assert (await office.conversation()).state == "unsorted"


async def test_what_must_be_said(office: Office) -> None:
    yesterday = TODAY - timedelta(days=1)
    wrongs: dict[str, Claim] = {
        "proxy": claim(office, proxy=" "),
        "kind": claim(office, kind="friend"),
        "rights": claim(office, scope=Scope((), ("*",), TODAY)),
        "fields": claim(office, scope=Scope(("access",), ("no_such",), TODAY)),
        "expires_on": claim(office, scope=Scope(("access",), ("*",), yesterday)),
        "paper": claim(office, file=""),
        "contact_checked": claim(office, contact_checked=""),
    }
    for box, made in wrongs.items():
        with pytest.raises(BadInput) as wrong:
            await proxies.record(office.desk, 1, made, agent())
        assert wrong.value.field == box
    await office.mail("another@elsewhere.test", ACCESS)
    with pytest.raises(BadInput) as wrong:  # somebody else's paper
        await proxies.record(office.desk, (await office.request()).id or 0, claim(office), agent())
    assert wrong.value.field == "paper"


async def test_one_decides_and_a_refusal_says_why(office: Office) -> None:
    await back_to_work(office)
    number = await proxies.record(office.desk, 1, claim(office), agent())
    with pytest.raises(BadInput):
        await proxies.refuse(office.desk, number, agent(2), " ")
    await proxies.refuse(office.desk, number, agent(2), "도장이 없습니다.")
    with pytest.raises(StaleMove):
        await proxies.accept(office.desk, number, agent(3))
    assert {r.subject_id for r in await office.all(Request)} == {None}


async def test_a_guardian_acts_below_fourteen_and_only_then(office: Office) -> None:
    with pytest.raises(NotPermitted):
        await proxies.record(office.desk, 1, guardian(office), agent())
    await born(office, CHILD_BORN)
    with pytest.raises(NotPermitted):
        await proxies.record(office.desk, 1, claim(office), agent())
    for bent in ({"by": ""}, {"how": "trust"}, {"on": None}, {"on": TODAY + timedelta(days=1)}):
        consent = replace(Consent("김보호", TODAY, "phone"), **bent)
        with pytest.raises(BadInput) as wrong:
            await proxies.record(office.desk, 1, guardian(office, consent=consent), agent())
        assert wrong.value.field.startswith("consent_")
    number = await proxies.record(office.desk, 1, guardian(office), agent())
    await born(office, OF_AGE)  # the registry was wrong, and was corrected
    with pytest.raises(NotPermitted):
        await proxies.accept(office.desk, number, agent(2))
    await born(office, CHILD_BORN)
    going = await accepted(office, guardian(office))
    assert (going.level, going.subject_id) == ("document", KO_MEMBER.member)
    kept = (await office.all(Mandate))[-1]
    assert (kept.expires_on, kept.consent_how, kept.consent_on) == (
        "2027-03-01", "phone", "2026-11-22",
    )  # fmt: skip
    assert office.desk.vault.text(kept.consent_by) == "김보호"
    letter = office.last(KO_MEMBER.email)
    assert "열네 살" in letter.text and "가까운 어른" in letter.text


@pytest.mark.long
async def test_on_the_fourteenth_birthday_it_is_over(office: Office) -> None:
    await born(office, "2012-11-24")  # 14 tomorrow
    await accepted(office, guardian(office))
    office.clock.advance(timedelta(days=1))
    later = await write(office, CORRECT)
    await back_to_work(office)
    with pytest.raises(NotPermitted):
        await proxies.use(office.desk, 1, later.id or 0, agent())


async def from_a_member(office: Office) -> Request:
    """A proxy who is a member too writes from their own registered address, with the paper."""
    await born(office, OF_AGE)
    mail = EmailMessage()
    mail["Authentication-Results"] = f"{SERVER}; dmarc=pass header.from=mail.test"
    mail["From"], mail["To"], mail["Subject"] = OTHER_MEMBER.email, DESK, ""
    mail["Message-ID"] = "<1@mail.test>"
    mail.set_content(CORRECT)
    mail.add_attachment(PAPER, maintype="application", subtype="pdf", filename="위임장.pdf")
    await office.arrives(mail.as_bytes())
    return await office.request()


async def test_a_proxys_own_data_is_not_held_under_the_members_request(make_desk: MakeDesk) -> None:
    """What their mail held of their own for a while ends; the member's is held, and ends as theirs."""
    office = await make_desk()
    await from_a_member(office)
    [own] = await office.holds()
    assert (own.kind, own.subject_id) == ("provisional", OTHER_MEMBER.member)
    going = await accepted(office, claim(office))
    rows = await office.all(Hold)
    live = [(row.kind, row.subject_id) for row in rows if row.ended_revision is None]
    assert live == [("firm", KO_MEMBER.member)]
    await proxies.stop(office.desk, 1, agent())
    assert [row.subject_id for row in await office.all(Hold) if row.ended_revision is None] == []
    assert (await office.all(Request, Request.id == going.id))[0].state == "withdrawn"


async def test_who_answered_as_themselves_is_no_proxy_by_that_request(make_desk: MakeDesk) -> None:
    """It is proven as the proxy's own: their hold stays theirs, and the mandate does not cover it."""
    office = await make_desk()
    await from_a_member(office)
    await office.mail(OTHER_MEMBER.email, "네", answers=office.last(OTHER_MEMBER.email))
    with pytest.raises(NotPermitted) as wrong:
        await accepted(office, claim(office))
    assert wrong.value.field == "subject"
    [own] = await office.all(Hold)
    assert (own.subject_id, own.ended_revision) == (OTHER_MEMBER.member, None)


async def test_papers_are_destroyed_after_the_decision(office: Office) -> None:
    await accepted(office, claim(office))
    await timers.sweep(office.desk)
    assert (await office.all(MessageFile))[0].content is not None
    office.clock.advance(timedelta(days=office.desk.files.mandate_days))
    assert await proxy_papers.destroy_due(office.desk) == 1
    assert await proxy_papers.destroy_due(office.desk) == 0
    file = (await office.all(MessageFile))[0]
    assert file.content is None and "destroyed" in file.apart
    assert (await office.all(Audit))[-1].action == "proxy_paper_destroyed"


async def test_a_proxys_change_of_contact_stopped_by_the_old_one_stops_the_proxy(
    make_desk: MakeDesk,
) -> None:
    """The member presses the link of `stopping`, not that of the letter about the proxy."""
    office = await make_desk()
    await born(office, OF_AGE)
    await write(office, "제 휴대전화번호를 010-0000-4321로 바꿔 주세요.")
    going = await accepted(office, claim(office))
    async with office.desk.write() as session:
        token = await stopping.make(session, office.desk, going.id or 0)
    assert (await stopping.stop(office.desk, token)).state == "stopped"
    (mandate,) = await office.all(Mandate)
    assert (mandate.state, mandate.stopped_by) == ("stopped", "member")
