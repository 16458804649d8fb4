"""Chats with a desk by plain lines: the conversation, and no messenger."""

from collections.abc import Callable

import pytest
from desks import MakeDesk, Office
from plain_chats import PlainChat

Begin = Callable[[str], PlainChat]


@pytest.fixture
async def desk(make_desk: MakeDesk) -> Office:
    """One desk on SQLite: what is said does not hang on the database."""
    return await make_desk()


@pytest.fixture
def begin(desk: Office) -> Begin:
    """`begin("ko")`: a member's chat, their program set to a language."""
    return lambda app: PlainChat(desk, app)
