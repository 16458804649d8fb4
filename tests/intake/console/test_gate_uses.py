"""The request's page says how often held fields were asked for meanwhile, and given: without a value."""

from browsers import KO, Browser, asks
from desks import Office

from subjectline.handlers import gate_callers
from subjectline.handlers.gate import Ask


async def test_asked_fourteen_times_given_none(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(
        staffed, KO, "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."
    )
    gate = staffed.desk.gate
    for member in ("1001",) * 14 + ("1002",):
        await gate.decide("nightly-export", member, ["shipping_address"], "delivery", "post_office")
    await gate.flush()
    page = (await console.get(f"/requests/{reference}")).text
    assert "배송지 주소: 14번 요청, 0번 제공" in page
    assert "nightly-export, " in page and "14번 중 0번" in page
    told = (await second.get(f"/requests/{reference}")).text
    assert "asked for 14 times, given 0 times" in told and "written every second" in told


async def test_what_a_client_only_observed_is_told_apart(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, "제 이름을 김하늬로 바꿔 주세요.")
    gate, now = staffed.desk.gate, staffed.desk.clock()
    await gate.refresh()
    for purpose, unenforced in (("marketing", 2), ("delivery", 0)):
        gate.count(Ask("mailer", "1001", ("name",), purpose), unenforced, 3, now, unenforced)
    await gate.flush()
    page = (await console.get(f"/requests/{reference}")).text
    assert "이름: 8번 요청, 2번 제공" in page and "시험 운영 중이라 막지 않은 이용 2번" in page
    told = (await second.get(f"/requests/{reference}")).text
    assert told.count("2 let through, not enforced") == 2, "of the field, and of who asked"


async def test_what_a_law_opens_is_told_apart(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, "제 이름을 김하늬로 바꿔 주세요.")
    async with staffed.desk.write() as session:
        key = await gate_callers.add_caller(session, "books", ["legal-retention"])
    assert await staffed.desk.gate.authenticate(key) == "books"
    given = await staffed.desk.gate.decide("books", "1001", ["name"], "legal-retention")
    assert given.permit and given.override
    page = (await console.get(f"/requests/{reference}")).text
    assert "1번 요청, 1번 제공" in page and "법에 따른 이용 1번" in page
