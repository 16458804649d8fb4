"""One update: what it says, and what it does not."""

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.handlers.inbox import RawView
from subjectline.intake.telegram_update import arrival_of, chat_of, parse_update, press_of
from subjectline.models.errors import UnreadableMail
from subjectline.models.incoming import Contact, Door, Incoming
from subjectline.models.masking import MASK

HANA = 11
KEPT = datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
SAID = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def person(language: str = "ko") -> dict[str, Any]:
    return {"id": HANA, "is_bot": False, "first_name": "하나", "language_code": language}


def message(text: str | None = None, language: str = "ko", **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "message_id": 5,
        "date": int(SAID.timestamp()),
        "chat": {"id": HANA, "type": "private", "first_name": "하나"},
        "from": person(language),
    }
    return said | ({} if text is None else {"text": text}) | more


def parsed(update: object) -> Incoming | None:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    return parse_update(RawView(Door.TELEGRAM, "telegram:1:2", KEPT, body, False))


def read(said: dict[str, Any], kind: str = "message") -> Incoming:
    incoming = parsed({"update_id": 2, kind: said})
    assert incoming is not None
    return incoming


def test_words() -> None:
    incoming = read(message("전화번호가 바뀌었어요"))
    assert incoming.text == "전화번호가 바뀌었어요"
    assert incoming.sender == Contact("telegram", "11")
    assert (incoming.door, incoming.source_key) == (Door.TELEGRAM, "telegram:1:2")
    assert (incoming.arrived_at, incoming.chat_message_id) == (SAID, 5)
    assert incoming.arrived_at.tzinfo is UTC
    assert (incoming.sender_name, incoming.evidence) == ("", {})


def test_a_resident_number_is_masked_wherever_it_stands() -> None:
    incoming = read(message("제 번호는 900101-1234567입니다"))
    assert incoming.text == f"제 번호는 {MASK}입니다" and incoming.resident_number_found
    document = {"file_name": "900101-1234567.pdf", "mime_type": "application/pdf"}
    incoming = read(message(caption="900101-1234567", document=document))
    assert incoming.resident_number_found
    assert "1234567" not in repr(incoming)
    pressed = read(press("900101-1234567"), "callback_query")
    assert pressed.button == MASK and pressed.resident_number_found


def press(data: str = "right:access", **more: Any) -> dict[str, Any]:
    shown = message("고르세요") | {"from": {"id": 1, "is_bot": True, "first_name": "Desk"}}
    return {"id": "77", "from": person(), "chat_instance": "1", "message": shown, "data": data} | (
        more
    )


def test_a_pressed_button_arrives_when_it_is_kept() -> None:
    incoming = read(press(), "callback_query")
    assert (incoming.button, incoming.chat_message_id) == ("right:access", 5)
    assert (incoming.text, incoming.language) == ("", "ko")
    assert (incoming.sender, incoming.arrived_at) == (Contact("telegram", "11"), KEPT)


def test_a_button_under_a_message_too_old_to_be_shown() -> None:
    old = {"chat": {"id": HANA, "type": "private"}, "message_id": 3, "date": 0}
    incoming = read(press(message=old), "callback_query")
    assert (incoming.button, incoming.chat_message_id) == ("right:access", 3)


def test_an_edited_message_is_a_new_one_of_its_own_time() -> None:
    later = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)
    incoming = read(message("다시", edit_date=int(later.timestamp())), "edited_message")
    assert (incoming.text, incoming.arrived_at) == ("다시", later)
    assert incoming.evidence == {"edited": "yes"}


def test_files_are_named_and_not_fetched() -> None:
    document = {"file_id": "x", "file_name": "신분증.pdf", "mime_type": "application/pdf"}
    incoming = read(message(document=document))
    assert incoming.text == ""
    (file,) = incoming.attachments
    assert (file.name, file.content_type, file.content) == ("신분증.pdf", "application/pdf", b"")
    photo = read(message(photo=[{"file_id": "a"}, {"file_id": "b"}], caption="제 사진입니다"))
    assert photo.text == "제 사진입니다"
    assert [(f.name, f.content_type) for f in photo.attachments] == [("photo", "image/jpeg")]
    (voice,) = read(message(voice={"file_id": "x", "duration": 3})).attachments
    assert (voice.name, voice.content_type) == ("voice", "audio/ogg")


@pytest.mark.parametrize("kind", ["sticker", "location", "dice", "something_new"])
def test_what_has_no_words_is_still_somebody_speaking(kind: str) -> None:
    incoming = read(message() | {kind: {}})
    assert (incoming.text, incoming.attachments) == ("", ())


OWN = {"phone_number": "+82 10-0000-1234", "first_name": "하나", "user_id": HANA}


@pytest.mark.parametrize("number", ["+82 10-0000-1234", "821000001234", "+821000001234"])
def test_the_own_number(number: str) -> None:
    assert read(message(contact=OWN | {"phone_number": number})).shared_phone == "+821000001234"


@pytest.mark.parametrize(
    "said",
    [
        message(contact={"phone_number": "+821000001234", "first_name": "하나"}),
        message(contact=OWN | {"user_id": None}),
        message(contact=OWN | {"user_id": 12}),
        message(contact=OWN | {"user_id": "11"}),
        message(contact=OWN, forward_origin={"type": "user"}),
        message(contact=OWN, forward_date=1),
        message(contact=OWN, via_bot={"id": 7, "is_bot": True}),
        message(contact=OWN, sender_business_bot={"id": 7, "is_bot": True}),
        message(contact=OWN | {"phone_number": "010"}),
        message(contact=OWN | {"phone_number": "0" * 11}),
        message(contact="+821000001234"),
    ],
)
def test_a_number_that_proves_nothing(said: dict[str, Any]) -> None:
    assert read(said).shared_phone == ""
    assert "1000001234" not in repr(read(said))


def test_true_is_not_the_user_number_one() -> None:
    said = message(contact=OWN | {"user_id": True})
    said["from"]["id"] = said["chat"]["id"] = 1
    assert read(said).shared_phone == ""


def became(status: str) -> dict[str, Any]:
    told = message()
    bot = {"id": 1, "is_bot": True, "first_name": "B"}
    return {k: told[k] for k in ("chat", "from", "date")} | {
        "old_chat_member": {"status": "member", "user": bot},
        "new_chat_member": {"status": status, "user": bot},
    }


@pytest.mark.parametrize(("status", "what"), [("kicked", "blocked"), ("member", "unblocked")])
def test_a_block_and_its_end(status: str, what: str) -> None:
    incoming = read(became(status), "my_chat_member")
    assert (incoming.happened, incoming.text, incoming.arrived_at) == (what, "", SAID)
    assert incoming.sender == Contact("telegram", str(HANA))
    assert arrival_of({"my_chat_member": became(status)}) == SAID


@pytest.mark.parametrize(
    "update",
    [
        {"my_chat_member": became("left")},
        {"my_chat_member": became("kicked") | {"chat": {"id": -5, "type": "supergroup"}}},
        {"channel_post": message("x")},
        {"message": message("x", chat={"id": -5, "type": "supergroup", "title": "g"})},
        {"message": message(contact=OWN, chat={"id": -5, "type": "group", "title": "g"})},
        {"message": message("x") | {"from": person() | {"is_bot": True}}},
        {"message": message(pinned_message={})},
        {"edited_message": message(location={})},
        {"callback_query": press(message=message(chat={"id": -5, "type": "group"}))},
        {"callback_query": {"id": "1", "from": person(), "inline_message_id": "x", "data": "y"}},
        {
            "callback_query": {
                "id": "1",
                "from": person(),
                "message": message(),
                "game_short_name": "",
            }
        },
    ],
)
def test_what_nobody_said_to_us(update: dict[str, Any]) -> None:
    assert parsed({"update_id": 2} | update) is None


@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b"[]",
        b"null",
        {},
        {"update_id": 2},
        {"message": "text"},
        {"message": None},
        {"message": {}},
        {"message": message(5)},  # type: ignore[arg-type]
        {"message": message("x", chat={"id": 12, "type": "private"})},
        {"message": message("x", chat={"id": "11", "type": "private"})},
        {"message": message("x", chat=None)},
        {"message": message("x", message_id="5")},
        {"message": message("x", message_id=2**63)},
        {"message": message("x") | {"from": None}},
        {"message": message(document={"file_name": 5})},
        {"callback_query": press(data=5)},  # type: ignore[arg-type]
        {"callback_query": press(message="x")},
    ],
)
def test_malformed(update: object) -> None:
    with pytest.raises(UnreadableMail) as wrong:
        parsed(update)
    assert "하나" not in str(wrong.value)


@pytest.mark.parametrize("date", [None, 0, -5, "soon", 2**70, True, 1.5])
def test_a_time_that_is_none_is_the_time_of_keeping(date: object) -> None:
    assert read(message("x", date=date)).arrived_at == KEPT


@pytest.mark.parametrize(
    ("text", "code", "language"),
    [
        ("이름을 바꿔 주세요", "en", "ko"),
        ("Please change my name to 김하나", "ko", "en"),
        ("/start", "ko", "ko"),
        ("/start", "en", "en"),
        ("/start", "ko-KR", "ko"),
        ("/start", "kok", "en"),
        ("hana@member.test", "ko", "ko"),
        ("https://a.example/path", "ko", "ko"),
        ("123456", "ko", "ko"),
        ("", "de", "en"),
    ],
)
def test_language(text: str, code: str, language: str) -> None:
    assert read(message(text, code)).language == language


def test_no_language_code() -> None:
    said = message("1")
    del said["from"]["language_code"]
    assert read(said).language == "en"


def test_hangul_in_parts_is_put_together() -> None:
    assert read(message(unicodedata.normalize("NFD", "전화번호"))).text == "전화번호"


def test_what_no_database_takes_is_left_out() -> None:
    body = json.dumps({"update_id": 2, "message": message("PLACE")}).encode()
    incoming = parsed(body.replace(b"PLACE", rb" a\ud800b\u0000c\ud83d\ude42\n "))
    assert incoming is not None and incoming.text == "a\ufffdbc🙂"


def test_a_forwarded_text_says_so() -> None:
    assert read(message("x", forward_origin={"type": "user"})).evidence == {"forwarded": "yes"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(message("안녕")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["message", "edited_message", "callback_query", "chat", "from", "id", "type", "date",
             "text", "contact", "user_id", "document", "file_name", "data", "message_id", "photo"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(ANYTHING)
def test_anything_is_read_or_refused(update: object) -> None:
    chat_of(update), press_of(update), arrival_of(update)
    try:
        incoming = parsed(update)
    except UnreadableMail:
        return
    assert incoming is None or incoming.sender.value.lstrip("-").isdigit()


@given(st.sampled_from(sorted(message("x") | press())), ANYTHING)
def test_one_part_replaced(name: str, value: object) -> None:
    for update in (
        {"message": message("안녕") | {name: value}},
        {"callback_query": press() | {name: value}},
    ):
        test_anything_is_read_or_refused.hypothesis.inner_test(update)  # type: ignore[attr-defined]
