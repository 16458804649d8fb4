"""Agents: their accounts, passwords and signed-in browsers.

Passwords are kept as argon2id (RFC 9106), a session's token only as its hash. What a failed sign-in
is told never says whether the name exists, the password was wrong or the account is locked.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.keys import token_hash
from subjectline.models.tables import Agent, AgentSession

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

TRIES = 5
LOCKED = timedelta(minutes=15)
SESSION_LIVES = timedelta(hours=12)
IDLE = timedelta(hours=2)
TOUCH = timedelta(minutes=5)  # `seen_at` is not written at every click
SHORTEST = 12
LONGEST = 256
ROLES = ("agent", "officer")


@dataclass(frozen=True)
class SignedIn:
    """An agent with a live session. `token` is only filled by `sign_in`, for the cookie."""

    agent_id: int
    login: str
    name: str
    role: str
    language: str
    csrf: str
    token: str = ""

    @property
    def actor(self) -> Actor:
        return audit.agent(self.agent_id)


async def add(
    desk: "Desk",
    login: str,
    name: str,
    password: str,
    *,
    role: str = "agent",
    language: str = "ko",
    by: Actor = SYSTEM,
) -> int:
    """A new account; returns its id. BadInput for a short password, a strange or a taken name."""
    login = _login(login)
    _check(login, name, password, role, language)
    hashed = await asyncio.to_thread(_hasher().hash, password)
    async with desk.write() as session:
        if await _by_login(session, login):
            raise BadInput("this sign-in name is taken", field="login", remedy="Choose another.")
        agent = Agent(
            login=login,
            name=name.strip(),
            password_hash=hashed,
            role=role,
            language=language,
            made_at=desk.clock(),
        )
        session.add(agent)
        await session.flush()
        audit.note(session, desk.clock, by, "agent_add", thing=f"agent:{agent.id}", role=role)
    return agent.id or 0


async def sign_in(desk: "Desk", login: str, password: str, place: str = "console") -> SignedIn:
    """A session for the right name and password. NotPermitted otherwise, always in the same words.

    Five wrong tries lock the account for 15 minutes; the right password does not open it meanwhile.
    """
    async with desk.db.read() as session:
        agent = await _by_login(session, _login(login))
    fits = await asyncio.to_thread(_fits, agent.password_hash if agent else _nobody(), password)
    async with desk.write() as session:
        signed = await _settle(session, desk, agent, fits=fits, place=place)
    if signed is None:
        raise NotPermitted(
            "the name or password is wrong, or the account is locked",
            remedy="After five wrong tries an account is locked for 15 minutes.",
        )
    return signed


async def session_of(desk: "Desk", token: str) -> SignedIn | None:
    """Who a cookie's token belongs to, or None where it is unknown, too old or signed out."""
    now = desk.clock()
    async with desk.db.read() as session:
        row = await session.exec(
            select(AgentSession, Agent)
            .join(Agent, col(AgentSession.agent_id) == col(Agent.id))
            .where(AgentSession.token_hash == token_hash(token))
        )
        found = row.first()
    if found is None or not _alive(*found, now):
        return None
    if now - found[0].seen_at > TOUCH:
        await _touch(desk, found[0].id, now)
    return _signed(found[1], found[0].csrf)


async def sign_out(desk: "Desk", token: str) -> None:
    """Ends the session of this token, if there is one."""
    async with desk.write() as session:
        row = await session.exec(
            select(AgentSession).where(AgentSession.token_hash == token_hash(token))
        )
        found = row.first()
        if found is not None:
            audit.note(session, desk.clock, audit.agent(found.agent_id), "sign_out")
            await session.delete(found)


async def by_login(desk: "Desk", login: str, place: str) -> Actor:
    """The actor of a sign-in name, for commands of the operator. BadInput for an unknown one."""
    async with desk.db.read() as session:
        agent = await _by_login(session, _login(login))
    if agent is None or agent.disabled_at is not None:
        raise BadInput(
            "there is no such agent", field="as", remedy="Name a sign-in of the console."
        )
    return audit.agent(agent.id or 0, place)


async def names(session: AsyncSession) -> dict[int, str]:
    """Every agent's name by id, for histories and signatures."""
    rows = await session.exec(select(Agent.id, Agent.name))
    return {number: name for number, name in rows if number is not None}


async def _settle(
    session: AsyncSession, desk: "Desk", agent: Agent | None, *, fits: bool, place: str
) -> SignedIn | None:
    """Counts the try under the write lock, so that many at once get no more than five."""
    now = desk.clock()
    current = await session.get(Agent, agent.id) if agent else None
    if current is None:
        audit.note(session, desk.clock, Actor("nobody", place), "sign_in", outcome="refused")
        return None
    who = audit.agent(current.id or 0, place)
    if current.disabled_at or (current.locked_until and current.locked_until > now):
        audit.note(session, desk.clock, who, "sign_in", outcome="locked")
        return None
    if not fits:
        _count(current, now)
        audit.note(session, desk.clock, who, "sign_in", outcome="refused", tries=current.failed)
        return None
    current.failed, current.locked_until = 0, None
    audit.note(session, desk.clock, who, "sign_in")
    return await _open(session, current, now)


def _count(agent: Agent, now: datetime) -> None:
    if agent.locked_until is not None:  # a lock that is over starts a new count
        agent.failed, agent.locked_until = 0, None
    agent.failed += 1
    if agent.failed >= TRIES:
        agent.locked_until = now + LOCKED


async def _open(session: AsyncSession, agent: Agent, now: datetime) -> SignedIn:
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await session.exec(delete(AgentSession).where(col(AgentSession.expires_at) < now))
    session.add(
        AgentSession(
            token_hash=token_hash(token),
            agent_id=agent.id or 0,
            csrf=csrf,
            made_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIVES,
        )
    )
    return _signed(agent, csrf, token)


def _signed(agent: Agent, csrf: str, token: str = "") -> SignedIn:
    return SignedIn(agent.id or 0, agent.login, agent.name, agent.role, agent.language, csrf, token)


def _alive(session: AgentSession, agent: Agent, now: datetime) -> bool:
    fresh = session.expires_at > now and now - session.seen_at < IDLE
    return fresh and agent.disabled_at is None


async def _touch(desk: "Desk", session_id: int | None, now: datetime) -> None:
    async with desk.db.write() as session:
        await session.exec(
            update(AgentSession).where(col(AgentSession.id) == session_id).values(seen_at=now)
        )


async def _by_login(session: AsyncSession, login: str) -> Agent | None:
    return (await session.exec(select(Agent).where(Agent.login == login))).first()


def _login(text: str) -> str:
    return text.strip().lower()


def _check(login: str, name: str, password: str, role: str, language: str) -> None:
    if not login or len(login) > 64 or not all(c.isalnum() or c in "._-@" for c in login):
        raise BadInput("a sign-in name has letters, digits and . _ - @, at most 64", field="login")
    if not name.strip() or len(name) > 64:
        raise BadInput("an agent has a name of at most 64 characters", field="name")
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(
            f"a password has {SHORTEST} to {LONGEST} characters",
            field="password",
            remedy="Three or four words in a row are easy to remember.",
        )
    if role not in ROLES or language not in ("ko", "en"):
        raise BadInput("a role is agent or officer, a language ko or en", field="role")


@cache
def _hasher() -> PasswordHasher:
    """32 MiB and three passes (RFC 9106, 4): a few sign-ins at once stay within a small machine."""
    return PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    """A hash that fits nothing: an unknown name takes as long as a known one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def _fits(hashed: str, password: str) -> bool:
    if len(password) > LONGEST:
        return False
    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
