"""Rows numbered before they are written: the same rows as written one by one, in far fewer statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from desks import ACCESS_EN, NOW, PARSERS, Office, letter
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from subjectline.handlers import inbox
from subjectline.handlers.inbox import Raw
from subjectline.models.incoming import Door
from subjectline.models.rows import all_made, made_here, make_row, row_of, settled
from subjectline.models.tables import Conversation, Message, Outbox, Request, SentMessage

MAILS = 40


def talk(name: str) -> Conversation:
    return Conversation(
        door="mail", contact_kind="email", contact_index=name.encode(), key_id="k",
        made_at=NOW, last_at=NOW,
    )  # fmt: skip


def said(conversation_id: int) -> Message:
    return Message(conversation_id=conversation_id, direction="in", door="mail", at=NOW)


@contextmanager
def statements(office: Office) -> Iterator[list[str]]:
    """What the writer was asked meanwhile."""
    seen: list[str] = []

    def look(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    engine = office.desk.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", look)


async def test_a_row_that_was_made_is_at_hand(office: Office) -> None:
    async with office.desk.db.write() as session:
        made = await make_row(session, talk("a"))
        number = made.id or 0
        assert number and made_here(session, Conversation, number) is made
        assert await row_of(session, Conversation, number) is made
        assert all_made(session, Conversation) == [made] and not all_made(session, Message)
    async with office.desk.db.read() as session:
        assert made_here(session, Conversation, number) is None
        assert (await row_of(session, Conversation, number)).contact_index == b"a"


async def test_numbers_go_on_beside_rows_that_the_database_numbers(office: Office) -> None:
    async with office.desk.db.write() as session:
        first = await make_row(session, talk("a"))
        session.add(said(first.id or 0))
        await session.flush()
        second = await make_row(session, said(first.id or 0))
        session.add_all([said(first.id or 0), said(first.id or 0)])
        await session.flush()
        third = await make_row(session, said(first.id or 0))
    async with office.desk.db.write() as session:
        await make_row(session, said(first.id or 0))
    async with office.desk.db.read() as session:
        ids = list(await session.exec(select(Message.id)))
    assert len(ids) == len(set(ids)) == 6 and {second.id, third.id} < set(ids)


async def test_what_refers_to_nothing_is_refused_all_the_same(office: Office) -> None:
    with pytest.raises(IntegrityError):
        async with office.desk.db.write() as session:
            await make_row(session, said(4_711))
    async with office.desk.db.read() as session:
        assert not list(await session.exec(select(Message.id)))


async def test_a_query_sees_what_its_own_conversation_waits_to_write(office: Office) -> None:
    async with office.desk.db.write() as session:
        one = await make_row(session, talk("a"))
        other = await make_row(session, talk("b"))
        await session.flush()
        number = one.id or 0
        wanted = select(Message.id).where(Message.conversation_id == number)
        await make_row(session, said(other.id or 0))
        with settled(session, Message, number):
            assert not list(await session.exec(wanted))
        mine = await make_row(session, said(number))
        with settled(session, Message, number):
            assert list(await session.exec(wanted)) == [mine.id]


async def test_a_batch_of_first_mails_takes_few_statements(office: Office) -> None:
    raws = [
        Raw(Door.MAIL, f"a:1:{n}", "a", NOW, letter(f"person{n}@mail.test", ACCESS_EN))
        for n in range(MAILS)
    ]
    await inbox.keep(office.desk, raws)
    with statements(office) as seen:
        assert await inbox.once(office.desk, PARSERS) == MAILS
    assert len(seen) < MAILS * (2 if office.desk.db.embedded else 15)
    async with office.desk.db.read() as session:
        for kind in (Conversation, Request, Outbox, SentMessage):
            assert len(list(await session.exec(select(kind)))) == MAILS
