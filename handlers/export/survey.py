"""What an agent sees of a request for access: tables and counts, and values only for a reason.

Each look at values asks the gate (`rights-handling`: only inside an open request of that member), and
writes who looked at which table, why, and how many rows, before a value is handed out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_
from sqlmodel import col, select

from subjectline.handlers import audit, drafting
from subjectline.handlers.audit import Actor
from subjectline.handlers.export import document, shelf, showing
from subjectline.handlers.export.binding import AWAITED
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.spool import Glance
from subjectline.handlers.registry import Collected
from subjectline.handlers.registry.collected import REASONS
from subjectline.models.datamap import Bilingual
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.tables import Agent, Export, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ROWS = 25  # of one table at a time

# Why an agent may open values. Nothing else is a reason.
LOOKS: Mapping[str, Bilingual] = {
    "withheld": Bilingual(
        ko="가린 행·열이 바르게 가려졌는지 확인",
        en="To check that what is withheld is rightly withheld",
    ),
    "complaint": Bilingual(
        ko="내용이 빠졌거나 다르다는 회원의 이의·문의 확인",
        en="The person says that something is missing or wrong",
    ),
    "others": Bilingual(
        ko="다른 사람의 정보가 섞이지 않았는지 확인",
        en="To check that no other person's data is in it",
    ),
    "review": Bilingual(ko="개인정보 보호책임자의 점검", en="Review by the privacy officer"),
}
OFFICERS = ("review",)  # reasons of officers only


@dataclass(frozen=True)
class Held:
    """Something that is not handed out: how many rows (or columns of rows), and why."""

    told: Bilingual
    rows: int
    columns: tuple[Bilingual, ...]


@dataclass(frozen=True)
class TableCount:
    """One table without a value of it."""

    table: str
    label: Bilingual
    connection: Bilingual
    rows: int
    withheld: tuple[Held, ...]


@dataclass(frozen=True)
class Survey:
    """What an access would give, or gave. `made_at` is set once there is an export; `bound` says that
    it waits for its approval."""

    tables: tuple[TableCount, ...]
    made_at: datetime | None = None
    expires_at: datetime | None = None
    opened_at: datetime | None = None
    receipts: tuple[tuple[str, datetime], ...] = ()  # page, pdf, archive, json: first taken
    gone: bool = False  # the time is over, or the key was destroyed
    bound: bool = False

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def withheld(self) -> int:
        """Whole rows."""
        every = (held for table in self.tables for held in table.withheld)
        return sum(held.rows for held in every if not held.columns)

    @property
    def withheld_columns(self) -> int:
        """Columns that are another person's in some of the rows."""
        return sum(len(held.columns) for table in self.tables for held in table.withheld)

    @property
    def several(self) -> bool:
        """Whether the tables stand in more than one database."""
        return len({table.connection.en for table in self.tables}) > 1


@dataclass(frozen=True)
class OpenedTable:
    """Some rows of one table, as people read them. `first` counts from 0."""

    label: Bilingual
    reason: Bilingual
    records: list[list[tuple[str, str]]]
    total: int
    first: int

    @property
    def following(self) -> int:
        """The first row of the next page, or 0."""
        behind = self.first + len(self.records)
        return behind if self.records and behind < self.total else 0


async def survey(desk: "Desk", request_id: int, agent: Actor) -> Survey | None:
    """Tables and counts of a request for access; None for other rights.

    From the export where there is one (the very one that a proposal hands over), else counted in the
    registry, through the gate. Raises NotPermitted, RegistryError.
    """
    request = await _request(desk, request_id)
    if request is None or request.subject_id is None:
        return None
    made = await _made(desk, await _asked(desk, request))
    if made is not None:
        return _of_export(desk, made)
    if request.kind not in drafting.LINKED:
        return None
    await drafting.ask_own_gate(desk, request, agent.account)
    found = await _read(desk, request.subject_id, Glance())
    return Survey(_tables(desk, document.counts(found)))


async def open_values(
    desk: "Desk", request_id: int, table: str, reason: str, agent: Actor, first: int = 0
) -> OpenedTable:
    """A few rows of one table, for one of the listed reasons, recorded.

    From the export where there is one that can still be opened, else from the registry. Raises
    BadInput (no such table or reason), NotPermitted (the gate, or an officer's reason).
    """
    request = await _request(desk, request_id)
    spec = desk.data_map.tables.get(table)
    if request is None or request.subject_id is None or spec is None or first < 0:
        raise BadInput("there is no such table", field="address")
    if reason not in LOOKS:
        raise BadInput(
            "values are opened for a listed reason only", field="reason", remedy="Choose one."
        )
    await _officer_only(desk, reason, agent)
    await drafting.ask_own_gate(desk, request, agent.account)
    async with desk.write() as session:
        audit.note(
            session,
            desk.clock,
            agent,
            "values_open",
            request=request,
            thing=f"table:{table}",
            reason=reason,
            first=first,
            rows=ROWS,
        )
    records, total = await _rows(desk, request, table, first)
    return OpenedTable(spec.labels, LOOKS[reason], records, total, first)


async def _rows(
    desk: "Desk", request: Request, table: str, first: int
) -> tuple[list[list[tuple[str, str]]], int]:
    """Rows in words of the request's language, and how many there are."""
    asked = await _asked(desk, request)
    export = await shelf.head(desk, asked.id or 0) or await _bound(desk, asked)
    if export is not None:
        place = next((n for n, t in enumerate(export.tables) if t["table"] == table), None)
        if place is None:
            return [], 0
        head = export.table(place)
        rows = await shelf.rows(desk, export, place, first, ROWS)
        return showing.records(desk, head, rows, request.language), head["count"]
    glance = Glance(table, first, ROWS)
    found = await _read(desk, request.subject_id or "", glance)
    collected = next(one for one in found.tables if one.table == table)
    rows = [shelf.read(line) for line in glance.lines]
    head = document.table(desk.data_map, collected)
    return showing.records(desk, head, rows, request.language), collected.total


async def _read(desk: "Desk", member: str, glance: Glance) -> Collected:
    return await desk.registry.export(member, glance.open_file, "jsonl")


async def _officer_only(desk: "Desk", reason: str, agent: Actor) -> None:
    if reason not in OFFICERS:
        return
    async with desk.db.read() as session:
        row = await session.get(Agent, agent.agent_id) if agent.agent_id else None
    if row is None or row.role != "officer":
        raise NotPermitted(
            "this reason is the privacy officer's", field="reason", remedy="Choose another."
        )


async def _request(desk: "Desk", request_id: int) -> Request | None:
    async with desk.db.read() as session:
        return await session.get(Request, request_id)


async def _asked(desk: "Desk", request: Request) -> Request:
    """The request for access that this one is, or that it objects to."""
    if request.kind in drafting.LINKED or request.follows_id is None:
        return request
    async with desk.db.read() as session:
        followed = await session.get(Request, request.follows_id)
    return followed if followed and followed.kind in drafting.LINKED else request


async def _bound(desk: "Desk", asked: Request) -> Head | None:
    if asked.state not in AWAITED["proposed"]:
        return None
    return await shelf.head(desk, asked.id or 0, "proposed")


async def _made(desk: "Desk", asked: Request) -> Export | None:
    """The export of a request that was handed over, or would be with the proposal that waits."""
    ready = [col(Export.state) == "ready"]
    if asked.state in AWAITED["proposed"]:
        ready.append(and_(col(Export.state) == "proposed", col(Export.expires_at) > desk.clock()))
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Export)
            .where(Export.request_id == asked.id, or_(*ready))
            .order_by(col(Export.id).desc())
            .limit(1)
        )
        return rows.first()


def _of_export(desk: "Desk", made: Export) -> Survey:
    receipts = ((form, datetime.fromisoformat(at)) for form, at in made.receipts.items())
    return Survey(
        tables=_tables(desk, made.counts),
        made_at=made.made_at,
        expires_at=made.expires_at,
        opened_at=made.opened_at,
        receipts=tuple(receipts),
        gone=made.content is None or made.expires_at <= desk.clock(),
        bound=made.state == "proposed",
    )


def _tables(desk: "Desk", counts: Mapping[str, Any]) -> tuple[TableCount, ...]:
    """In the order of the map; what the map no longer has keeps its name."""
    known = desk.data_map.tables
    names = sorted(counts, key=lambda name: list(known).index(name) if name in known else 0)
    return tuple(_table(desk, name, counts[name]) for name in names)


def _table(desk: "Desk", name: str, said: Mapping[str, Any]) -> TableCount:
    spec = desk.data_map.tables.get(name)
    plain = Bilingual(ko=name, en=name)
    place = desk.data_map.connections[spec.connection].labels if spec else plain
    return TableCount(
        name, spec.labels if spec else plain, place, said["rows"], _held(desk, name, said)
    )


def _held(desk: "Desk", table: str, said: Mapping[str, Any]) -> tuple[Held, ...]:
    """What is withheld; columns with the same reason in as many rows stand together."""
    together: dict[tuple[str, int, bool], list[str]] = {}
    for one in said["withheld"]:
        key = (one["reason"], one["rows"], bool(one["columns"]))
        together.setdefault(key, []).extend(one["columns"])
    return tuple(
        Held(REASONS[reason], rows, tuple(_columns(desk, table, names)))
        for (reason, rows, _), names in together.items()
    )


def _columns(desk: "Desk", table: str, names: Sequence[str]) -> list[Bilingual]:
    spec = desk.data_map.tables.get(table)
    found = [(name, spec.column(name) if spec else None) for name in names]
    return [known.labels if known else Bilingual(ko=name, en=name) for name, known in found]
