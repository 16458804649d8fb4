"""Bank details wait a day after the approval; every registered contact can stop them meanwhile."""

from datetime import timedelta

import pytest
from desks import Office, agent, stop_token

from subjectline.handlers import decisions, stopping
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, Person
from subjectline.models.errors import RegistryAway
from subjectline.models.tables import Attempt, Proposal, Task

WORDS = {
    "ko": "제 계좌번호를 000-123-456789로 바꿔 주세요.",
    "en": "Please change my bank account number to 000-123-456789.",
}
YES = {"ko": "네", "en": "Yes"}


def read(who: Person) -> str:
    return f"SELECT account_number FROM payout_account WHERE member_id = {who.number}"


async def proposed(office: Office, who: Person = KO_MEMBER) -> None:
    """On the desk, waiting for a signature."""
    await office.sql(
        "INSERT INTO payout_account (member_id, bank_name, account_number, account_holder)"
        " SELECT :m, 'Sample Bank', '000999888777', 'A' WHERE NOT EXISTS"
        " (SELECT 1 FROM payout_account WHERE member_id = :m)",
        m=who.number,
    )
    await office.mail(who.email, WORDS[who.language])
    await office.mail(who.email, YES[who.language], answers=office.last(who.email))
    assert await office.state() == "proposed"


async def sign(office: Office, *, work: bool = True) -> None:
    proposal = (await office.all(Proposal))[-1]
    await decisions.approve(office.desk, proposal.sha256, agent())
    if work:
        await office.work()


def mobile(who: Person) -> str:
    return f"+82{who.phone.replace('-', '')[1:]}"


@pytest.mark.parametrize("who", [KO_MEMBER, EN_MEMBER], ids=["ko", "en"])
async def test_it_is_written_a_day_after_everybody_was_told(texting: Office, who: Person) -> None:
    await proposed(texting, who)
    before = await texting.sql(read(who))
    await sign(texting)
    for contact in (who.email, mobile(who)):
        assert stop_token(texting.last(contact)) and "456789" not in texting.last(contact).text
    texting.clock.advance(timedelta(hours=23, minutes=59))
    await texting.work()
    assert await texting.sql(read(who)) == before and await texting.state() == "applying"
    assert [hold.kind for hold in await texting.holds()] == ["firm"]
    texting.clock.advance(timedelta(minutes=2))
    await texting.work()
    assert await texting.state() == "done"
    assert (await texting.sql(read(who)))[0][0].endswith("456789")
    assert await texting.holds() == []


@pytest.mark.parametrize("way", ["email", "phone"])
async def test_stopped_it_is_never_written(texting: Office, way: str) -> None:
    await proposed(texting)
    before = await texting.sql(read(KO_MEMBER))
    await sign(texting)
    letter = texting.last(KO_MEMBER.email if way == "email" else mobile(KO_MEMBER))
    assert (await stopping.stop(texting.desk, stop_token(letter))).state == "stopped"
    texting.clock.advance(timedelta(days=3))
    await texting.work()
    assert await texting.state() == "open" and await texting.all(Attempt) == []
    assert await texting.sql(read(KO_MEMBER)) == before
    assert [hold.kind for hold in await texting.holds()] == ["firm"]
    assert {p.state for p in await texting.all(Proposal)} == {"void"}


async def test_each_contact_has_a_link_of_its_own(texting: Office) -> None:
    await proposed(texting)
    await sign(texting)
    first, second = (texting.last(to) for to in (KO_MEMBER.email, mobile(KO_MEMBER)))
    assert stop_token(first) != stop_token(second)
    await stopping.stop(texting.desk, stop_token(first))
    assert (await stopping.look(texting.desk, stop_token(second))).state == "stopped"


async def test_what_nobody_could_be_told_of_is_not_written(
    texting: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hours begin when the contacts were told."""
    await proposed(texting)

    async def away(member: str) -> dict[str, str]:
        raise RegistryAway("members does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(texting.desk.registry, "contacts", away)
        await sign(texting)
        texting.clock.advance(timedelta(hours=30))
        await texting.work()
        assert await texting.state() == "applying"
        assert {task.kind for task in await texting.all(Task)} == {"draft", "warn"}
    texting.clock.advance(timedelta(hours=2))
    await texting.work()
    assert await texting.state() == "applying" and stop_token(texting.last(KO_MEMBER.email))
    texting.clock.advance(timedelta(hours=24))
    await texting.work()
    assert await texting.state() == "done"


async def test_what_may_have_been_written_cannot_be_stopped(texting: Office) -> None:
    await proposed(texting)
    await sign(texting)
    token = stop_token(texting.last(KO_MEMBER.email))
    async with texting.desk.db.write() as session:
        request = await texting.request()
        session.add(Attempt(request_id=request.id or 0, apply_id="a", at=texting.clock()))
    assert (await stopping.stop(texting.desk, token)).state == "late"
    assert await texting.state() == "applying"


async def test_other_fields_do_not_wait(texting: Office) -> None:
    await texting.mail(KO_MEMBER.email, "제 배송지를 부산시 수영구 파도로 12로 바꿔 주세요.")
    await texting.mail(KO_MEMBER.email, "네", answers=texting.last(KO_MEMBER.email))
    await sign(texting)
    assert await texting.state() == "done"
