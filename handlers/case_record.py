"""Parts of a request's record that are no data of a person: codes, tries, copies by hand, letters."""

from collections.abc import Mapping

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import copies
from subjectline.handlers.views import AttemptView, ChallengeView, CopyView, LetterView
from subjectline.models.tables import Attempt, Challenge, Outbox, Request


async def challenges(session: AsyncSession, request: Request) -> tuple[ChallengeView, ...]:
    """The codes of a request's group, oldest first."""
    rows = await session.exec(
        select(Challenge).where(Challenge.group_id == request.group_id).order_by(col(Challenge.id))
    )
    return tuple(
        ChallengeView(row.state, row.contact_kind, row.made_at, row.expires_at, row.tries)
        for row in rows
    )


async def attempts(session: AsyncSession, request: Request) -> tuple[AttemptView, ...]:
    """The tries to write into the company's databases, oldest first."""
    rows = await session.exec(
        select(Attempt).where(Attempt.request_id == request.id).order_by(col(Attempt.id))
    )
    return tuple(AttemptView(row.at, row.outcome, row.detail) for row in rows)


async def copies_by_hand(
    session: AsyncSession, request: Request, names: Mapping[int, str]
) -> tuple[CopyView, ...]:
    """The copies that agents correct by hand, with who did."""
    rows = await copies.newest(session, request.id or 0)
    return tuple(
        CopyView(
            row.number,
            row.field,
            row.place,
            row.labels,
            row.done_at,
            names.get(row.done_by or 0, ""),
        )
        for row in rows
    )


async def letters(session: AsyncSession, request: Request) -> tuple[LetterView, ...]:
    """The letters of a request and what became of them."""
    rows = await session.exec(
        select(Outbox).where(Outbox.request_id == request.id).order_by(col(Outbox.id))
    )
    return tuple(
        LetterView(
            letter=row.letter,
            door=row.door,
            outcome=row.outcome,
            attempts=row.attempts,
            made_at=row.made_at,
            sent_at=row.sent_at,
            reason=row.reason,
            returned=row.returned,
            returned_code=row.returned_code,
            returned_cause=row.returned_cause,
            returned_at=row.returned_at,
        )
        for row in rows
    )
