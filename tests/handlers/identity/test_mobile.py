"""Mobile identity proof: each of its locks by itself, tried by somebody who holds all other keys."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from desks import ACCESS, MARKETING, MakeDesk, Office
from pydantic import SecretStr

from subjectline.handlers import mobile_identity as mobile
from subjectline.handlers.mobile_identity import Begun
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.errors import (
    BadInput,
    IdentityError,
    NotPermitted,
    SpentProof,
    TooManyTries,
)
from subjectline.models.mobile_settings import MobileSettings
from subjectline.models.tables import Audit, MobileProof, Request

ASKER = "somebody@elsewhere.test"
SECRET = "a secret of the provider and ours, 32"
CLIENT = "moment-pick"
CORRECT_PHONE = "제 휴대전화번호를 010-0000-4321로 바꿔 주세요."


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    """A desk with a provider, and one request from an address that nobody registered."""
    made = await make_desk()
    settings = MobileSettings(
        url="https://identity.example/start", client=CLIENT, secret=SecretStr(SECRET)
    )
    made.desk = replace(made.desk, mobile=settings)
    await made.mail(ASKER, ACCESS)
    return made


async def answer(office: Office, begun: Begun, **bent: Any) -> tuple[str, str]:
    """What the provider lets the browser bring: a result about the member, and its signature."""
    ((birth,),) = await office.sql("SELECT birth_date FROM member WHERE member_id = 1001")
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    said = {
        "client": CLIENT,
        "nonce": asked["nonce"],
        "at": int(office.clock().timestamp()),
        "ci": "CI-OF-AN-INVENTED-PERSON",
        "name": KO_MEMBER.name,
        "phone": KO_MEMBER.phone.replace("-", ""),
        "birth": str(birth),
    } | bent
    result = mobile.packed(said)
    return result, mobile.sign(SECRET, "result", result)


async def visit(office: Office, **bent: Any) -> bool:
    """A whole visit in one browser; whether the person was proven."""
    begun = await mobile.begin(office.desk, (await office.request()).id or 0)
    carried = await mobile.arrive(office.desk, *await answer(office, begun, **bent))
    return (await mobile.finish(office.desk, carried, begun.cookie)).proven


async def test_it_opens_the_request_and_nothing_of_the_result_is_kept(office: Office) -> None:
    await office.mail(ASKER, MARKETING)
    assert await visit(office)
    request = await office.request()
    assert (request.level, request.subject_id) == ("contact", KO_MEMBER.member)
    await office.work()
    written = b"".join(p.read_bytes() for p in office.folder.glob("desk.db*"))
    for secret in ("CI-OF-AN-INVENTED", KO_MEMBER.name, KO_MEMBER.phone.replace("-", "")):
        assert secret.encode() not in written
    (row,) = await office.all(Audit, Audit.action == "mobile_identity")
    assert (row.outcome, row.subject_id) == ("ok", KO_MEMBER.member)


async def test_the_address_says_nothing_of_the_person(office: Office) -> None:
    begun = await mobile.begin(office.desk, 1)
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    signature = asked.pop("signature")
    assert set(asked) == {"client", "nonce", "back", "at"}
    unsigned = urlsplit(begun.url).query.removesuffix(f"&signature={signature}")
    assert signature == mobile.sign(SECRET, "start", unsigned)
    assert asked["back"] == "https://privacy.moment-pick.example/m/mobile/back"


async def test_phone_name_and_birth_date_must_all_be_registered(office: Office) -> None:
    for bent in (
        {"phone": "01000009999"},
        {"name": OTHER_MEMBER.name},
        {"birth": "1950-01-01"},
        {"birth": "99999999"},
    ):
        assert not await visit(office, **bent)
    assert (await office.request()).subject_id is None
    assert {p.state for p in await office.all(MobileProof)} == {"nobody"}


async def test_two_who_share_a_phone_are_told_apart_by_name(office: Office) -> None:
    await office.sql(
        "UPDATE member SET phone = (SELECT phone FROM member WHERE member_id = 1001)"
        " WHERE member_id = 1003"
    )
    assert await visit(office, name="  김 하늘 ")
    assert (await office.request()).subject_id == KO_MEMBER.member


async def test_signature(office: Office) -> None:
    begun = await mobile.begin(office.desk, 1)
    result, signature = await answer(office, begun)
    other, _ = await answer(office, begun, name=OTHER_MEMBER.name)
    forged = mobile.sign("another secret of somebody's own, 32", "result", result)
    as_start = mobile.sign(SECRET, "start", result)
    for wrong in ((other, signature), (result, forged), (result, as_start), (result, "é")):
        with pytest.raises(IdentityError):
            await mobile.arrive(office.desk, *wrong)
    assert [p.state for p in await office.all(MobileProof)] == ["begun"]


async def test_nonce(office: Office) -> None:
    """A result that nobody asked for, and one that was used."""
    begun = await mobile.begin(office.desk, 1)
    with pytest.raises(SpentProof):
        await mobile.arrive(office.desk, *await answer(office, begun, nonce="n" * 43))
    once = await answer(office, begun)
    carried = await mobile.arrive(office.desk, *once)
    with pytest.raises(SpentProof):
        await mobile.arrive(office.desk, *once)
    assert (await mobile.finish(office.desk, carried, begun.cookie)).proven
    with pytest.raises(SpentProof):
        await mobile.finish(office.desk, carried, begun.cookie)


async def test_expiry(office: Office) -> None:
    """An old result, one from the future, a visit that took too long, before and after it."""
    begun = await mobile.begin(office.desk, 1)
    now = int(office.clock().timestamp())
    for at in (now - 181, now + 61):
        with pytest.raises(SpentProof):
            await mobile.arrive(office.desk, *await answer(office, begun, at=at))
    carried = await mobile.arrive(office.desk, *await answer(office, begun))
    late = await mobile.begin(office.desk, 1)
    office.clock.advance(timedelta(minutes=10))
    with pytest.raises(SpentProof):
        await mobile.arrive(office.desk, *await answer(office, late))
    with pytest.raises(SpentProof):
        await mobile.finish(office.desk, carried, begun.cookie)


async def test_binding_to_the_browser(office: Office) -> None:
    """An attacker begins, the victim answers at the provider: neither browser holds both halves."""
    theirs = await mobile.begin(office.desk, 1)
    other = await mobile.begin(office.desk, 1)
    carried = await mobile.arrive(office.desk, *await answer(office, theirs))
    for cookie in ("", other.cookie, "c" * 43):
        with pytest.raises(SpentProof):
            await mobile.finish(office.desk, carried, cookie)
    for guess in ("", theirs.cookie, "c" * 43):
        with pytest.raises(SpentProof):
            await mobile.finish(office.desk, guess, theirs.cookie)
    assert (await office.request()).subject_id is None


async def test_binding_to_the_request(office: Office) -> None:
    """A proof opens the request it was begun for, and none of somebody else's."""
    await office.mail("another@elsewhere.test", ACCESS)
    first, second = await office.all(Request)
    begun = await mobile.begin(office.desk, first.id or 0)
    carried = await mobile.arrive(office.desk, *await answer(office, begun))
    done = await mobile.finish(office.desk, carried, begun.cookie)
    assert done.reference == first.reference
    states = {r.reference: r.subject_id for r in await office.all(Request)}
    assert states == {first.reference: KO_MEMBER.member, second.reference: None}


async def test_client_and_form_of_the_result(office: Office) -> None:
    begun = await mobile.begin(office.desk, 1)
    with pytest.raises(IdentityError):
        await mobile.arrive(office.desk, *await answer(office, begun, client="somebody-else"))
    for bent in ({"name": 5}, {"ci": ""}, {"at": "now"}, {"phone": "0" * 5000}):
        with pytest.raises(BadInput) as wrong:
            await mobile.arrive(office.desk, *await answer(office, begun, **bent))
        assert wrong.value.__cause__ is None and KO_MEMBER.name not in str(wrong.value)


async def test_it_never_proves_who_is_correcting_the_phone(office: Office) -> None:
    await office.mail("third@elsewhere.test", CORRECT_PHONE)
    with pytest.raises(NotPermitted):
        await mobile.begin(office.desk, (await office.request()).id or 0)
    await office.mail(KO_MEMBER.email, CORRECT_PHONE)
    await office.mail(KO_MEMBER.email, "네", answers=office.last(KO_MEMBER.email))
    assert (await office.request()).subject_id == KO_MEMBER.member
    await office.mail("fourth@elsewhere.test", ACCESS)
    assert not await visit(office)


async def test_tries_of_a_day_and_no_provider(office: Office) -> None:
    for _ in range(mobile.A_DAY):
        await mobile.begin(office.desk, 1)
    with pytest.raises(TooManyTries):
        await mobile.begin(office.desk, 1)
    with pytest.raises(NotPermitted):
        await mobile.begin(replace(office.desk, mobile=None), 1)
    office.clock.advance(timedelta(days=1, seconds=1))
    assert (await mobile.begin(office.desk, 1)).minutes == 10


@pytest.mark.parametrize("bent", [{"url": "http://identity.example"}, {"secret": "short"}])
def test_settings_that_would_not_be_safe(bent: dict[str, str]) -> None:
    said = {"url": "https://identity.example", "client": "c", "secret": SECRET} | bent
    with pytest.raises(ValueError):
        MobileSettings.model_validate(said)
