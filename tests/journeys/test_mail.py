"""The three rights by mail in both languages, from the member's mailbox to the company's row and back."""

import pytest
from desks import ACCESS, ACCESS_EN, CORRECT, CORRECT_EN, LEAVE, MARKETING, NEW_ADDRESS, THIRD_PARTY
from worlds import Journey, reply

from subjectline.intake.sandbox.partners import Heard
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER, Person

Words = tuple[Person, str, str]
BOTH = pytest.mark.parametrize


@BOTH(
    ("said", "value"),
    [
        ((KO_MEMBER, CORRECT, "네"), NEW_ADDRESS),
        ((EN_MEMBER, CORRECT_EN, "Yes, that was me."), "5 Harbour Lane, Busan"),
    ],
    ids=["ko", "en"],
)
async def test_a_correction(journey: Journey, said: Words, value: str) -> None:
    who, words, yes = said
    export = ("shipping_address", "delivery", "post_office")
    before = await journey.ask(who, *export)
    verify = await journey.mail(who, words)
    provisional = await journey.ask(who, *export)
    ack = await journey.mail(who, yes, answers=verify)
    firm = await journey.ask(who, *export)
    seen = journey.count(who)
    await journey.approve()
    done = await journey.next_mail(who, seen)
    after = await journey.ask(who, *export)
    asked = (before, provisional, firm, after)
    assert [each.permit for each in asked] == [True, False, False, True]
    assert firm.reasons == ("held",)
    assert await journey.row(who, "shipping_address") == value
    [request] = await journey.requests()
    assert request.state == "done" and await journey.holds() == []
    for letter in (verify, ack, done):
        assert request.reference in letter.text and request.reference in letter.html
        assert value not in letter.subject and who.email not in letter.subject
    assert value in done.text.replace("\n", " ")
    assert len(journey.world.mail.desk_folder("Processed")) == 2

    async def heard() -> list[Heard]:
        """The post office, which has the address: over HTTP, signed, at last with the new value."""
        found = journey.world.partners.of(who.member)
        return found if found and found[-1].kind == "corrected" else []

    [post_office] = await journey.commits.until(heard)
    assert post_office.recipient == "post_office" and post_office.acknowledged
    assert (post_office.corrected, post_office.times) == (True, 1)


@BOTH(
    "said",
    [
        (KO_MEMBER, ACCESS, "네"),
        (EN_MEMBER, ACCESS_EN, "yes"),
    ],
    ids=["ko", "en"],
)
async def test_access(journey: Journey, said: Words) -> None:
    who, words, yes = said
    verify = await journey.mail(who, words)
    await journey.mail(who, yes, answers=verify)
    seen = journey.count(who)
    await journey.approve()
    done = await journey.next_mail(who, seen)
    for secret in (who.name, who.phone):
        assert secret not in done.text and secret not in done.html
    page = await journey.open_page(done.text)
    for own in (who.email, who.phone, who.nickname):
        assert own in page
    for others in (OTHER_MEMBER.email, OTHER_MEMBER.phone):
        assert others not in page
    with pytest.raises(AssertionError):
        await journey.open_page(done.text)  # the link is spent
    assert (await journey.requests())[0].state == "done"


MARKETING_EN = "I withdraw my consent to marketing emails."


@BOTH("said", [(KO_MEMBER, MARKETING), (EN_MEMBER, MARKETING_EN)], ids=["ko", "en"])
async def test_a_marketing_withdrawal(journey: Journey, said: tuple[Person, str]) -> None:
    """One mail: an authenticated one from the registered address is proof enough."""
    who, words = said
    assert (await journey.ask(who, "email", "marketing")).permit
    ack = await journey.mail(who, words)
    assert not (await journey.ask(who, "email", "marketing")).permit
    seen = journey.count(who)
    await journey.approve()
    done = await journey.next_mail(who, seen)
    [request] = await journey.requests()
    assert (
        request.state == "done" and request.reference in ack.text and request.reference in done.text
    )
    assert await consents(journey, who) == (0, 0)
    assert not (await journey.ask(who, "email", "marketing")).permit  # for good
    assert await consents(journey, OTHER_MEMBER) == (1, 1)


THIRD_PARTY_EN = "I withdraw my consent to giving my data to third parties."


@BOTH(
    "said", [(KO_MEMBER, THIRD_PARTY, "네"), (EN_MEMBER, THIRD_PARTY_EN, "yes")], ids=["ko", "en"]
)
async def test_a_third_party_withdrawal(journey: Journey, said: Words) -> None:
    who, words, yes = said
    buyer = ("nickname", "third_party", "content_buyer")
    assert (await journey.ask(who, *buyer)).permit
    await journey.mail(who, yes, answers=await journey.mail(who, words))
    assert not (await journey.ask(who, *buyer)).permit
    seen = journey.count(who)
    await journey.approve()
    await journey.next_mail(who, seen)
    [request] = await journey.requests()
    assert (request.kind, request.state) == ("third_party_withdrawal", "done")
    query = f"SELECT third_party FROM member_consent WHERE member_id = {who.member}"
    assert await journey.sql(query) == [(0,)]
    assert not (await journey.ask(who, *buyer)).permit


LEAVE_EN = "Please close my account."


@BOTH("said", [(KO_MEMBER, LEAVE, "네"), (EN_MEMBER, LEAVE_EN, "yes")], ids=["ko", "en"])
async def test_leaving(journey: Journey, said: Words) -> None:
    """The proof, then an explicit yes, then two agents."""
    who, words, yes = said
    verify = await journey.mail(who, words)
    seen = journey.count(who)
    await journey.mail(who, yes, answers=verify)
    question = await journey.next_mail(who, seen + 1)
    assert await journey.sql(MEMBER.format(who.member)) == [("active", who.email)]
    ours = journey.count(who)
    await journey.world.mail.deliver(*reply(who, yes, question), "pass")
    assert (await journey.proposal()).needs == 2
    await journey.approve(1, 2)
    done = await journey.next_mail(who, ours)
    [request] = await journey.requests()
    assert request.state == "done" and request.reference in done.text
    assert await journey.sql(MEMBER.format(who.member)) == [("left", None)]
    assert await journey.sql(MEMBER.format(OTHER_MEMBER.member)) == [("active", OTHER_MEMBER.email)]


MEMBER = "SELECT status, email FROM member WHERE member_id = {}"


async def consents(journey: Journey, who: Person) -> tuple[int, ...]:
    [row] = await journey.sql(
        f"SELECT marketing_email, marketing_sms FROM member_consent WHERE member_id = {who.member}"
    )
    return row
