"""The data map asks what leaving does with a table: the page does too, and the answer is signed."""

import re

import pytest
from browsers import KO, Browser
from desks import LEAVE, Office
from signing import proven, signed

from subjectline.handlers import drafting
from subjectline.models.datamap import Leave
from subjectline.models.tables import Proposal


@pytest.fixture
def asking(staffed: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setitem(staffed.desk.data_map.leave, "device", Leave(action="ask"))
    return staffed


async def test_a_leaving_waits_for_the_choice_and_binds_it(
    console: Browser, second: Browser, asking: Office
) -> None:
    request = await proven(asking, KO, LEAVE)
    assert request.state == "open" and await asking.all(Proposal) == []
    here = f"/requests/{request.reference}"
    assert "데이터 맵에 정해져 있지 않습니다" in (await console.get(here)).text
    form = (await console.get(f"{here}/edit")).text
    assert re.findall(r'name="leave\.device" value="(\w+)"', form) == ["delete", "by_hand"]
    assert "what leaving does with it" in (await second.get(f"{here}/edit")).text
    await console.post(
        f"{here}/propose", version=str(request.version), **{"leave.device": "delete"}
    )
    [proposal] = await asking.all(Proposal)
    said = drafting.open_envelope(asking.desk, proposal)
    assert ("device", "delete") in {(c["table"], c["op"]) for c in said["changes"]}
    assert [row["new"] for row in said["rows"]] == ["삭제"]
    assert (proposal.needs, proposal.touched) == (2, True)
    request = await signed(asking)
    assert request.state == "done"
    assert await asking.sql("SELECT * FROM device WHERE member_id = 1001") == []


async def test_what_is_done_by_hand_is_told_in_the_agent_s_words(
    console: Browser, asking: Office
) -> None:
    request = await proven(asking, KO, LEAVE)
    here = f"/requests/{request.reference}"
    by_hand = {"leave.device": "by_hand"}
    await console.post(f"{here}/propose", version=str(request.version), **by_hand)
    assert await asking.all(Proposal) == []
    await console.get(f"{here}/edit")
    note = "등록하신 기기 정보를 직접 지웠습니다."
    await console.post(f"{here}/propose", version=str(request.version), note=note, **by_hand)
    [proposal] = await asking.all(Proposal)
    said = drafting.open_envelope(asking.desk, proposal)
    assert "device" not in {change["table"] for change in said["changes"]}
    assert note in said["text"]
