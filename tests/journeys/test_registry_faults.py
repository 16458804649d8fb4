"""The company's databases fail: away, read-only, slow, another schema. Two of them, on both kinds.

Each time the agent's page says in both languages what is wrong and what to do, the hold is in force,
nothing is lost, and the same request goes through once the database is well.
"""

import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from browsers import CHEAP, PASSWORD, app_of, browser
from desks import CORRECT, NEW_ADDRESS, Office, agent
from pairs import Pair, Pairs, pair_office
from servers import free_port
from signing import proven, signed
from sqlalchemy import event, text
from wires import Wire

from subjectline.handlers import agents, decisions
from subjectline.handlers.registry import open_engine
from subjectline.intake.console import create_console
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import RegistryAway
from subjectline.models.tables import Attempt, Proposal, Task

ME, NUMBER = KO_MEMBER.email, KO_MEMBER.number
SECONDS = 0.6  # that a database has for a call
STEP, HOUR = timedelta(minutes=5), timedelta(hours=1)


@dataclass
class Place:
    """A desk over a company in two databases, with the ways in which one of them fails."""

    office: Office
    pair: Pair
    backend: str
    wire: Wire | None
    role: str

    async def page(self, language: str) -> str:
        """What an agent reads on the newest request's page."""
        visitor = browser(app_of(create_console, self.office.desk), language)
        await visitor.sign_in("bora")
        reference = (await self.office.request()).reference
        html = (await visitor.get(f"/requests/{reference}", lang=language)).text
        await visitor.http.aclose()
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())

    async def says(self, *both: tuple[str, str]) -> None:
        """Each of these, in Korean and in English."""
        for language in (0, 1):
            page = await self.page(("ko", "en")[language])
            for words in both:
                assert words[language] in page, words[language]

    async def new_address(self) -> tuple[str, set[str]]:
        """The address in the one database, and those of the parcels on their way in the other."""
        home = "SELECT shipping_address FROM profile WHERE member_id = :n"
        parcels = "SELECT address FROM shipping WHERE member_id = :n AND status = 'preparing'"
        [(own,)] = await self.pair.sql("members", home, n=NUMBER)
        return own, {row[0] for row in await self.pair.sql("commerce", parcels, n=NUMBER)}

    # The faults

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Connections are refused; the file is not there."""
        if self.wire is not None:
            await self.wire.cut()
            yield
            await self.wire.mend()
            return
        await self.office.desk.registry.close()
        file = Path(self.pair.urls["commerce"].removeprefix("sqlite:///"))
        file.rename(file.with_suffix(".gone"))
        yield
        assert not file.exists()  # nobody made an empty one in its place
        file.with_suffix(".gone").rename(file)

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        """As a standby that took over, or a file that was locked for a backup."""
        engine = self.office.desk.registry.places.writers["commerce"].sync_engine
        sqlite = self.backend == "sqlite"
        on = "PRAGMA query_only = ON" if sqlite else "SET TRANSACTION READ ONLY"

        def closed(connection: object) -> None:
            connection.exec_driver_sql(on)  # type: ignore[attr-defined]

        event.listen(engine, "begin", closed)
        yield
        event.remove(engine, "begin", closed)
        await self.office.desk.registry.close()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Another transaction has the rows and does not let go."""
        engine = open_engine(self.pair.urls["commerce"], 30)
        async with engine.connect() as line:
            if self.backend == "sqlite":
                await line.exec_driver_sql("BEGIN EXCLUSIVE")
            else:
                await line.execute(text("LOCK TABLE shipping IN ACCESS EXCLUSIVE MODE"))
            yield
            await line.rollback()
        await engine.dispose()

    @asynccontextmanager
    async def denied(self) -> AsyncIterator[None]:
        """The desk's role may no longer write."""
        await self.pair.sql("commerce", f"REVOKE UPDATE ON shipping FROM {self.role}")
        yield
        await self.pair.sql("commerce", f"GRANT UPDATE ON shipping TO {self.role}")

    @asynccontextmanager
    async def altered(self, there: str, back: str) -> AsyncIterator[None]:
        await self.pair.sql("commerce", f"ALTER TABLE shipping {there}")
        yield
        await self.pair.sql("commerce", back)

    def renamed(self) -> AbstractAsyncContextManager[None]:
        back = "ALTER TABLE shipping RENAME COLUMN street TO address"
        return self.altered("RENAME COLUMN address TO street", back)

    def dropped(self) -> AbstractAsyncContextManager[None]:
        return self.altered("RENAME TO parcel", "ALTER TABLE parcel RENAME TO shipping")

    def retyped(self) -> AbstractAsyncContextManager[None]:
        there = "ALTER COLUMN address TYPE bytea USING convert_to(address, 'UTF8')"
        back = "ALTER COLUMN address TYPE text USING convert_from(address, 'UTF8')"
        return self.altered(there, f"ALTER TABLE shipping {back}")


Fault = Callable[[Place], AbstractAsyncContextManager[None]]
AWAY = ("데이터베이스에 연결할 수 없습니다", "The database cannot be reached")
READ_ONLY = ("읽기 전용이라 쓸 수 없습니다", "The database is read-only")
SLOW = ("잠겨 있거나 너무 느려서", "locked or too slow")
DENIED = ("쓸 권한이 없습니다", "The desk may not do this in the database")
SCHEMA = ("데이터 지도와 다릅니다", "other tables or columns than the data map")
WHERE = ("주문·광고 데이터베이스", "Orders and advertising")
WAITS = ("저절로 다시 시도하고", "It is tried again by itself")
NO_DRAFT = ("지금은 답변안을 만들 수 없습니다", "There can be no draft right now")
FAILED = ("반영 실패", "could not be applied")

PASSING: dict[str, tuple[Fault, tuple[str, str]]] = {
    "away": (Place.away, AWAY),
    "read-only": (Place.read_only, READ_ONLY),
    "locked": (Place.locked, SLOW),
}
LASTING: dict[str, tuple[Fault, tuple[str, str]]] = {
    "denied": (Place.denied, DENIED),
    "column renamed": (Place.renamed, SCHEMA),
    "table dropped": (Place.dropped, SCHEMA),
    "type changed": (Place.retyped, SCHEMA),
}
POSTGRESQL_ONLY = (Place.denied, Place.retyped)  # SQLite has neither roles nor types that bind


@pytest.fixture
async def place(
    pairs: Pairs, tmp_path: Path, desk_template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    pair, wire, role, writers = pairs.make(tmp_path), None, "", dict[str, str]()
    if pairs.backend == "postgresql":
        wire, role = Wire(int(re.findall(r":(\d+)/", pair.urls["commerce"])[0])), f"r{free_port()}"
        await wire.mend()
        await pair.sql("commerce", f"CREATE ROLE {role} LOGIN")
        everything = f"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        await pair.sql("commerce", f"GRANT {everything}")
        near = re.sub(r"postgres@([^:]+):\d+", rf"{role}@\1:{wire.port}", pair.urls["commerce"])
        writers["commerce"] = near
    shutil.copy(desk_template, tmp_path / "desk.db")
    seen = Pair(pair.map, {**pair.urls, **writers})
    office = pair_office(seen, tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", SECONDS)
    monkeypatch.setattr(agents, "_hasher", lambda: CHEAP)
    await agents.add(office.desk, "bora", "한보라", PASSWORD)
    yield Place(office, pair, pairs.backend, wire, role)
    await office.close()
    if wire is not None:
        await wire.cut()
        await pair.sql("commerce", f"DROP OWNED BY {role}")
        await pair.sql("commerce", f"DROP ROLE {role}")


async def approved(place: Place) -> None:
    """Signed, and not yet written."""
    await proven(place.office, ME, CORRECT)
    [proposal] = await place.office.all(Proposal)
    await decisions.approve(place.office.desk, proposal.sha256, agent())


async def held(place: Place) -> bool:
    return [hold.kind for hold in await place.office.holds()] == ["firm"]


async def later(place: Place, by: timedelta) -> None:
    """The desk works on, a look every few minutes."""
    until = place.office.clock() + by
    while place.office.clock() < until:
        place.office.clock.advance(STEP)
        await place.office.work()


async def done(place: Place) -> None:
    """Everything is written, once, and told; the hold is over."""
    assert await place.office.state() == "done" and await place.office.holds() == []
    assert await place.new_address() == (NEW_ADDRESS, {NEW_ADDRESS})
    assert (await place.office.letters()).count("done") == 1


@pytest.mark.parametrize(("fault", "reason"), PASSING.values(), ids=PASSING)
async def test_what_passes_is_waited_for(
    place: Place, fault: Fault, reason: tuple[str, str]
) -> None:
    await approved(place)
    before = await place.new_address()
    async with fault(place):
        await place.office.work()
        await later(place, HOUR)
        assert await place.office.state() == "applying" and await held(place)
        await place.says(WAITS, reason, WHERE)
    assert await place.new_address() == before
    await later(place, HOUR)
    await done(place)


@pytest.mark.parametrize(("fault", "reason"), LASTING.values(), ids=LASTING)
async def test_what_lasts_goes_back_to_the_agents(
    place: Place, fault: Fault, reason: tuple[str, str]
) -> None:
    if fault in POSTGRESQL_ONLY and place.backend == "sqlite":
        pytest.skip("SQLite has no roles, and its types bind nothing")
    await approved(place)
    before = await place.new_address()
    async with fault(place):
        await place.office.work()
        assert await place.office.state() == "open" and await held(place)
        await place.says(FAILED, reason, WHERE)
    assert await place.new_address() == before  # not in the other database either
    assert [row.outcome for row in await place.office.all(Attempt)] == ["conflict"]
    await proposed_anew(place)
    await signed(place.office)
    await done(place)


async def proposed_anew(place: Place) -> None:
    """Once more where the connection learns only now that the tables have changed back."""
    request = await place.office.request()
    for last in (False, True):
        try:
            await decisions.propose(
                place.office.desk, request.id or 0, request.version, agent(), decisions.AgentDraft()
            )
            return
        except RegistryAway as away:
            assert not last and away.reason == "registry_changed"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Place.away, AWAY), (Place.renamed, SCHEMA), (Place.dropped, SCHEMA)],
    ids=["away", "column renamed", "table dropped"],
)
async def test_before_the_draft(place: Place, fault: Fault, reason: tuple[str, str]) -> None:
    """The request is proven and held; its draft is made once the data can be read."""
    async with fault(place):
        await proven(place.office, ME, CORRECT)
        await later(place, HOUR)
        assert await place.office.state() == "open" and await held(place)
        await place.says(NO_DRAFT, reason, WHERE)
    await later(place, 2 * HOUR)
    assert [task.outcome for task in await place.office.all(Task)] == ["done"]
    await signed(place.office)
    await done(place)
