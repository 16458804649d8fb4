"""Agents and their Telegram accounts: linked by a code that is used once, and let go again."""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.models.errors import BadInput
from subjectline.models.tables import Agent

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10  # 49 bits, for ten minutes
LIVES = timedelta(minutes=10)


async def new_code(desk: "Desk", login: str) -> str:
    """A code for the agent with this sign-in name, good once and for ten minutes; it ends the one
    before. Raises BadInput for an unknown or disabled one."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    async with desk.write() as session:
        agent = await _named(session, login)
        agent.link_hash, agent.link_until = hashed(desk, code), desk.clock() + LIVES
        session.add(agent)
        audit.note(session, desk.clock, audit.SYSTEM, "telegram_code", thing=f"agent:{agent.id}")
    return code


async def unlink(desk: "Desk", login: str) -> None:
    """From now on nobody signs for this agent in Telegram. Raises BadInput for an unknown one."""
    async with desk.write() as session:
        agent = await _named(session, login)
        agent.telegram_id = agent.link_hash = agent.link_until = None
        session.add(agent)
        audit.note(session, desk.clock, audit.SYSTEM, "telegram_unlink", thing=f"agent:{agent.id}")


async def link(desk: "Desk", code_hash: bytes, user: str) -> str:
    """Makes a Telegram account the agent's whose code this is; returns the agent's name, or "" where
    the code is none, too old or used. An account that was another agent's goes over."""
    now = desk.clock()
    async with desk.write() as session:
        rows = await session.exec(
            select(Agent).where(Agent.link_hash == code_hash, col(Agent.disabled_at).is_(None))
        )
        agent = rows.first()
        if agent is None or agent.link_until is None or agent.link_until <= now:
            nobody = Actor("nobody", "telegram")
            audit.note(session, desk.clock, nobody, "telegram_link", outcome="refused")
            return ""
        before = await of_user(session, user)
        if before is not None and before.id != agent.id:
            before.telegram_id = None
            session.add(before)
            await session.flush()
        agent.telegram_id, agent.link_hash, agent.link_until = user, None, None
        session.add(agent)
        audit.note(session, desk.clock, audit.agent(agent.id or 0, "telegram"), "telegram_link")
    return agent.name


async def of_user(session: AsyncSession, user: str) -> Agent | None:
    """The agent whose Telegram account this is, if they may still act."""
    rows = await session.exec(
        select(Agent).where(Agent.telegram_id == user, col(Agent.disabled_at).is_(None))
    )
    return rows.first()


def hashed(desk: "Desk", code: str) -> bytes:
    """What is kept of a code; case and blanks do not matter."""
    return desk.vault.keyed_hash("agent-link", "".join(code.split()).upper())


async def _named(session: AsyncSession, login: str) -> Agent:
    rows = await session.exec(select(Agent).where(Agent.login == login.strip().lower()))
    agent = rows.first()
    if agent is None or agent.disabled_at is not None:
        raise BadInput("there is no such agent", field="login", remedy="subjectline agent add")
    return agent
