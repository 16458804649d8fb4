"""One-time links to a member's secure page: made for a letter, spent by one press of a button.

The token stands only in the letter. The desk keeps its SHA-256, and after the opening the hash of the
cookie with which the same browser may look again for a while. A link is bound to one request and opens
what its purpose says and no more.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import MEMBER, Actor
from subjectline.handlers.export import receipts, shelf
from subjectline.handlers.export.shelf import Head
from subjectline.models.errors import BadInput, SpentProof
from subjectline.models.keys import token_hash
from subjectline.models.tables import Link, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LIVES = timedelta(days=7)
OPEN_FOR = timedelta(minutes=30)


@dataclass(frozen=True)
class Purpose:
    """How long a link waits to be opened, and how long its page then stays open in that browser."""

    lives: timedelta = LIVES
    open_for: timedelta = OPEN_FOR


PURPOSES = {
    "result": Purpose(),  # the export, or the stage where there is none
    "status": Purpose(),
    "code": Purpose(lives=timedelta(hours=72)),  # as long as a provisional hold
    "confirm": Purpose(),  # values and a yes or no; what is shown needs proof
    "upload": Purpose(open_for=timedelta(hours=1)),  # papers have to be found first
    # the member's, who may think about it before they stop somebody acting for them
    "proxy": Purpose(lives=timedelta(days=90), open_for=timedelta(days=30)),
}


@dataclass(frozen=True)
class Opened:
    """What the page behind a link shows.

    `export` is what was gathered, or None where the link shows the stage of the request only.
    `passwords` counts how often one for the archive was shown. `cookie` is filled by `spend`; `form` is
    what every form of the page must bring back.
    """

    link_id: int
    request_id: int
    purpose: str
    version: int
    reference: str
    kind: str
    state: str
    language: str
    due_on: str
    arrived_at: datetime
    until: datetime
    export: Head | None
    passwords: int = 0
    cookie: str = ""

    @property
    def form(self) -> str:
        """Known to this browser's page only: 256 bits out of its cookie, which no other site reads."""
        return hashlib.sha256(b"form:" + self.cookie.encode()).hexdigest()


async def make(
    session: AsyncSession, desk: "Desk", request_id: int, purpose: str = "result"
) -> str:
    """Adds a new link for one of PURPOSES in this step; returns its token of 256 random bits.

    The token is shown to nobody but the person: `url` is the address to put into a letter. Raises
    BadInput for another purpose.
    """
    if purpose not in PURPOSES:
        raise BadInput(f"a page is for one of: {', '.join(PURPOSES)}", field="purpose")
    token = secrets.token_urlsafe(32)
    now = desk.clock()
    session.add(
        Link(
            token_hash=token_hash(token),
            request_id=request_id,
            purpose=purpose,
            made_at=now,
            expires_at=now + PURPOSES[purpose].lives,
        )
    )
    await session.flush()
    return token


def url(desk: "Desk", token: str) -> str:
    """The address of the page behind a token."""
    return f"{desk.manner.public_url}/m/{token}"


async def ready(desk: "Desk", token: str) -> str:
    """The purpose of a link that can still be spent, else "". Looking spends nothing: mail scanners
    and previews of chats follow links."""
    async with desk.db.read() as session:
        link = await _by_token(session, token)
    good = link is not None and link.opened_at is None and link.expires_at > desk.clock()
    return link.purpose if link is not None and good else ""


async def becomes(session: AsyncSession, opened: Opened, purpose: str) -> None:
    """An opened link shows more (or less) from now on, for the browser that opened it.

    A page for a code becomes that of the request once the code was right there.
    """
    await session.exec(update(Link).where(col(Link.id) == opened.link_id).values(purpose=purpose))


async def spend(desk: "Desk", token: str, place: str = "pages") -> Opened:
    """Opens the link, once. Raises SpentProof where it was used, is too old or never was."""
    cookie = secrets.token_urlsafe(32)
    async with desk.db.read() as session:
        link = await _by_token(session, token)
    export = await _export(desk, link)
    async with desk.write() as session:
        if link is None or not await _take(session, link, cookie, desk.clock()):
            raise _spent()
        until = desk.clock() + PURPOSES[link.purpose].open_for
        opened = await _opened(session, link, export, until, cookie)
        await _note(session, desk, link, "link_open", place)
        if export is not None:
            await receipts.note(session, desk, export.export_id, "page", _person(place))
    return opened


async def again(
    desk: "Desk", token: str, cookie: str, place: str = "pages", form: str = ""
) -> Opened:
    """The same page for the browser that spent the link, while it is open. Raises SpentProof.

    `form` (pdf, archive, json) is the file that is being taken: it leaves a receipt.
    """
    opened, link = await inside(desk, token, cookie)
    async with desk.write() as session:
        if not form:
            await _note(session, desk, link, "link_view", place)
        elif opened.export is not None:
            await receipts.note(session, desk, opened.export.export_id, form, _person(place))
    return opened


async def new_password(desk: "Desk", token: str, cookie: str, place: str = "pages") -> Opened:
    """Counts one more password for the archive of this opened page. Raises SpentProof."""
    opened, link = await inside(desk, token, cookie)
    async with desk.write() as session:
        await session.exec(
            update(Link).where(col(Link.id) == link.id).values(passwords=col(Link.passwords) + 1)
        )
        kept = await session.get_one(Link, link.id, populate_existing=True)
        await _note(session, desk, link, "archive_password", place)
    return replace(opened, passwords=kept.passwords)


async def inside(desk: "Desk", token: str, cookie: str) -> tuple[Opened, Link]:
    """What is opened in this browser, looked up for a deed; leaves no trace. Raises SpentProof."""
    async with desk.db.read() as session:
        link = await _by_token(session, token)
    until = _until(link, cookie)
    if link is None or until is None or until <= desk.clock():
        raise _spent()
    export = await _export(desk, link)
    async with desk.db.read() as session:
        return await _opened(session, link, export, until, cookie), link


def _spent() -> SpentProof:
    return SpentProof(
        "the link was used already or is too old", remedy="Answer our mail and ask for a new one."
    )


def _until(link: Link | None, cookie: str) -> datetime | None:
    if link is None or link.opened_at is None or link.session_hash is None:
        return None
    same = secrets.compare_digest(link.session_hash, token_hash(cookie))
    return link.opened_at + PURPOSES[link.purpose].open_for if same else None


async def _by_token(session: AsyncSession, token: str) -> Link | None:
    return (await session.exec(select(Link).where(Link.token_hash == token_hash(token)))).first()


async def _take(session: AsyncSession, link: Link, cookie: str, now: datetime) -> bool:
    """The guarded UPDATE: of two presses one sees a row."""
    done = await session.exec(
        update(Link)
        .where(col(Link.id) == link.id, col(Link.opened_at).is_(None), col(Link.expires_at) > now)
        .values(opened_at=now, session_hash=token_hash(cookie))
    )
    return bool(done.rowcount == 1)


async def _opened(
    session: AsyncSession, link: Link, export: Head | None, until: datetime, cookie: str
) -> Opened:
    request = await session.get_one(Request, link.request_id)
    return Opened(
        link_id=link.id or 0,
        request_id=link.request_id,
        purpose=link.purpose,
        version=request.version,
        reference=request.reference,
        kind=request.kind,
        state=request.state,
        language=request.language,
        due_on=request.due_on,
        arrived_at=request.arrived_at,
        until=until,
        export=export,
        passwords=link.passwords,
        cookie=cookie,
    )


async def _export(desk: "Desk", link: Link | None) -> Head | None:
    if link is None or link.purpose != "result":
        return None
    return await shelf.head(desk, link.request_id)


async def _note(session: AsyncSession, desk: "Desk", link: Link, action: str, place: str) -> None:
    request = await session.get(Request, link.request_id)
    audit.note(session, desk.clock, _person(place), action, request=request, purpose=link.purpose)


def _person(place: str) -> Actor:
    return Actor(MEMBER.account, place)
