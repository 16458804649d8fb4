"""Files that came attached: what is kept of them, and how an agent opens or destroys one.

A file is opened at once, or, where something speaks against it, only by a deed of its own that the
audit names. What a scanner found infected is opened by nobody.
"""

from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, opaque, own_views, post
from subjectline.handlers.audit import Actor
from subjectline.handlers.views import FileView, OpenedFile
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, NotPermitted, StaleMove
from subjectline.models.files import Apart
from subjectline.models.incoming import Attachment, Door, Incoming, Outcome
from subjectline.models.tables import Conversation, Message, MessageFile, Request, RequestMessage
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def keep(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
) -> None:
    """Adds the files of a message. What is over a limit is named and not kept, and its sender told."""
    room = desk.files.max_all_bytes
    over = False
    for number, file in enumerate(incoming.attachments):
        limit = _over(desk, file, number, room)
        room -= 0 if limit else len(file.content)
        over = over or bool(limit)
        session.add(_row(desk, conversation, message, file, limit))
    if incoming.attachments and desk.files.clamd:
        wake(session, "scan")
    if over:
        _tell(session, desk, conversation, incoming)


def _over(desk: "Desk", file: Attachment, number: int, room: int) -> tuple[Apart, ...]:
    if number >= desk.files.max_files:
        return (Apart.OVER_COUNT,)
    if len(file.content) > desk.files.max_file_bytes:
        return (Apart.OVER_FILE,)
    return (Apart.OVER_ALL,) if len(file.content) > room else ()


def _row(
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    file: Attachment,
    limit: tuple[Apart, ...],
) -> MessageFile:
    key, seal = conversation.key_id, desk.vault.seal
    kept = None if limit else seal(key, "message_file.content", file.content)
    return MessageFile(
        message_id=message.id or 0,
        name=seal(key, "message_file.name", file.name),
        content_type=file.content_type,
        size=len(file.content),
        content=kept,
        apart=[one.value for one in (*limit, *file.apart)],
        scan="unscanned" if desk.files.clamd and kept and file.content else "",
    )


def _tell(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> None:
    """Kindly, and once a conversation; a machine is not answered."""
    person = incoming.outcome is Outcome.HANDLE and incoming.door is Door.MAIL
    if not person or conversation.told_files:
        return
    conversation.told_files = True
    session.add(conversation)
    mega = 1024 * 1024
    facts = {
        "max_file_mb": max(1, desk.files.max_file_bytes // mega),
        "max_all_mb": max(1, desk.files.max_all_bytes // mega),
        "max_files": desk.files.max_files,
    }
    post.note(session, post.Noted("files_left_out", conversation.id or 0, facts=facts))


def view(desk: "Desk", row: MessageFile, name: str) -> FileView:
    """What agents are told of a file without opening it."""
    return FileView(
        handle=opaque.hide(desk.vault, "message_file", row.id or 0),
        name=name,
        content_type=row.content_type,
        size=row.size,
        apart=tuple(row.apart),
        scan=row.scan,
        finding=row.finding,
    )


async def named(desk: "Desk", handle: str, agent: Actor) -> FileView:
    """One file by name and reasons, unopened. Writes an audit row.

    Raises BadInput where there is none, HeldData where the gate does not open the member's data.
    """
    await _ask(desk, handle, agent)
    async with desk.write() as session:
        row, conversation = await _found(session, desk, handle)
        _note(session, desk, row, conversation, agent, "view_file")
        return view(desk, row, desk.vault.text(row.name))


async def open_file(
    desk: "Desk", handle: str, agent: Actor, *, knowing: bool = False
) -> OpenedFile:
    """One attachment, opened. Writes an audit row before it is handed out.

    `knowing`: the agent was told why it is kept apart and opens it all the same. BadInput where there
    is none or it was not kept; NotPermitted where it is infected, or apart and not `knowing`;
    HeldData where the gate does not open the member's data.
    """
    await _ask(desk, handle, agent)
    async with desk.write() as session:
        row, conversation = await _found(session, desk, handle)
        shown = view(desk, row, desk.vault.text(row.name))
        _refuse(shown, knowing)
        if row.content is None:
            raise _nothing()
        action = "download_apart" if shown.held else "download"
        why = ",".join((*shown.apart, shown.scan)) if shown.held else ""
        _note(session, desk, row, conversation, agent, action, why)
        sealed = row.content
    return OpenedFile(shown.name, desk.vault.open(sealed), apart=shown.held)


async def _ask(desk: "Desk", handle: str, agent: Actor) -> None:
    """Our own gate, but for what nobody has sorted or decided yet. Raises HeldData."""
    async with desk.db.read() as session:
        row, conversation = await _found(session, desk, handle)
        message = await session.get_one(Message, row.message_id)
        undecided = await session.exec(
            select(Request.id)
            .join(RequestMessage, col(RequestMessage.request_id) == col(Request.id))
            .where(RequestMessage.message_id == message.id, col(Request.state).not_in(FINAL))
        )
        if message.waits or undecided.first() is not None:
            return
        whose = await own_views.of_talk(session, conversation)
    if shut := await own_views.shut(desk, whose, agent):
        await own_views.deny(desk, whose, agent, f"message_file:{row.id}", shut)


def _refuse(file: FileView, knowing: bool) -> None:
    if file.gone:
        raise _nothing()
    if file.scan == "infected":
        raise NotPermitted("a scanner found it infected", field="file", remedy="Destroy it.")
    if file.held and not knowing:
        raise NotPermitted(
            "it is kept apart", field="file", remedy="Its page says why, and opens it on your word."
        )


async def destroy(desk: "Desk", handle: str, agent: Actor) -> None:
    """Takes the content away for good; name, size and reasons stay. Writes an audit row.

    BadInput where there is none; StaleMove where it is gone already.
    """
    async with desk.write() as session:
        row, conversation = await _found(session, desk, handle)
        if row.content is None:
            raise StaleMove("it is gone already", field="file")
        row.content = None
        row.apart = [*row.apart, Apart.DESTROYED.value]
        session.add(row)
        _note(session, desk, row, conversation, agent, "destroy_file")
    await desk.db.scrub()


async def _found(
    session: AsyncSession, desk: "Desk", handle: str
) -> tuple[MessageFile, Conversation]:
    row = await session.get(MessageFile, opaque.show(desk.vault, "message_file", handle))
    if row is None:
        raise _nothing()
    message = await session.get_one(Message, row.message_id)
    return row, await session.get_one(Conversation, message.conversation_id)


def _nothing() -> BadInput:
    return BadInput("there is no such file", field="address", remedy="Look in the queue.")


def _note(
    session: AsyncSession,
    desk: "Desk",
    row: MessageFile,
    conversation: Conversation,
    agent: Actor,
    action: str,
    reason: str = "",
) -> None:
    whose = (conversation.registry_id, conversation.subject_id)
    subject = (whose[0], whose[1]) if whose[0] and whose[1] else None
    thing = f"message_file:{row.id}"
    audit.note(session, desk.clock, agent, action, subject=subject, thing=thing, reason=reason)
