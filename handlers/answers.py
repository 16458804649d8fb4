"""A message that answers something of ours: a code, a yes, a value that we asked for, a no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, dialog, identity, last_question, opening, other_proofs, post
from subjectline.handlers.belonging import link_message, open_of
from subjectline.handlers.identity import Check, Known, Verdict
from subjectline.handlers.post import read_thread_token
from subjectline.handlers.replies import Thread, named
from subjectline.handlers.requests import advance
from subjectline.handlers.understanding import Answer, Wish, read_answer, understand
from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.models.incoming import Door, Incoming, Tier
from subjectline.models.tables import (
    Challenge,
    Conversation,
    Message,
    Request,
    SentMessage,
)
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

VALUE_QUESTIONS = frozenset({"which_value", "bad_value", "which_field"})
YES_QUESTIONS = frozenset({"confirm_leaving", "confirm_value"})
LONGEST_VALUE = 500


@dataclass
class Came:
    """One message on its way through the answers."""

    session: AsyncSession
    desk: "Desk"
    conversation: Conversation
    message: Message
    incoming: Incoming
    known: Known
    answer: Answer

    async def belongs_to(self, request: Request) -> None:
        await link_message(self.session, request.id or 0, self.message.id or 0)

    async def step(self, request: Request, event: str) -> None:
        await advance(
            self.session, self.desk, request.id or 0, event, audit.MEMBER, request.version
        )

    def for_agent(self) -> None:
        """Nobody but a person can tell what is meant."""
        self.message.waits, self.conversation.state = True, "unsorted"
        self.session.add(self.message)
        self.session.add(self.conversation)
        self.heard()

    def heard(self, *about: Request) -> None:
        """In a chat nobody is left without an answer."""
        if Door(self.conversation.door).is_chat:
            dialog.say(self.session, self.conversation, "dialog_passed_on", about=about)


async def handle(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
    thread: Thread | None = None,
) -> bool:
    """Whether the message was an answer, and then everything that follows from it.

    `thread`: what it answers; of several requests that wait, the one that it names is meant.
    """
    requests = await open_of(session, conversation.id or 0)
    if not requests:
        return False
    answer = read_answer(incoming.text)
    came = Came(session, desk, conversation, message, incoming, known, answer)
    believed = await _believed(came)
    if await _proves(came, requests[-1], believed=believed):
        return True
    if believed and await other_proofs.contact_named(came):
        return True
    meant = named(requests, thread)
    if not believed:
        return await _wait_beside(came, meant or requests[-1])
    asked = _asked(requests, meant)
    if asked is not None and thread is None and _asks_for_else(came, asked):
        return False
    if asked is not None and asked.state == "waiting":
        return await _answered(came, asked)
    if asked is not None:
        return await _clarified(came, asked)
    return await _to_open(came, meant or requests[-1])


def _asked(requests: list[Request], meant: Request | None) -> Request | None:
    """The request that waits for the person's words: the one named, or else the newest."""
    waiting = [
        r
        for r in requests
        if r.state == "waiting" or (r.state == "received" and r.kind == "unclear" and r.clarified)
    ]
    if meant is not None and meant in waiting:
        return meant
    return waiting[-1] if waiting else None


def _asks_for_else(came: Came, asked: Request) -> bool:
    """A new message, answering no letter, with a right in it that the open question is not about."""
    if asked.kind == "unclear":
        return False
    meant = understand(came.incoming.text, came.desk.vocabulary, asked.language)
    sure = meant.decision == "apply" or meant.question in ("which_field", "which_value")
    return sure and bool(meant.wishes) and not any(_about(asked, wish) for wish in meant.wishes)


def _about(asked: Request, wish: Wish) -> bool:
    """Whether a wish may be meant for a request: the same right, and no other field."""
    return asked.kind == wish.kind and (
        not wish.fields or not asked.fields or bool(set(wish.fields) & set(asked.fields))
    )


async def _believed(came: Came) -> bool:
    """Whether the message is from the person it says: a chat is; a mail that aligns, or that answers
    a letter of this conversation (its reply address or its Message-ID, which only a reader knows)."""
    if came.conversation.door != Door.MAIL or came.incoming.tier is Tier.ALIGNED:
        return True
    if came.incoming.tier is Tier.FAILED:
        return False
    token = came.incoming.reply_token
    if token.startswith("v"):
        theirs = await identity.by_token(came.session, came.desk, came.conversation, token)
        return theirs is not None
    return read_thread_token(came.desk, token) == came.conversation.id or await _quotes_us(came)


async def _quotes_us(came: Came) -> bool:
    """Whether it answers a Message-ID of ours in this conversation (128 random bits)."""
    if not came.incoming.in_reply_to:
        return False
    sent = await came.session.get(SentMessage, came.incoming.in_reply_to)
    return sent is not None and sent.conversation_id == came.conversation.id


async def _wait_beside(came: Came, newest: Request) -> bool:
    """An answer that nobody vouches for changes nothing. A right asked for in it is a new request,
    which will ask for proof of its own; anything else waits for an agent, who sees its evidence."""
    meant = understand(came.incoming.text, came.desk.vocabulary, newest.language)
    if meant.decision == "apply":
        return False
    came.for_agent()
    return True


async def _proves(came: Came, newest: Request, *, believed: bool) -> bool:
    """A code of a new contact or of the person; in a chat it is not taken without a word."""
    new = believed and await other_proofs.new_contact_code(came)
    if not (new or await _proof(came)):
        return False
    if not post.says_something(came.session, came.conversation.id or 0):
        came.heard(newest)
    return True


async def _proof(came: Came) -> bool:
    """A code, or a yes to the address that only the receiver of our letter knows."""
    waiting = await identity.open_challenge(came.session, came.conversation)
    if (waiting is None and not came.answer.code) or came.incoming.tier is Tier.FAILED:
        return False
    proof = await _by_reply(came)
    if proof is not None and _holds_good(came, proof):
        await _proven(came, proof)
        return True
    if came.answer.code:
        return await _tried(came, came.answer.code)
    if came.answer.yes is False and waiting is not None and await _believed(came):
        await _called_off(came, waiting)
        return True
    return proof is not None and await _code_wanted(came, proof)


def _holds_good(came: Came, proof: Challenge) -> bool:
    """A yes, or the right code, even one that is too old: the reply address itself is the proof."""
    code = came.answer.code
    return identity.is_code(came.desk, proof, code) if code else bool(came.answer.yes)


async def _code_wanted(came: Came, proof: Challenge) -> bool:
    """Any answer to a code that is too old brings a new one, as our letter says."""
    if came.desk.clock() <= proof.expires_at:
        return False
    meant = understand(came.incoming.text, came.desk.vocabulary, came.incoming.language)
    if meant.decision == "apply":
        return False
    requests = await _verifying(came, proof.group_id)
    if requests:
        await _not_proven(came, requests, Check(Verdict.SPENT, proof.group_id))
    return bool(requests)


async def _verifying(came: Came, group_id: str) -> list[Request]:
    """The requests of a group that wait for proof; the message belongs to each."""
    group = await identity.group_of(came.session, group_id) if group_id else []
    waiting = [request for request in group if request.state == "verifying"]
    for request in waiting:
        await came.belongs_to(request)
    return waiting


async def _by_reply(came: Came) -> Challenge | None:
    """The reply address of the challenge, or an answer to its Message-ID: only its reader knows both."""
    token = came.incoming.reply_token
    if token.startswith("v"):
        return await identity.check_token(came.session, came.desk, came.conversation, token)
    if not await _quotes_us(came):
        return None
    found = await identity.open_challenge(came.session, came.conversation)
    if found is None or found.contact_index != came.conversation.contact_index:
        return None  # its code went elsewhere: who answers here need not have read it
    return found if identity.reply_counts(came.desk, found) else None


async def _tried(came: Came, code: str) -> bool:
    check, found = await identity.check_code(came.session, came.desk, came.conversation, code)
    if found is not None:
        await _proven(came, found)
        return True
    verifying = await _verifying(came, check.group_id)
    if verifying:
        await _not_proven(came, verifying, check)
    return bool(verifying)


async def _not_proven(came: Came, requests: list[Request], check: Check) -> None:
    """A wrong code is said with the tries left; a spent one brings a new one, within the limits."""
    ids = [request.id or 0 for request in requests]
    chat = Door(came.conversation.door).is_chat
    forget = came.incoming.chat_message_id
    if check.verdict is Verdict.WRONG:
        facts = {"question": "wrong_code", "tries_left": check.tries_left}
        letter = "dialog_code_wrong" if chat else "question"
        noted = post.Noted(letter, came.conversation.id or 0, ids, facts, forget=forget)
        post.note(came.session, noted)
    elif chat:
        await dialog.code_spent(came.session, came.desk, came.conversation, requests, forget)
    elif not await identity.again(
        *(came.session, came.desk, came.conversation, requests, came.incoming.sender, came.known),
        believed=came.incoming.tier is Tier.ALIGNED,
    ):
        came.for_agent()


async def _proven(came: Came, proof: Challenge) -> None:
    for request in await identity.prove(came.session, came.desk, came.conversation, proof):
        await came.belongs_to(request)
    if Door(came.conversation.door).is_chat:
        await dialog.proven(came.session, came.desk, came.conversation, came.incoming)


async def _called_off(came: Came, waiting: Challenge) -> None:
    """No, by the very sender of requests that nobody has proven."""
    for request in await identity.group_of(came.session, waiting.group_id):
        if request.state in ("received", "verifying"):
            await came.belongs_to(request)
            await came.step(request, "withdraw")


async def _answered(came: Came, request: Request) -> bool:
    """An answer to a question on an open request; what it says is kept before the step."""
    question, fields = await last_question.asked(came.session, request)
    await came.belongs_to(request)
    if question in YES_QUESTIONS:
        await confirmed(came, request, question)
    elif question in VALUE_QUESTIONS:
        await values_given(came, request, _values_in(came, request, fields))
        dialog.forget(came.session, came.conversation, came.incoming)
    elif question == "paper" and came.incoming.attachments:
        await papers_came(came, request)
    else:
        came.message.waits = True
        await came.step(request, "answer")
        came.heard(request)
    return True


async def confirmed(came: Came, request: Request, question: str) -> None:
    """A yes goes on. A no takes the request back; after a value read back wrongly the value is asked
    for again; anything else is for an agent."""
    wish = wish_of(came.desk, request)
    if came.answer.yes is None:
        came.for_agent()
        return
    if not came.answer.yes and question != "confirm_value":
        await came.step(request, "withdraw")
        return
    if came.answer.yes:
        wish["confirmed"] = question
    else:
        wish["new"] = {}
    set_wish(came.desk, request, wish)
    came.session.add(request)
    await came.step(request, "answer")


async def values_given(
    came: Came, request: Request, values: Mapping[str, str], read_back: bool = False
) -> None:
    """New values of a correction that somebody waits for: kept as they were written, then the step.

    `read_back`: the person has seen them once more and said that they are right. A value that takes
    another's place has none of its proofs.
    """
    wish = wish_of(came.desk, request)
    new = wish.setdefault("new", {})
    if any(new.get(name, value) != value for name, value in values.items()):
        wish.pop("confirmed", None)
        wish.pop("new_contact_proof", None)
    new.update(values)
    if read_back:
        wish["confirmed"] = "confirm_value"
    request.fields = list(dict.fromkeys([*request.fields, *values]))
    set_wish(came.desk, request, wish)
    came.session.add(request)
    if request.state != "open":  # where it is, the draft that is due takes them
        await came.step(request, "answer")


async def papers_came(came: Came, request: Request) -> None:
    """Papers for a request: an agent looks at them, and the desk does not ask for them again."""
    came.message.waits = True
    came.session.add(came.message)
    set_wish(came.desk, request, {**wish_of(came.desk, request), "papers": "came"})
    came.session.add(request)
    if request.state in ("waiting", "proposed"):
        await came.step(request, "answer")
    elif request.state in BEFORE_PROOF:
        came.for_agent()


def _values_in(came: Came, request: Request, fields: list[str]) -> dict[str, str]:
    """The values in an answer: by the rules, or the whole text where one field was asked for."""
    meant = understand(came.incoming.text, came.desk.vocabulary, request.language)
    values: dict[str, str] = {}
    for found in meant.wishes:
        if found.kind == "correction":
            values |= found.new_values
            request.fields = list(dict.fromkeys([*request.fields, *found.fields]))
    if len(fields) == 1 and fields[0] not in values:
        values[fields[0]] = " ".join(came.incoming.text.split())[:LONGEST_VALUE]
    return values


async def _clarified(came: Came, request: Request) -> bool:
    """An answer to `which right?`: the request gets its kind, or a second question, or an agent."""
    await came.belongs_to(request)
    guess = opening.guess_of(came.desk, request) if came.answer.yes else ()
    meant = understand(came.incoming.text, came.desk.vocabulary, request.language)
    if came.answer.yes is False and meant.decision == "none":
        await came.step(request, "withdraw")
        return True
    if not guess and meant.decision != "apply":
        if not await opening.clarify(came.session, came.desk, request, meant):
            came.for_agent()
        return True
    group = await opening.become(
        came.session, came.desk, came.conversation, request, came.message, guess or meant.wishes
    )
    await opening.identify(
        came.session, came.desk, came.conversation, group, came.incoming, came.known
    )
    return True


async def _to_open(came: Came, newest: Request) -> bool:
    """A message while a request is open: a new right is a new request; anything else joins it."""
    meant = understand(came.incoming.text, came.desk.vocabulary, newest.language)
    if meant.decision != "none":
        return False
    await came.belongs_to(newest)
    came.message.waits = True
    came.session.add(came.message)
    if newest.state == "proposed":
        await came.step(newest, "answer")
    came.heard(newest)
    return True
