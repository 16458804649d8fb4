"""The request's page says since when its hold is in force everywhere, and whose views show nothing."""

from browsers import EN, KO, Browser, asks
from desks import Office

from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.gate_reach import Reach
from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable


async def test_since_when_it_is_in_force_everywhere(console: Browser, staffed: Office) -> None:
    reference = await asks(
        staffed, KO, "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."
    )
    desk = staffed.desk
    assert "모든 시스템에 적용" not in (await console.get(f"/requests/{reference}")).text
    await Reach(desk.gate, desk.db, desk.clock).note((await staffed.holds())[0].revision)
    assert "부터 모든 시스템에 적용되었습니다" in (await console.get(f"/requests/{reference}")).text


async def test_views_that_show_nothing(second: Browser, staffed: Office) -> None:
    reference = await asks(staffed, EN, "Please change my nickname to quiet harbour.")
    desk = staffed.desk
    told = "the views of the database members are not being updated"
    assert told not in (await second.get(f"/requests/{reference}")).text
    table = HoldTable(desk.data_map, "members", open_engine("postgresql://nobody@127.0.0.1:1/none"))
    desk.mirrors.all = (Mirror(table, desk.gate, desk.clock),)
    assert told in (await second.get(f"/requests/{reference}")).text
    await desk.mirrors.close()
