"""The raw inbox: one row a thing, sealed until it is handled, dead after five tries, never lost."""

import asyncio
from datetime import timedelta

import pytest
from desks import ACCESS, CORRECT, NOW, PARSERS, Office, agent, letter

from subjectline.handlers import inbox, reception, sorting
from subjectline.handlers.inbox import Raw
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.errors import RegistryAway, RegistryError, StaleMove
from subjectline.models.incoming import Door
from subjectline.models.tables import Message, RawInbox, Request

ME = KO_MEMBER.email


def raw(words: str = CORRECT, key: str = "mail:a:1:1", lane: str = "mail:a", who: str = ME) -> Raw:
    return Raw(Door.MAIL, key, lane, NOW, letter(who, words))


async def once(office: Office) -> int:
    return await inbox.once(office.desk, PARSERS)


async def test_the_same_thing_twice_is_one_row(office: Office) -> None:
    await inbox.keep(office.desk, [raw(), raw()])
    await inbox.keep(office.desk, [raw()])
    assert len(await office.all(RawInbox)) == 1
    await once(office)
    await inbox.keep(office.desk, [raw()])  # again, after it was handled
    assert await once(office) == 0 and len(await office.all(Message)) == 2  # theirs and ours


async def test_it_is_sealed_until_it_is_handled_and_gone_then(office: Office) -> None:
    await inbox.keep(office.desk, [raw()])
    [kept] = await office.all(RawInbox)
    assert kept.body is not None and ME.encode() not in kept.body.data
    await once(office)
    [kept] = await office.all(RawInbox)
    assert (kept.state, kept.body) == ("done", None) and kept.message_id is not None


async def test_dead_after_five_tries_and_its_lane_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await inbox.keep(office.desk, [raw(), raw(key="mail:a:1:2", who=EN_MEMBER.email)])
    await inbox.keep(office.desk, [raw(key="mail:b:1:1", lane="mail:b", who="c@mail.test")])
    real = reception.receive

    async def picky(session: object, desk: object, incoming: object, known: object) -> object:
        if incoming.sender.value == ME:  # type: ignore[attr-defined]
            raise RuntimeError("nobody thought of this")
        return await real(session, desk, incoming, known)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(reception, "receive", picky)
        await once(office)
        states = [row.state for row in await office.all(RawInbox)]
        assert states == ["new", "new", "done"]  # its own lane waits, another does not
        for _ in range(4):
            await once(office)
        await once(office)
        assert [row.state for row in await office.all(RawInbox)] == ["dead", "done", "done"]
    dead = (await office.all(RawInbox))[0]
    assert dead.body is not None and dead.reason == "RuntimeError"
    await sorting.retry_dead(office.desk, dead.id or 0, agent())
    await once(office)
    assert [row.state for row in await office.all(RawInbox)] == ["done"] * 3
    assert len(await office.all(Request)) == 3
    with pytest.raises(StaleMove):
        await sorting.retry_dead(office.desk, dead.id or 0, agent())


async def test_two_hands_on_one_mail(office: Office) -> None:
    """Two workers see the same row; one of them receives it."""
    await inbox.keep(office.desk, [raw()])
    await once(office)
    await inbox.keep(office.desk, [raw(ACCESS, key="mail:a:1:2")])
    await asyncio.gather(*(once(office) for _ in range(4)))
    assert len(await office.all(Request)) == 2
    assert len([m for m in await office.all(Message) if m.direction == "in"]) == 2


async def test_half_a_step_is_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await inbox.keep(office.desk, [raw()])

    async def broken(*_: object) -> None:
        raise RuntimeError("after the message was kept")

    with monkeypatch.context() as half:
        half.setattr(reception, "_new_wishes", broken)
        await once(office)
    assert await office.all(Message) == [] and await office.all(Request) == []
    await once(office)
    assert len(await office.all(Request)) == 1


async def test_what_cannot_be_read_is_a_dead_letter_at_once(office: Office) -> None:
    body = b'{"update_id": 1, "message": 7}'
    await inbox.keep(office.desk, [Raw(Door.TELEGRAM, "t:1:1", "t:1", NOW, body)])
    await once(office)
    [kept] = await office.all(RawInbox)
    assert kept.state == "dead" and kept.body is not None


@pytest.mark.parametrize("wrong", [RegistryAway("gone"), RegistryError("no such column")])
async def test_nothing_is_lost_while_the_registry_does_not_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch, wrong: RegistryError
) -> None:
    async def gone(*_: object) -> None:
        raise wrong

    await inbox.keep(office.desk, [raw()])
    monkeypatch.setattr(inbox, "AWAY", 0.001)
    with monkeypatch.context() as away:
        away.setattr(office.desk.registry, "find_all", gone)
        for _ in range(9):
            assert await once(office) == 0
    [kept] = await office.all(RawInbox)
    assert (kept.state, kept.attempts) == ("new", 0)  # waiting is no failure
    await once(office)
    assert len(await office.all(Request)) == 1


async def test_an_intake_key_dies_after_thirty_days_with_what_is_left_under_it(
    office: Office,
) -> None:
    await inbox.keep(office.desk, [Raw(Door.TELEGRAM, "t:1:1", "t:1", NOW, b"not json")])
    await once(office)
    office.clock.advance(timedelta(days=31))
    assert inbox.forget_intake_keys(office.desk) == ["intake:2026-11-23"]
    [dead] = await office.all(RawInbox)
    await sorting.retry_dead(office.desk, dead.id or 0, agent())
    await once(office)
    [dead] = await office.all(RawInbox)
    assert dead.state == "dead" and "destroyed" in dead.reason
