"""Line breaks in names, subjects and ids that strangers choose add no line to a letter of ours."""

import json
from email import message_from_bytes, policy

import pytest
from desks import ACCESS, ACCESS_EN, DESK, MakeDesk, Office

from subjectline.handlers import inbox
from subjectline.handlers.inbox import Raw
from subjectline.handlers.outbox import Parcel
from subjectline.models.incoming import Door

EVIL = "Bcc: evil@x.test"


@pytest.fixture
async def desk(make_desk: MakeDesk) -> Office:
    return await make_desk()


def clean(parcel: Parcel) -> bool:
    """Nothing that becomes a header has a line break in it, or the stranger's line."""
    ids = (parcel.message_id, parcel.in_reply_to, *parcel.references)
    heads = (parcel.recipient, parcel.subject, parcel.reply_to, *ids)
    return not any("\r" in one or "\n" in one or "evil" in one for one in heads)


@pytest.mark.parametrize(
    "head",
    [
        f'From: "x =?utf-8?q?=0D=0A{EVIL.replace(" ", "_")}?=" <a@b.test>\r\nSubject: hello',
        f"From: =?utf-8?q?x=0D=0A{EVIL.replace(' ', '_')}?= <a@b.test>\r\nSubject: hello",
        f"From: a@b.test\r\nSubject: =?utf-8?q?x=0D=0A{EVIL.replace(' ', '_')}?=",
        "From: a@b.test\r\nReply-To: evil@x.test\r\nSubject: hello",
        f"From: a@b.test\r\nSubject: hello\r\nReferences: <x@y>\r {EVIL}",
    ],
)
async def test_a_mail_adds_no_line_to_our_letters(desk: Office, head: str) -> None:
    id_ = "<1@b.test>"
    raw = f"{head}\r\nTo: {DESK}\r\nMessage-ID: {id_}\r\n\r\n{ACCESS_EN}\r\n".encode()
    assert message_from_bytes(raw, policy=policy.compat32)["Message-ID"]
    await desk.arrives(raw)
    [letter] = desk.tray.parcels
    assert letter.recipient == "a@b.test" and clean(letter)


async def test_nor_does_an_id_with_a_line_break(desk: Office) -> None:
    raw = f"From: a@b.test\r\nTo: {DESK}\r\nMessage-ID: <1@b\r\n\t{EVIL}>\r\n\r\n{ACCESS_EN}\r\n"
    await desk.arrives(raw.encode())
    assert all(clean(letter) for letter in desk.tray.parcels)


async def test_a_name_in_a_chat_is_read_nowhere(desk: Office) -> None:
    person = {"id": 51, "is_bot": False, "first_name": f"x\r\n{EVIL}", "language_code": "ko\r\nen"}
    chat = {"id": 51, "type": "private", "first_name": f"x\r\n{EVIL}"}
    said = {"message_id": 1, "date": int(desk.clock().timestamp()), "chat": chat, "from": person}
    body = json.dumps({"update_id": 1, "message": {**said, "text": ACCESS}}).encode()
    row = Raw(Door.TELEGRAM, "telegram:1:1", "telegram:51", desk.clock(), body)
    await inbox.keep(desk.desk, [row])
    await desk.work()
    told = desk.tray.to("51")
    assert told and not any("evil" in line.text for line in told) and all(map(clean, told))
