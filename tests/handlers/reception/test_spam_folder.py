"""What lay in the folder of suspected spam: an agent decides, unless it is surely meant for us."""

import pytest
from desks import CORRECT, PARSERS, POLICY, Office

from subjectline.handlers import inbox
from subjectline.intake.mail_sink import mail_parser
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.incoming import Door
from subjectline.models.tables import Message, Request

ME = KO_MEMBER.email
FROM_SPAM = {**PARSERS, Door.MAIL: mail_parser(POLICY, spam=["test"])}


async def from_spam(office: Office, sender: str, words: str, **more: object) -> Message:
    """A mail that the server's filter had put aside; the row that was kept."""
    await office.mail(sender, words, work=False, **more)  # type: ignore[arg-type]
    await inbox.once(office.desk, FROM_SPAM)
    return [one for one in await office.messages() if one.direction == "in"][-1]


async def test_a_stranger_in_spam_waits_for_an_agent(office: Office) -> None:
    kept = await from_spam(office, "stranger@mail.test", CORRECT)
    assert (kept.rule, kept.outcome, kept.waits) == ("spam_folder", "hold", True)
    assert kept.evidence["spam_folder"] == "yes"
    assert (await office.conversation()).state == "unsorted"
    await office.work()
    assert await office.all(Request) == [] and office.tray.parcels == []


@pytest.mark.parametrize(("auth", "handled"), [("pass", True), ("", False), ("fail", False)])
async def test_a_member_in_spam_is_handled_where_the_domain_vouches(
    office: Office, auth: str, handled: bool
) -> None:
    kept = await from_spam(office, ME, CORRECT, auth=auth)
    assert (kept.rule == "person") is handled
    assert bool(await office.all(Request)) is handled
    assert kept.evidence["spam_folder"] == "yes"


async def test_an_answer_to_our_letter_is_no_spam(office: Office) -> None:
    await office.mail("new.person@mail.test", CORRECT)
    letter = office.last("new.person@mail.test")
    kept = await from_spam(office, "new.person@mail.test", "네", answers=letter, auth="")
    assert kept.rule == "person"


async def test_what_comes_by_the_inbox_has_no_mark(office: Office) -> None:
    await office.mail("stranger@mail.test", CORRECT)
    assert "spam_folder" not in (await office.messages())[0].evidence
