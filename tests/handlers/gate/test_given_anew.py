"""A standing hold ends by a new consent that two agents have seen, and by nothing less."""

from datetime import timedelta

import pytest
from desks import MARKETING, Office, agent
from signing import proven, signed

from subjectline.handlers import consents
from subjectline.handlers.given_anew import Evidence, release
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted, SubjectlineError
from subjectline.models.tables import Audit

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
SEEN = Evidence("paper", "form 2026-118", "2026-11")


async def may_mail(office: Office) -> bool:
    return (
        await office.desk.gate.decide("marketing-mailer", MEMBER, ["email"], "marketing")
    ).permit


@pytest.fixture
async def withdrawn(office: Office) -> Office:
    await proven(office, ME, MARKETING)
    assert (await signed(office)).state == "done"
    [hold] = await office.holds()
    assert hold.kind == "standing" and not await may_mail(office)
    return office


async def test_two_agents_record_it_and_the_gate_permits_again(withdrawn: Office) -> None:
    office = withdrawn
    office.clock.advance(timedelta(days=40))
    revision = await release(office.desk, MEMBER, "marketing", SEEN, agent(1), agent(2))
    assert revision == 2 and await may_mail(office)
    last = (await consents.ledger(office.desk, MEMBER))[-1]
    assert (last.consent, last.state, last.door, last.text_version) == (
        "marketing", "given", "paper", "2026-11",
    )  # fmt: skip
    rows = await office.all(Audit, Audit.action == "given_anew")
    assert [(row.account, row.reason) for row in rows] == [
        ("agent:1", "paper: form 2026-118"),
        ("agent:2", "paper: form 2026-118"),
    ]
    with pytest.raises(IllegalMove):
        await release(office.desk, MEMBER, "marketing", SEEN, agent(1), agent(2))


@pytest.mark.parametrize(
    ("what", "seen", "second", "wrong"),
    [
        ("marketing", SEEN, 1, NotPermitted),
        ("marketing", Evidence("paper", " ", "1"), 2, BadInput),
        ("marketing", Evidence("paper", "form"), 2, BadInput),
        ("marketing", Evidence("rumour", "form", "1"), 2, BadInput),
        ("third_party", SEEN, 2, IllegalMove),
        ("erasure", SEEN, 2, BadInput),
        ("membership_withdrawal", SEEN, 2, BadInput),
        ("correction", SEEN, 2, BadInput),
    ],
)
async def test_nothing_less_ends_it(
    withdrawn: Office, what: str, seen: Evidence, second: int, wrong: type[SubjectlineError]
) -> None:
    before = len(await consents.ledger(withdrawn.desk, MEMBER))
    with pytest.raises(wrong):
        await release(withdrawn.desk, MEMBER, what, seen, agent(1), agent(second))
    assert not await may_mail(withdrawn)
    assert len(await consents.ledger(withdrawn.desk, MEMBER)) == before
    assert await withdrawn.all(Audit, Audit.action == "given_anew") == []


async def test_who_withdraws_once_more_is_not_overruled(withdrawn: Office) -> None:
    await proven(withdrawn, ME, MARKETING)
    with pytest.raises(IllegalMove, match="is open"):
        await release(withdrawn.desk, MEMBER, "marketing", SEEN, agent(1), agent(2))
    assert not await may_mail(withdrawn)
