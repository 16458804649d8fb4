"""A lasting hold that its person ends: whoever heard of it hears that, tracked like any other notice."""

from collections.abc import Mapping
from typing import Any

import pytest
from desks import CORRECT, MARKETING, THIRD_PARTY, agent
from signing import proven, request_of, signed
from told import Telephone

from subjectline.handlers import casefile
from subjectline.handlers.given_anew import SUSPENSION, Evidence, release
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Hold, Request, Telling

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
SEEN = Evidence("paper", "form 2026-118", "2026-11")
NURIGO, BUYER = "nurigo", "content_buyer"


def end(phone: Telephone, name: str = NURIGO) -> Mapping[str, Any]:
    data: Mapping[str, Any] = phone.posts.to(name)[-1]["data"]
    return data


async def withdrawn(phone: Telephone, words: str = MARKETING) -> Request:
    """Withdrawn, and what follows is told at each step."""
    request = await proven(phone.office, ME, words)
    await phone.tell()
    request = await signed(phone.office, request)
    await phone.tell()
    assert request.state == "done"
    return request


async def again(phone: Telephone, what: str = "marketing") -> None:
    await release(phone.office.desk, MEMBER, what, SEEN, agent(1), agent(2))
    await phone.tell()


async def test_who_was_told_to_stop_hears_that_it_may_go_on(phone: Telephone) -> None:
    request = await withdrawn(phone)
    await again(phone)
    assert phone.posts.kinds(NURIGO) == ["hold", "stop", "released"]
    hold, stop, free = (one["data"] for one in phone.posts.to(NURIGO))
    assert free["fields"] == stop["fields"] and free["purposes"] == ["marketing"]
    assert (free["references"], free["sequence"]) == ([request.reference], 3)
    assert "still_held" not in free and free["revision"] > hold["revision"]
    shown = (await casefile.case(phone.office.desk, request.reference, agent())).tellings
    assert [one.kind for one in shown if one.recipient == NURIGO] == ["hold", "stop", "released"]
    await phone.days(8)  # nobody acknowledged it: the same word once more
    assert phone.posts.kinds(NURIGO)[-1] == "released" and end(phone)["reminder"] == 1


async def test_who_was_told_to_destroy_hears_it_too(phone: Telephone) -> None:
    """By hand, for the settings do not say how; the request's page has it for an agent."""
    await withdrawn(phone, THIRD_PARTY)
    rows = await phone.rows(BUYER)
    assert rows[-1].kind == "erase"
    async with phone.office.desk.db.write() as session:
        for row in rows:  # an agent called them
            kept = await session.get_one(Telling, row.id)
            kept.outcome, kept.sent_at = "acknowledged", phone.office.clock()
            session.add(kept)
    await again(phone, "third_party")
    newest = await phone.row(BUYER)
    assert (newest.kind, newest.outcome, newest.way) == ("released", "hand", "hand")


async def test_what_another_request_holds_stays_named(phone: Telephone) -> None:
    """A correction of the phone number is open: the same number is not free for mailing yet."""
    await withdrawn(phone)
    open_one = await proven(phone.office, ME, "제 휴대전화번호를 010-0000-4321로 바꿔 주세요.")
    await phone.tell()
    await again(phone)
    [held] = end(phone)["still_held"]
    assert (held["reference"], held["fields"]) == (open_one.reference, ["phone"])


async def test_who_was_never_told_hears_nothing(phone: Telephone) -> None:
    await proven(phone.office, ME, MARKETING)
    await signed(phone.office)
    await again(phone)
    assert phone.posts.to(NURIGO) == []
    assert {row.outcome for row in await phone.rows(NURIGO)} == {"overtaken"}


async def test_another_lasting_hold_of_the_same_request_stays_named(phone: Telephone) -> None:
    """It took a suspension over, which ends; what it asked for itself stands."""
    request = await withdrawn(phone)
    async with phone.office.desk.db.write() as session:
        [mine] = await phone.office.all(Hold)
        session.add(
            Hold(
                **mine.model_dump(exclude={"id", "cause", "purposes", "revision"}),
                cause=SUSPENSION, purposes=["*"], revision=mine.revision,
            )
        )  # fmt: skip
    await again(phone, SUSPENSION)
    assert phone.posts.kinds(NURIGO)[-1] == "released"
    [held] = end(phone)["still_held"]
    assert (held["reference"], held["purposes"]) == (request.reference, ["marketing"])


@pytest.mark.parametrize("was", ["reminded", "given to an agent"])
async def test_who_may_have_heard_is_not_left_without_the_end(phone: Telephone, was: str) -> None:
    """A reminder that waits counts its tries anew, and an agent may have called: both were told."""
    request = await proven(phone.office, ME, CORRECT)
    await phone.tell()
    async with phone.office.desk.db.write() as session:
        row = await session.get_one(Telling, (await phone.row("post_office")).id)
        if was == "reminded":
            row.outcome, row.attempts, row.reminded = "due", 0, 1
        else:
            row.outcome, row.attempts, row.sent_at = "hand", 0, None
            row.task_at = phone.office.clock()
        session.add(row)
    await signed(phone.office, await request_of(phone.office, request.id or 0))
    assert (await phone.row("post_office")).kind == "corrected"
