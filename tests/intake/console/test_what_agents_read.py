"""What an agent reads before signing: what is there, what moves, in which language the words are."""

import html

from browsers import EN, KO, Browser
from desks import CORRECT, CORRECT_EN, LEAVE, THIRD_PARTY, Office
from signing import proven

from subjectline.handlers import drafting
from subjectline.models.tables import Proposal

ERASE = "제 카카오톡 ID를 삭제해 주세요."


async def test_an_erasure_shows_that_there_is_a_value(console: Browser, staffed: Office) -> None:
    request = await proven(staffed, KO, ERASE)
    [proposal] = await staffed.all(Proposal)
    assert drafting.open_envelope(staffed.desk, proposal)["rows"][0]["old"] == ""
    page = (await console.get(f"/requests/{request.reference}")).text
    assert "값 있음" in page and "(비어 있음)" not in page


async def test_records_that_a_law_keeps_are_said_to_move(console: Browser, staffed: Office) -> None:
    request = await proven(staffed, KO, LEAVE)
    [proposal] = await staffed.all(Proposal)
    changes = drafting.open_envelope(staffed.desk, proposal)["changes"]
    moved = [change["old"] for change in changes if change["op"] == "move"]
    page = (await console.get(f"/requests/{request.reference}")).text
    assert moved and page.count("분리 보관으로 옮김") == len(moved)
    assert all(f"분리 보관으로 옮김, {n}건" in page for n in moved)


async def test_no_letter_says_that_recipients_were_told(console: Browser, staffed: Office) -> None:
    await proven(staffed, KO, THIRD_PARTY)
    [proposal] = await staffed.all(Proposal)
    said = drafting.open_envelope(staffed.desk, proposal)
    assert "앞으로 위의 곳에 회원님의 정보를 제공하지 않습니다." in said["text"]
    assert "알립니다" not in said["text"] + said["html"]


async def test_korean_words_for_an_english_letter_are_doubted_once(
    console: Browser, staffed: Office
) -> None:
    request = await proven(staffed, EN, CORRECT_EN)
    path, before = f"/requests/{request.reference}/propose", await staffed.all(Proposal)
    await console.get(f"/requests/{request.reference}")
    said = {"outcome": "refuse", "ground": "not_incorrect", "note": "기록이 맞습니다."}
    doubted = await console.post(path, **said)
    assert "영어" in doubted.text and "기록이 맞습니다." in html.unescape(doubted.text)
    assert len(await staffed.all(Proposal)) == len(before)
    assert console.hidden(path)["ground"] == "not_incorrect"
    await console.post(path, note="기록이 맞습니다.")
    newest = (await staffed.all(Proposal))[-1]
    assert newest.outcome == "refuse"
    assert "기록이 맞습니다." in drafting.open_envelope(staffed.desk, newest)["text"]


async def test_english_words_for_a_korean_letter_can_be_written_anew(
    console: Browser, staffed: Office
) -> None:
    request = await proven(staffed, KO, CORRECT)
    path = f"/requests/{request.reference}/propose"
    await console.get(f"/requests/{request.reference}")
    said = {"outcome": "refuse", "ground": "not_incorrect"}
    await console.post(path, note="The record is right.", **said)
    await console.post(path, note="기록이 맞습니다.")
    said_now = drafting.open_envelope(staffed.desk, (await staffed.all(Proposal))[-1])
    assert "기록이 맞습니다." in said_now["text"] and "record is right" not in said_now["text"]


async def test_a_question_is_doubted_too(console: Browser, staffed: Office) -> None:
    request = await proven(staffed, KO, CORRECT)
    path = f"/requests/{request.reference}/ask"
    await console.get(f"/requests/{request.reference}")
    doubted = await console.post(path, note="Which floor is it?")
    assert "한국어" in doubted.text and await staffed.state() == "proposed"
    await console.post(path, note="Which floor is it?")
    assert await staffed.state() == "waiting"


async def test_the_reason_of_a_restriction_is_doubted_too(
    console: Browser, staffed: Office
) -> None:
    await console.get("/restrictions")
    doubted = await console.post("/restrictions", member="1001", reason="A false name was given.")
    assert "한국어" in doubted.text and console.hidden("/restrictions")["member"] == "1001"
    assert await staffed.all(Proposal) == []
