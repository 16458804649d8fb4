"""Who hears of a hold and of its end: those who hold the field for a purpose that is held, nobody else."""

from desks import CORRECT, LEAVE, MARKETING, NEW_ADDRESS, THIRD_PARTY, MakeDesk, agent
from signing import proven, request_of, signed
from told import Telephone, telephone, with_recipient

from subjectline.handlers import decisions, restrictions
from subjectline.handlers.audit import SYSTEM
from subjectline.handlers.decisions import AgentDraft
from subjectline.handlers.gate_policy import policy_of
from subjectline.handlers.recipients import concerned
from subjectline.handlers.requests import Facts, advance
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.tables import GateHead, Telling

ME = KO_MEMBER.email
ALL = ("*",)


def test_only_who_holds_the_field_hears(sample_map: DataMap) -> None:
    assert set(concerned(sample_map, ["shipping_address"], ALL)) == {"post_office"}
    assert set(concerned(sample_map, ["gender"], ALL)) == {"danal"}
    assert set(concerned(sample_map, ["bank_name"], ALL)) == set()


def test_who_works_on_the_companys_own_databases_needs_no_word(sample_map: DataMap) -> None:
    assert "aws" not in concerned(sample_map, ALL, ALL)
    told = with_recipient(sample_map, "aws", told=True)
    assert "aws" in concerned(told, ["shipping_address"], ALL)


def test_a_withdrawn_consent_concerns_those_who_hold_the_data_for_it(sample_map: DataMap) -> None:
    found = concerned(sample_map, ALL, ["consent:marketing"])
    assert set(found) == {"kakao", "channel", "nurigo"}
    assert found["channel"].fields == ("phone", "email")  # the name is not used for it
    assert found["channel"].purposes == ("marketing",)


def test_what_a_recipient_gets_data_for_may_be_left_open(sample_map: DataMap) -> None:
    open_map = with_recipient(sample_map, "danal", purposes=())
    assert "danal" in concerned(open_map, ALL, ["marketing"])
    assert "danal" not in concerned(sample_map, ALL, ["marketing"])


async def test_a_proven_correction_is_told_and_its_end_with_the_value(phone: Telephone) -> None:
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    [hold] = phone.posts.to("post_office")
    assert hold["type"] == "recipient.hold"
    assert hold["data"]["fields"] == ["shipping_address"] and "values" not in hold["data"]
    assert hold["data"]["member"] == "1001"
    assert {name for name, _, _ in phone.posts.got} == {"post_office"}
    await signed(phone.office)
    await phone.tell()
    end = phone.posts.to("post_office")[-1]
    assert end["type"] == "recipient.corrected"
    assert end["data"]["values"] == {"shipping_address": NEW_ADDRESS}
    [head] = await phone.office.all(GateHead)
    assert end["data"]["revision"] == head.revision > hold["data"]["revision"]


async def test_nobody_is_told_before_the_proof(phone: Telephone) -> None:
    await phone.office.mail(ME, CORRECT)
    assert await phone.office.state() == "verifying"
    assert [hold.kind for hold in await phone.office.holds()] == ["provisional"]
    assert await phone.office.all(Telling) == []


async def test_who_receives_no_corrected_values_hears_of_the_end_without(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    shy = with_recipient(sample_map, "post_office", receives_corrected=False)
    phone = telephone(await make_desk(data_map=shy))
    await proven(phone.office, ME, CORRECT)
    await signed(phone.office)
    await phone.tell()
    end = phone.posts.to("post_office")[-1]
    assert end["type"] == "recipient.corrected" and "values" not in end["data"]
    assert (await phone.row("post_office")).content is None


async def refuse(phone: Telephone) -> None:
    """What was proposed goes back; a refusal is proposed and signed."""
    desk, request = phone.office.desk, await phone.office.request()
    await decisions.send_back(desk, request.id or 0, request.version, agent(), "again")
    request = await phone.office.request()
    wish = AgentDraft("refuse", ground="not_incorrect", note="주소를 확인했습니다.")
    await decisions.propose(desk, request.id or 0, request.version, agent(), wish)
    await signed(phone.office)


async def test_a_refusal_ends_it_without_a_change(phone: Telephone) -> None:
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    await refuse(phone)
    await phone.tell()
    assert phone.posts.kinds("post_office") == ["hold", "released"]


async def test_who_was_never_told_of_the_hold_hears_nothing_of_its_end(phone: Telephone) -> None:
    await proven(phone.office, ME, CORRECT)
    await refuse(phone)
    await phone.tell()
    assert await phone.office.state() == "refused"
    assert phone.posts.got == []
    assert [row.outcome for row in await phone.rows("post_office")] == ["overtaken"]


async def test_a_withdrawn_consent_stops_or_destroys(phone: Telephone) -> None:
    """Kakao sends notices too and stops; who had the data for this consent only destroys it."""
    await proven(phone.office, ME, MARKETING)
    await signed(phone.office)
    await phone.tell()
    assert phone.posts.kinds("nurigo") == ["stop"]
    [stop] = phone.posts.to("nurigo")
    assert stop["data"]["purposes"] == ["marketing"]
    assert {row.kind for row in await phone.rows("kakao")} == {"hold", "stop"}
    await proven(phone.office, KO_MEMBER.email, THIRD_PARTY)
    await signed(phone.office)
    assert (await phone.row("content_buyer")).kind == "erase"


async def test_a_third_party_is_not_told_why(make_desk: MakeDesk, sample_map: DataMap) -> None:
    changed = {"kind": "third_party", "fields": ("nickname",), "purposes": ("third_party",)}
    buyer = with_recipient(sample_map, "post_office", **changed)
    phone = telephone(await make_desk(data_map=buyer))
    await proven(phone.office, ME, THIRD_PARTY)
    await phone.tell()
    [hold] = phone.posts.to("post_office")
    assert (hold["type"], hold["data"]["purposes"]) == ("recipient.hold", ["*"])


async def test_who_takes_a_hold_over_tells_its_end(phone: Telephone) -> None:
    """A correction gives way to another request of the person, which is taken back."""
    office = phone.office
    first = await proven(office, ME, CORRECT)
    await phone.tell()
    second = await proven(office, ME, CORRECT.replace("12, 3층", "14"))
    assert second.id != first.id
    first = await request_of(office, first.id or 0)
    async with office.desk.write() as session:
        facts = Facts(successor=second.id, letter=None)
        await advance(
            session, office.desk, first.id or 0, "send_back", SYSTEM, first.version, facts
        )
        version = first.version + 1
        await advance(session, office.desk, first.id or 0, "supersede", SYSTEM, version, facts)
    assert {row.request_id for row in await phone.rows("post_office")} == {second.id}
    await phone.tell()
    await refuse(phone)
    await phone.tell()
    assert phone.posts.kinds("post_office")[-1] == "released"
    assert phone.posts.kinds("post_office").count("released") == 1


def test_the_gate_knows_the_recipients_by_the_same_names(sample_map: DataMap) -> None:
    told = set(concerned(sample_map, ALL, ALL))
    assert told and told <= policy_of(sample_map).recipients == set(sample_map.recipients)


async def test_leaving_destroys_everywhere(phone: Telephone) -> None:
    await proven(phone.office, ME, LEAVE)
    await phone.tell()
    await signed(phone.office)
    await phone.tell()
    assert phone.posts.kinds("post_office") == ["hold", "erase"]
    assert phone.posts.kinds("danal") == ["hold", "erase"]
    assert set(phone.posts.to("danal")[-1]["data"]["fields"]) == {
        "name", "birth_date", "gender", "phone",
    }  # fmt: skip


async def test_nobody_is_told_whom_the_company_suspects(phone: Telephone) -> None:
    """The suspicion is the company's own, and nothing that a recipient has to do follows from it."""
    await restrictions.suspect(phone.office.desk, "1001", agent(1), "two accounts, one person")
    await phone.office.work()
    assert [hold.cause for hold in await phone.office.holds()] == ["false_information"]
    assert await phone.office.all(Telling) == []
