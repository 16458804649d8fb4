"""Another way to the person: their own other contacts, as far as the gate permits, once an agent says so."""

import pytest
from bounced import ME, MEMBER, NEW, bounced, handle, moves_to
from desks import CORRECT, Office, agent
from returned import dsn
from signing import proven

from subjectline.handlers import decisions, returned
from subjectline.models.errors import NotPermitted
from subjectline.models.tables import (
    Conversation,
    ReturnedLetter,
)


async def test_a_contested_contact_is_not_used(office: Office) -> None:
    """The new address is under correction: it is neither shown nor sent to."""
    await bounced(office)
    await moves_to(office, NEW)
    await proven(office, NEW, "이메일 주소를 haneul.other@mail.test로 바꿔 주세요.")
    request = await office.request()
    await decisions.vouch(office.desk, request.id or 0, request.version, agent(), MEMBER, "call")
    await office.work()
    number = next(r.handle for r in await returned.listed(office.desk) if r.letter == "done")
    seen = await returned.view(office.desk, number, agent())
    email = next(way for way in seen.ways if way.kind == "email")
    assert (email.value, email.can_send, email.why_not) == ("", False, "held")
    with pytest.raises(NotPermitted):
        await returned.send_again(office.desk, number, "email", agent())


async def test_the_same_dead_address_is_no_way(office: Office) -> None:
    await bounced(office)
    seen = await returned.view(office.desk, await handle(office), agent())
    email = next(way for way in seen.ways if way.kind == "email")
    assert (email.can_send, email.why_not) == (False, "bounces")


async def test_a_code_is_never_sent_twice(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.arrives(dsn(office.last(ME).message_id, ME))
    await moves_to(office, NEW)
    [row] = await office.all(ReturnedLetter)
    assert (row.letter, row.state, row.subject_id) == ("verify", "noted", None)
    async with office.desk.db.write() as session:  # proven by papers since
        kept = await session.get_one(ReturnedLetter, row.id)
        kept.state, kept.subject_id, kept.registry_id = (
            "waits",
            MEMBER,
            office.desk.data_map.registry,
        )
        session.add(kept)
    seen = await returned.view(office.desk, await handle(office), agent())
    assert [w.why_not for w in seen.ways if w.kind == "email"] == ["once_only"]
    with pytest.raises(NotPermitted):
        await returned.send_again(office.desk, await handle(office), "email", agent())


async def test_the_linked_chat_is_told_by_a_link(office: Office) -> None:
    row = await bounced(office)
    async with office.desk.db.write() as session:
        session.add(chat_of(office, row.registry_id))
    seen = await returned.view(office.desk, await handle(office), agent())
    assert [way.kind for way in seen.ways if way.can_send] == ["telegram"]
    await returned.send_again(office.desk, await handle(office), "telegram", agent())
    await office.work()
    told = office.last("4242")
    assert "/m/" in told.text and (await office.request()).reference in told.text
    assert (await office.all(ReturnedLetter))[-1].resent_by == "telegram"


def chat_of(office: Office, registry: str | None) -> Conversation:
    vault, now = office.desk.vault, office.clock()
    key = vault.fresh_key("conversation", now)
    return Conversation(
        door="telegram", contact_kind="telegram", contact_index=vault.index("telegram", "4242"),
        contact=vault.seal(key, "conversation.contact", "4242"), key_id=key, registry_id=registry,
        subject_id=MEMBER, proven_at=now, proven_by="email", made_at=now, last_at=now,
    )  # fmt: skip
