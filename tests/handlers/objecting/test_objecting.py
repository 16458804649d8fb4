"""Who answers a refusal with "that is not true" objects, though no right is named."""

import pytest
from desks import CORRECT, CORRECT_EN, Office, agent
from signing import proven, signed

from subjectline.handlers import decisions
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER
from subjectline.models.tables import Request

REFUSAL = decisions.AgentDraft("refuse", ground="not_incorrect", note="기록이 맞습니다.")


async def refused(office: Office, who: str, words: str) -> Request:
    request = await proven(office, who, words)
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "아니요")
    await decisions.propose(office.desk, request.id or 0, request.version + 1, agent(), REFUSAL)
    return await signed(office)


@pytest.mark.parametrize(
    ("who", "asked", "said"),
    [
        (KO_MEMBER.email, CORRECT, "납득이 되지 않습니다. 그 주소는 예전 주소입니다."),
        (KO_MEMBER.email, CORRECT, "사실과 다릅니다."),
        (EN_MEMBER.email, CORRECT_EN, "That is not right. I moved in March."),
        (EN_MEMBER.email, CORRECT_EN, "I don't accept this, please look at it again."),
    ],
)
async def test_disagreeing_with_a_refusal_is_an_objection(
    office: Office, who: str, asked: str, said: str
) -> None:
    first = await refused(office, who, asked)
    await office.mail(who, said, answers=office.last(who))
    request = await office.request()
    assert (request.kind, request.follows_id) == ("objection", first.id)


@pytest.mark.parametrize("said", ["감사합니다.", "왜 거절하셨나요?", "알겠습니다."])
async def test_other_answers_wait_for_an_agent(office: Office, said: str) -> None:
    await refused(office, KO_MEMBER.email, CORRECT)
    await office.mail(KO_MEMBER.email, said, answers=office.last(KO_MEMBER.email))
    assert len(await office.all(Request)) == 1
    assert (await office.conversation()).state == "unsorted"


async def test_the_same_words_in_a_new_mail_are_none(office: Office) -> None:
    """Without the letter that they answer nobody can tell what they are about."""
    await refused(office, KO_MEMBER.email, CORRECT)
    await office.mail(KO_MEMBER.email, "사실과 다릅니다.")
    assert len(await office.all(Request)) == 1


async def test_somebody_elses_answer_is_no_objection(office: Office) -> None:
    await refused(office, KO_MEMBER.email, CORRECT)
    await office.mail(OTHER_MEMBER.email, "사실과 다릅니다.", answers=office.last(KO_MEMBER.email))
    assert len(await office.all(Request)) == 1


async def test_nor_is_it_where_nothing_was_refused(office: Office) -> None:
    await proven(office, KO_MEMBER.email, CORRECT)
    await signed(office)
    await office.mail(KO_MEMBER.email, "사실과 다릅니다.", answers=office.last(KO_MEMBER.email))
    assert len(await office.all(Request)) == 1
