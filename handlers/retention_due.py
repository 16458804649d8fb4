"""What is due for destruction today, kind by kind: the archive, live rows, the desk's case files.

Every finder gives `Due` items: how many, by which rule and law, how many a legal hold spares, and the
work that destroys them. Finding changes nothing.
"""

from datetime import datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import consents, destroying
from subjectline.handlers.legal_holds import Held
from subjectline.handlers.registry import Archived
from subjectline.handlers.registry.sweeping import OldRows, Sweeper
from subjectline.handlers.retention_files import over
from subjectline.handlers.retention_kinds import BY_KEYS, BY_ROWS, Due
from subjectline.models.datamap import Bilingual, Retention
from subjectline.models.tables import ConsentEntry, Conversation, Request, Restriction
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def archive(desk: "Desk", held: Held) -> list[Due]:
    """Kept records whose last day has passed. With a member's last record the key goes too."""
    store = desk.registry.archive
    if store is None:
        return []
    late = await store.due(_today(desk))
    late.sort(key=_table)
    return [_archived(desk, held, table, list(some)) for table, some in groupby(late, _table)]


def _table(one: Archived) -> tuple[str, str]:
    return one.table, one.rule


def _archived(desk: "Desk", held: Held, which: tuple[str, str], late: list[Archived]) -> Due:
    free = [one for one in late if not held.keeps_member(one.member)]
    law = late[0].law.text(desk.manner.language)
    work = partial(_destroy_archived, desk, free)
    spared = len(late) - len(free)
    return Due("archive", which[0], which[1], law, len(free), spared, BY_KEYS, work)


async def _destroy_archived(desk: "Desk", late: list[Archived]) -> int:
    store = desk.registry.archive
    assert store is not None
    gone = await store.destroy([one.id for one in late])
    await store.forget_keys(late)
    return gone


async def live(desk: "Desk", held: Held) -> list[Due]:
    """Rows of the company's own tables that are older than a swept rule, of members as well."""
    sweeper = Sweeper(desk.registry.places)
    longer = {rule: await _agreed(desk, rule) for rule in desk.data_map.retention}
    found = []
    for table in sweeper.tables():
        rule = desk.data_map.tables[table].retention
        old = await sweeper.due(table, held.members, longer[rule], longer)
        found += _hung(desk, sweeper, old, everything=held.everything)
        found.append(_live(desk, sweeper, rule, old, everything=held.everything))
    return found


def _hung(desk: "Desk", sweeper: Sweeper, old: OldRows, *, everything: bool) -> list[Due]:
    """What hangs on the rows goes before them, each table with a certificate of its own."""
    found = []
    for table, rows in old.hung.items():
        rule = desk.data_map.tables[table].retention
        law, work = (
            _law(desk, desk.data_map.retention[rule]),
            partial(sweeper.destroy_hung, table, rows),
        )
        held = len(rows) if everything else 0
        found.append(Due("live", table, rule, law, len(rows) - held, held, BY_ROWS, work))
    return found


def _live(desk: "Desk", sweeper: Sweeper, rule: str, old: OldRows, *, everything: bool) -> Due:
    """With `everything` a legal hold keeps what would go as well."""
    held = len(old.rows) if everything else 0
    work = partial(sweeper.destroy, old)
    law = _law(desk, desk.data_map.retention[rule])
    others = (("no readable date", old.undated), *sorted(old.stays.items()))
    spared = old.spared + old.agreed + held + sum(count for _, count in others)
    count = len(old.rows) - held
    return Due("live", old.table, rule, law, count, spared, BY_ROWS, work, old.agreed, others)


async def _agreed(desk: "Desk", rule: str) -> frozenset[str]:
    """Members who agreed that records under this rule are kept longer, to a day that is to come."""
    today = _today(desk).isoformat()
    async with desk.db.read() as session:
        rows = await session.exec(
            select(ConsentEntry)
            .where(
                ConsentEntry.registry_id == desk.data_map.registry,
                ConsentEntry.consent == consents.LONGER + rule,
            )
            .order_by(col(ConsentEntry.at), col(ConsentEntry.id))
        )
        last = {line.subject_id: line for line in rows}
    return frozenset(
        member
        for member, line in last.items()
        if line.state == consents.GIVEN and line.until and line.until >= today
    )


async def case_files(desk: "Desk", held: Held) -> list[Due]:
    """Requests that were closed so long ago, and conversations in which nothing else is kept."""
    rule = over(desk, "cases")
    before = rule.before
    async with desk.db.read() as session:
        closed = await _closed(session, before)
        in_force = await _restricted(session)
        free = [r for r in closed if not held.keeps(r) and r.id not in in_force]
        spared = len(closed) - len(free)
        talks, kept = await _talks(session, held, before, {r.id for r in free})
    name, law = rule.name, rule.law
    numbers = [request.id or 0 for request in free]
    files = partial(destroying.requests, desk, numbers)
    mails = partial(destroying.conversations, desk, talks)
    return [
        Due("cases", "requests", name, law, len(free), spared, BY_KEYS, files),
        Due("conversations", "conversations", name, law, len(talks), kept, BY_KEYS, mails),
    ]


async def _closed(session: AsyncSession, before: datetime) -> list[Request]:
    rows = await session.exec(
        select(Request)
        .where(col(Request.state).in_(FINAL), Request.key_id != "")
        .where(col(Request.closed_at) < before)
        .order_by(col(Request.id))
    )
    return list(rows)


async def _restricted(session: AsyncSession) -> set[int]:
    """Decisions that still stand: their words are needed as long as the person may object."""
    rows = await session.exec(select(Restriction.request_id).where(Restriction.state == "in_force"))
    return set(rows)


async def _talks(
    session: AsyncSession, held: Held, before: datetime, going: set[int | None]
) -> tuple[list[int], int]:
    """Ids of conversations to destroy, and how many a legal hold spares."""
    old = await session.exec(
        select(Conversation)
        .where(Conversation.key_id != "", Conversation.last_at < before)
        .order_by(col(Conversation.id))
    )
    talks = list(old)
    rows = await session.exec(
        select(Request.conversation_id, Request.id).where(Request.key_id != "")
    )
    needed = {talk for talk, number in rows if number not in going}
    done = [talk for talk in talks if talk.id not in needed]
    free = [talk.id or 0 for talk in done if not held.keeps_member(talk.subject_id)]
    return free, len(done) - len(free)


def _law(desk: "Desk", retention: Retention) -> str:
    words: Bilingual = retention.law or retention.labels
    return words.text(desk.manner.language)


def _today(desk: "Desk") -> Any:
    return desk.registry.places.today()
