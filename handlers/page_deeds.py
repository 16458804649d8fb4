"""What a member does on a secure page: codes, values, a yes or no, papers, taking a request back.

Whatever is said there goes through the functions that answer a mail or a chat (`identity`, `answers`,
`requests.advance`); a link only says which request it is about, and who may say it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    answers,
    attachments,
    audit,
    dialog,
    identity,
    last_question,
    links,
    new_contact,
)
from subjectline.handlers.answers import YES_QUESTIONS, Came
from subjectline.handlers.audit import MEMBER, Actor
from subjectline.handlers.identity import Check, Known, Verdict
from subjectline.handlers.links import Opened
from subjectline.handlers.requests import advance
from subjectline.handlers.understanding import Answer
from subjectline.models.errors import BadInput, IllegalMove, StaleMove
from subjectline.models.incoming import Attachment, Contact, Door, Incoming
from subjectline.models.tables import Conversation, Message, Request
from subjectline.models.workflow import BEFORE_PROOF, FINAL, NOT_DECIDED

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

CORRECTING = ("open", "waiting", "proposed")
PAGE, PAPERS = "page", "page_papers"  # the rules under which messages from pages are kept


async def try_code(desk: "Desk", token: str, cookie: str, text: str, place: str) -> Check:
    """Tries the six digits of a code; a wrong one costs a try, as in a mail or a chat.

    Once it is right this browser's page becomes that of the request. Raises BadInput where it is not
    six digits (that costs nothing), SpentProof.
    """
    code = re.sub(r"[\s.\-]", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch("[0-9]{6}", code):
        raise BadInput("a code has six digits", field="code")
    opened, _ = await links.inside(desk, token, cookie)
    _meant_for(opened, "code", "confirm")
    async with desk.write() as session:
        request, talk = await _found(session, opened)
        new = await new_contact.awaited(session, talk.id or 0)
        if new is not None and new.request_id == request.id:
            check = await new_contact.check(session, desk, talk, code)
            _note(session, desk, request, "page_code", place, check.verdict)
            return check
        waiting = await identity.open_challenge(session, talk)
        if waiting is not None and waiting.group_id != request.group_id:
            return Check(Verdict.SPENT, request.group_id)  # it is another request's
        check, proof = await identity.check_code(session, desk, talk, code)
        if proof is not None:
            await identity.prove(session, desk, talk, proof)
            if Door(talk.door).is_chat:
                await dialog.proven(session, desk, talk, _incoming(desk, request, talk, ""))
            await links.becomes(session, opened, "confirm")
        _note(session, desk, request, "page_code", place, check.verdict)
    return check


async def new_code(desk: "Desk", token: str, cookie: str, place: str) -> str:
    """Sends another code, within the limits: `sent`, `too_many`, or `over` where none is wanted.

    By chat the address that was named is not kept: `in_chat`, where it is asked for again. Raises
    SpentProof, RegistryAway.
    """
    opened, _ = await links.inside(desk, token, cookie)
    _meant_for(opened, "code", "confirm")
    async with desk.write() as session:
        request, talk = await _found(session, opened)
        new = await new_contact.awaited(session, talk.id or 0)
        if new is not None and new.request_id == request.id:
            told = "sent" if await new_contact.again(session, desk, request) else "too_many"
            _note(session, desk, request, "page_new_code", place, told)
            return told
    known = await identity.known_of(desk, talk.id or 0)
    async with desk.write() as session:
        request, talk = await _found(session, opened)
        if request.state not in BEFORE_PROOF:
            return "over"
        group = await identity.group_of(session, request.group_id)
        waiting = [one for one in group if one.state in BEFORE_PROOF]
        told = await _again(session, desk, talk, waiting, known)
        _note(session, desk, request, "page_new_code", place, told)
    return told


async def _again(
    session: AsyncSession,
    desk: "Desk",
    talk: Conversation,
    requests: list[Request],
    known: Known,
) -> str:
    if Door(talk.door).is_chat:
        await dialog.code_spent(session, desk, talk, requests, 0)
        return "in_chat"
    contact = Contact(talk.contact_kind, desk.vault.text(talk.contact))
    sent = await identity.again(
        session,
        desk,
        talk,
        requests,
        contact,
        known,
        believed=True,  # its link was read there
    )
    return "sent" if sent else "too_many"


async def give_values(
    desk: "Desk", token: str, cookie: str, values: Mapping[str, str], version: int, place: str
) -> None:
    """The new values of a correction, seen once more by the person: kept, and the request goes on.

    `values`: field -> text as it was written, checked before (`page_views.boxes`). Raises SpentProof,
    StaleMove where the request has moved on, BadInput where there is nothing to correct.
    """
    opened, _ = await links.inside(desk, token, cookie)
    _meant_for(opened, "confirm")
    async with desk.write() as session:
        request, talk = await _seen(session, opened, version)
        if request.kind != "correction" or request.state not in CORRECTING:
            raise IllegalMove("no value is waited for", field="value")
        labels = [f"{desk.data_map.fields[name].labels.text(request.language)}" for name in values]
        said = "\n".join(f"{a}: {b}" for a, b in zip(labels, values.values(), strict=True))
        came = await _came(session, desk, request, talk, said)
        await answers.values_given(came, request, values, read_back=True)
        came.heard(request)
        _note(session, desk, request, "page_values", place)


async def say(desk: "Desk", token: str, cookie: str, yes: bool, version: int, place: str) -> None:
    """A yes or no to the question that stands open. Raises SpentProof, StaleMove, IllegalMove."""
    opened, _ = await links.inside(desk, token, cookie)
    _meant_for(opened, "confirm")
    async with desk.write() as session:
        request, talk = await _seen(session, opened, version)
        question, _ = await last_question.asked(session, request)
        if request.state != "waiting" or question not in YES_QUESTIONS:
            raise IllegalMove("nothing waits for a yes or no", field="answer")
        said = {"ko": ("아니요", "네"), "en": ("no", "yes")}[request.language][yes]
        came = await _came(session, desk, request, talk, said, Answer(yes))
        await answers.confirmed(came, request, question)
        if yes:
            came.heard(request)
        _note(session, desk, request, "page_answer", place, "yes" if yes else "no")


async def withdraw(desk: "Desk", token: str, cookie: str, version: int, place: str) -> None:
    """Takes the person's own request back. Raises SpentProof, StaleMove, IllegalMove."""
    opened, _ = await links.inside(desk, token, cookie)
    async with desk.write() as session:
        request, _ = await _seen(session, opened, version)
        actor = Actor(MEMBER.account, place)
        await advance(session, desk, request.id or 0, "withdraw", actor, version)


async def hand_in(
    desk: "Desk",
    token: str,
    cookie: str,
    files: Sequence[Attachment],
    said: str,
    place: str,
) -> None:
    """Papers for a request, looked through before: sealed, and an agent is called to look.

    `said` names them in the person's language. Raises SpentProof, StaleMove where it is decided.
    """
    opened, _ = await links.inside(desk, token, cookie)
    _meant_for(opened, "upload")
    async with desk.write() as session:
        request, talk = await _found(session, opened)
        if request.state in FINAL or request.state == "applying":
            raise StaleMove("the request is decided", field="papers")
        came = await _came(session, desk, request, talk, said, files=files)
        await answers.papers_came(came, request)
        _note(session, desk, request, "page_papers", place, str(len(files)))


def may_withdraw(state: str) -> bool:
    """Whether the table of moves lets a person take a request in this state back."""
    return state in NOT_DECIDED


def _meant_for(opened: Opened, *purposes: str) -> None:
    """A link opens what it was made for and no more."""
    if opened.purpose not in purposes:
        raise IllegalMove("this link is for another page", field="purpose")


async def _found(session: AsyncSession, opened: Opened) -> tuple[Request, Conversation]:
    request = await session.get_one(Request, opened.request_id)
    return request, await session.get_one(Conversation, request.conversation_id)


async def _seen(
    session: AsyncSession, opened: Opened, version: int
) -> tuple[Request, Conversation]:
    """The same, as long as it is what the person saw."""
    request, talk = await _found(session, opened)
    if request.version != version:
        raise StaleMove(
            f"{request.reference} has moved on", field="version", remedy="Load the page again."
        )
    return request, talk


async def _came(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    talk: Conversation,
    said: str,
    answer: Answer | None = None,
    files: Sequence[Attachment] = (),
) -> Came:
    """What was said on the page, kept as a message of the conversation that agents read."""
    incoming = _incoming(desk, request, talk, said, files)
    message = _message(desk, talk, incoming)
    session.add(message)
    await session.flush()
    await attachments.keep(session, desk, talk, message, incoming)
    talk.last_at = max(talk.last_at, incoming.arrived_at)
    session.add(talk)
    came = Came(session, desk, talk, message, incoming, Known(), answer or Answer(None, None))
    await came.belongs_to(request)
    return came


def _incoming(
    desk: "Desk",
    request: Request,
    talk: Conversation,
    said: str,
    files: Sequence[Attachment] = (),
) -> Incoming:
    return Incoming(
        door=Door.PAGE,
        source_key="",
        arrived_at=desk.clock(),
        sender=Contact(talk.contact_kind, desk.vault.text(talk.contact)),
        text=said,
        rule=PAPERS if files else PAGE,
        language=request.language,
        attachments=tuple(files),
    )


def _message(desk: "Desk", talk: Conversation, incoming: Incoming) -> Message:
    return Message(
        conversation_id=talk.id or 0,
        direction="in",
        door=incoming.door,
        at=incoming.arrived_at,
        text=desk.vault.seal(talk.key_id, "message.text", incoming.text),
        rule=incoming.rule,
        outcome=incoming.outcome,
        language=incoming.language,
    )


def _note(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    action: str,
    place: str,
    reason: str = "",
) -> None:
    actor = Actor(MEMBER.account, place)
    audit.note(session, desk.clock, actor, action, request=request, reason=reason)
