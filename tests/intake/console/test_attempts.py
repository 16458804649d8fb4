"""After a failed attempt the page says which table has which value, and shows none of them."""

from browsers import KO, Browser, asks
from desks import Office, agent

from subjectline.handlers import decisions
from subjectline.models.tables import Attempt, Proposal

ADDRESS = "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."


async def test_a_failed_attempt_says_which_table_has_which_value(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    [proposal] = await staffed.all(Proposal)
    await decisions.approve(staffed.desk, proposal.sha256, agent(4))
    await staffed.sql("UPDATE profile SET shipping_address = 'elsewhere' WHERE member_id = 1001")
    await staffed.work()
    [attempt] = await staffed.all(Attempt)
    seen = {(p["table"], p["column"], p["state"]) for p in attempt.detail["places"]}
    assert ("profile", "shipping_address", "other") in seen
    assert {state for table, _, state in seen if table != "profile"} == {"old"}
    assert "elsewhere" not in str(attempt.detail) and "새길" not in str(attempt.detail)
    page = (await console.get(f"/requests/{reference}")).text
    assert "실패한 뒤 각 테이블에 남아 있는 값" in page
    assert "이전 값도 새 값도 아닌 다른 값입니다. (1건)" in page
    assert "elsewhere" not in page
    english = (await second.get(f"/requests/{reference}")).text
    assert "another value, neither the old nor the new (1)" in english
