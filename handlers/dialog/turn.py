"""One message of a chat with what is needed to answer it, and the step its conversation is at.

The step stands sealed in the conversation's row, so that a chat goes on after days or a restart.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import post
from subjectline.handlers.belonging import open_of
from subjectline.handlers.choices import Keyboard
from subjectline.handlers.identity import Known
from subjectline.handlers.letters import SECURE_LINK, Letter
from subjectline.handlers.understanding import Answer, Understanding, read_answer, understand
from subjectline.models.incoming import Incoming
from subjectline.models.tables import Conversation, Message, Request
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


@dataclass
class Turn:
    """One message of a chat and what is needed to answer it."""

    session: AsyncSession
    desk: "Desk"
    conversation: Conversation
    message: Message
    incoming: Incoming
    known: Known

    def say(
        self,
        letter: str,
        keyboard: Keyboard | None = None,
        *,
        about: Sequence[Request] = (),
        **facts: Any,
    ) -> None:
        say(self.session, self.conversation, letter, keyboard, about=about, **facts)

    @property
    def language(self) -> str:
        return self.conversation.language

    @property
    def text(self) -> str:
        return self.incoming.text.strip()

    @cached_property
    def meant(self) -> Understanding:
        """What the words ask for."""
        return understand(self.text, self.desk.vocabulary, self.language)

    @cached_property
    def answer(self) -> Answer:
        """The words as an answer of ours: a yes, a no, a code."""
        return read_answer(self.text)

    @property
    def step(self) -> str:
        """`email` (an address is awaited), `field:<right>` (its field is chosen), or nothing."""
        return state_of(self.desk, self.conversation).get("step", "")

    def at(self, step: str) -> None:
        """Remembers what is awaited next."""
        set_state(self.desk, self.conversation, {"step": step} if step else {})
        self.session.add(self.conversation)

    def forget(self) -> None:
        """Deletes the member's message from the chat."""
        forget(self.session, self.conversation, self.incoming)

    def for_agent(self) -> None:
        """An agent looks at this message."""
        self.message.waits, self.conversation.state = True, "unsorted"
        self.session.add(self.message)
        self.session.add(self.conversation)

    async def open(self) -> list[Request]:
        """The conversation's requests that are not decided yet, oldest first."""
        return await open_of(self.session, self.conversation.id or 0)

    async def unproven(self) -> list[Request]:
        """Those of them that wait for a proof, whose right is known."""
        return [r for r in await self.open() if r.state in BEFORE_PROOF and r.kind != "unclear"]


def say(
    session: AsyncSession,
    conversation: Conversation,
    letter: str,
    keyboard: Keyboard | None = None,
    *,
    forget: int = 0,
    about: Sequence[Request] = (),
    link: str = "",
    **facts: Any,
) -> None:
    """Notes one line of the conversation, with its buttons.

    `about`: the requests whose references and due dates it names. `link`: the purpose of a one-time
    link to the first of them, which is made when the line leaves.
    """
    ids = [request.id or 0 for request in about]
    slots = {"secure_link": {"request_id": ids[0], "purpose": link}} if link else {}
    told = facts | ({"secure_link": SECURE_LINK} if link else {})
    noted = post.Noted(
        letter,
        conversation.id or 0,
        ids,
        facts=told,
        keyboard=keyboard,
        forget=forget,
        slots=slots,
    )
    post.note(session, noted)


def forget(session: AsyncSession, conversation: Conversation, incoming: Incoming) -> None:
    """The member's message with a value or a code is deleted from the chat once it is kept."""
    if not incoming.door.is_chat or not incoming.chat_message_id or incoming.button:
        return
    number, empty = incoming.chat_message_id, Letter("", "", "")
    post.note(session, post.Noted("forget", conversation.id or 0, ready=empty, forget=number))


def state_of(desk: "Desk", conversation: Conversation) -> Mapping[str, str]:
    """The step as it was left."""
    state: dict[str, str] = json.loads(desk.vault.text(conversation.dialog) or "{}")
    return state


def set_state(desk: "Desk", conversation: Conversation, state: Mapping[str, str]) -> None:
    sealed = desk.vault.seal(conversation.key_id, "conversation.dialog", json.dumps(dict(state)))
    conversation.dialog = sealed
