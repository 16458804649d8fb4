"""What Telegram lets people send that is no text of theirs, at every step: said so, and nothing moves."""

import json
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from desks import NEW_ADDRESS, Office, code_in

from subjectline.handlers import inbox
from subjectline.handlers.inbox import Raw
from subjectline.handlers.wishes import wish_of
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.incoming import Door
from subjectline.models.tables import Request

USER = 5150
FILE = {
    "file_id": "f",
    "file_unique_id": "u",
    "file_size": 9,
    "width": 9,
    "height": 9,
    "duration": 1,
}
FORWARD = {"type": "user", "date": 1, "sender_user": {"id": 9, "is_bot": False, "first_name": "F"}}
OTHER = {"phone_number": "+821000001001", "first_name": "F", "user_id": 9}
ODD: dict[str, dict[str, Any]] = {
    "sticker": {"sticker": {**FILE, "type": "regular", "is_animated": False, "is_video": False}},
    "voice": {"voice": FILE},
    "photo": {"photo": [FILE]},
    "place": {"location": {"latitude": 37.5, "longitude": 127.0}},
    "dice": {"dice": {"emoji": "🎲", "value": 3}},
    "somebody_elses_number": {"contact": OTHER},
    "forwarded_yes": {"text": "네", "forward_origin": FORWARD},
    "forwarded_value": {"text": "서울시 종로구 남의길 1, 101호", "forward_origin": FORWARD},
    "edited_value": {"text": "서울시 종로구 옛길 1, 101호", "edit_date": 5},
    "edited_right": {"text": "회원 탈퇴하겠습니다.", "edit_date": 5},
}
_numbers = count(10_000)


async def sends(
    office: Office, content: dict[str, Any], chat: dict[str, Any] | None = None
) -> list[str]:
    """One message of Telegram's; what the bot says to it."""
    person = {"id": USER, "is_bot": False, "first_name": "P", "language_code": "ko"}
    number, at = next(_numbers), int(office.clock().timestamp())
    message = {"message_id": number, "date": at, "from": person, **content}
    message["chat"] = chat or {"id": USER, "type": "private", "first_name": "P"}
    kind = "edited_message" if "edit_date" in content else "message"
    body = json.dumps({"update_id": number, kind: message}).encode()
    seen = len(office.tray.to(str(USER)))
    key = f"telegram:1:{number}"
    await inbox.keep(
        office.desk, [Raw(Door.TELEGRAM, key, f"telegram:{USER}", office.clock(), body)]
    )
    await office.work()
    return [parcel.text for parcel in office.tray.to(str(USER))[seen:] if parcel.text]


async def at_the_field(office: Office) -> None:
    await office.chat(USER, "/correct")


async def at_the_address(office: Office) -> None:
    await at_the_field(office)
    await office.chat(USER, button="field:correction:shipping_address")


async def at_the_code(office: Office) -> None:
    await at_the_address(office)
    await office.chat(USER, KO_MEMBER.email)


async def at_the_value(office: Office) -> None:
    await at_the_code(office)
    await office.chat(USER, code_in(office.last(KO_MEMBER.email)))


async def at_the_yes(office: Office) -> None:
    await at_the_value(office)
    await office.chat(USER, NEW_ADDRESS)


STEPS: list[Callable[[Office], Awaitable[None]]] = [
    at_the_field, at_the_address, at_the_code, at_the_value, at_the_yes,
]  # fmt: skip


EARLY = (at_the_field, at_the_code)  # much as the steps after them


async def standing(office: Office) -> list[Any]:
    requests = await office.all(Request)
    wishes = [wish_of(office.desk, request) for request in requests]
    return [[(r.state, r.version, r.fields) for r in requests], wishes]


@pytest.mark.parametrize(
    "step",
    [pytest.param(s, marks=pytest.mark.long if s in EARLY else ()) for s in STEPS],
    ids=lambda step: step.__name__,
)
async def test_it_is_said_and_nothing_moves(
    desk: Office, step: Callable[[Office], Awaitable[None]]
) -> None:
    await step(desk)
    before = await standing(desk)
    said = {name: await sends(desk, content) for name, content in ODD.items()}
    assert [name for name, heard in said.items() if len(heard) != 1] == []
    assert "전달하신 글" in said["forwarded_yes"][0]
    assert "새 메시지로" in said["edited_value"][0]
    assert "보안 페이지로 안내" in said["photo"][0]
    assert await standing(desk) == before


async def test_a_group_is_not_spoken_to(desk: Office) -> None:
    group = {"id": -100, "type": "supergroup", "title": "G"}
    assert await sends(desk, {"text": "/start"}, group) == []
    assert await sends(desk, {"text": "제 정보를 보여 주세요"}, group) == []
    assert not await desk.all(Request)


async def test_a_code_may_be_mended_by_editing(desk: Office) -> None:
    await at_the_code(desk)
    right = code_in(desk.last(KO_MEMBER.email))
    await sends(desk, {"text": right, "edit_date": 5})
    assert (await desk.request()).level == "contact"
