"""Random lives of holds before every form of the gate, and what was true at which time.

A story holds, releases, corrects, fails half way, dies, is cut off, is frozen and goes back to a backup.
Times are those of one clock that the story moves; whatever is permitted was free within the bound.
"""

import random
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any

import httpx
from gates import NOW, REGISTRY, House
from sqlalchemy.exc import OperationalError

from subjectline.handlers import gate, gate_feed, gate_following, holds
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_following import FollowingGate
from subjectline.intake.gate_api import create_gate_app
from subjectline.models.clock import FrozenClock
from subjectline.models.db import Database
from subjectline_client import core, following, questions, replica
from subjectline_client.asking import Asker
from subjectline_client.core import BOUND
from subjectline_client.replica import Replica
from subjectline_client.transport import Http

MEMBERS, FIELDS, PURPOSES = "123", ("email", "name", "phone"), ("marketing", "service")
KINDS = ("correction", "correction", "suspension", "marketing_withdrawal")
SLACK = 0.002  # a permit counts in whole milliseconds
MODULES = (core, following, questions, replica, gate, gate_feed, gate_following)

Fact = tuple[str, str, str]  # member, field, purpose: held
Live = dict[int, frozenset[Fact]]


class Clock:
    """Seconds that a story moves; no two looks at it are the same moment."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1e-7
        return self.now


class Told:
    """What one form answered. `within`: seconds before now, since when it must have looked."""

    def __init__(self, permit: bool, valid_for: float, within: float) -> None:
        self.permit, self.valid_for, self.within = permit, valid_for, within


Form = Callable[[Fact, int | None], Awaitable[Told]]


class Story:
    """The desk, whoever asks it, and the truth."""

    members: Sequence[str] = tuple(MEMBERS)
    fields: Sequence[str] = FIELDS
    purposes: Sequence[str] = PURPOSES

    def __init__(self, house: House, clock: Clock, seed: int, backup: Path) -> None:
        self.house, self.clock, self.dice = house, clock, random.Random(seed)
        house.gate.state.bound = BOUND
        self.live: Live = {}
        self.truth: list[tuple[float, frozenset[Fact]]] = [(-inf, frozenset())]
        self.permits, self.denials = 0, 0
        self._backup, self._kept = backup, Live()
        self._seconds = 0
        self.restored_at = -inf

    # What happens at the desk

    async def hold(self) -> None:
        member, kind = self.dice.choice(self.members), self.dice.choice(KINDS)
        fields = tuple(self.dice.sample(self.fields, self.dice.randint(1, 2)))
        await self._commit(
            lambda s, n: self._place(s, n, member, kind, fields), member, kind, fields
        )

    async def correct(self) -> None:
        """A request that turns out to be about other fields: replaced in one revision."""
        if not self.live:
            return
        number = self.dice.choice(sorted(self.live))
        member = next(iter(self.live[number]))[0]
        fields = tuple(self.dice.sample(self.fields, self.dice.randint(1, 2)))
        await self._commit(
            lambda s, _: self._place(s, number, member, "correction", fields),
            member, "correction", fields, number,
        )  # fmt: skip

    async def release(self) -> None:
        if self.live:
            number = self.dice.choice(sorted(self.live))
            async with self.house.database.write() as session:
                await holds.end(session, number, self._moment(), "done")
            del self.live[number]
            self._true()

    async def fail(self) -> None:
        """A step that dies before its commit, with the head in its hand."""
        member = self.dice.choice(self.members)
        try:
            async with self.house.database.write() as session:
                number = await self.house._request(session, "correction")
                await self._place(session, number, member, "correction", tuple(self.fields))
                for each in sorted(self.live)[:1]:
                    await holds.end(session, each, self._moment(), "done")
                raise InterruptedError
        except InterruptedError:
            return

    async def keep(self) -> None:
        """A backup."""
        with sqlite3.connect(self._file) as one, sqlite3.connect(self._backup) as other:
            one.backup(other)
        one.close()
        other.close()
        self._kept = deepcopy(self.live)

    async def restore(self) -> None:
        """Puts the backup back, under whoever goes on; what follows is another history."""
        if self._backup.exists():
            with sqlite3.connect(self._backup) as one, sqlite3.connect(self._file) as other:
                one.backup(other)
            one.close()
            other.close()
            self.live = deepcopy(self._kept)
            self._true()
            self.restored_at = self.clock.now

    async def wait(self) -> None:
        self.clock.now += self.dice.choice([0.1, 0.9, 1.6, 2.1])

    # What is asked, and whether it may be answered so

    def was_free(self, fact: Fact, since: float) -> bool:
        """Whether it was free at any time from then on."""
        later = [held for at, held in self.truth if at > since]
        before = [held for at, held in self.truth if at <= since][-1]
        return any(fact not in held for held in (before, *later))

    async def compare(self, name: str, form: Form) -> None:
        fact = (
            self.dice.choice(self.members),
            self.dice.choice(self.fields),
            self.dice.choice(self.purposes),
        )
        head = self.revision() if self.dice.random() < 0.3 else None
        told = await form(fact, head)
        self.permits, self.denials = self.permits + told.permit, self.denials + (not told.permit)
        if not told.permit:
            return
        assert self.was_free(fact, self.clock.now - told.within), f"{name}: from an older state"
        end = self.clock.now + told.valid_for
        assert self.was_free(fact, end - BOUND - SLACK), f"{name}: good for too long"
        if head is not None and self.restored_at < self.clock.now - BOUND:
            assert fact not in self.truth[-1][1], f"{name}: older than the token"

    async def settled(self, name: str, form: Form) -> None:
        """With everybody in step the answers are just the truth."""
        for fact in [(m, f, p) for m in self.members for f in self.fields for p in self.purposes]:
            told = await form(fact, None)
            assert told.permit is (fact not in self.truth[-1][1]), (name, fact)

    def revision(self) -> int:
        with sqlite3.connect(self._file) as one:
            found = one.execute("SELECT revision FROM gate_head").fetchone()
        one.close()
        return int(found[0]) if found else 0

    @property
    def _file(self) -> str:
        return str(self.house.database.url.database)

    def _moment(self) -> Any:
        self._seconds += 1
        return NOW + timedelta(seconds=self._seconds)

    async def _place(
        self, session: Any, number: int, member: str, kind: str, fields: tuple[str, ...]
    ) -> None:
        plan = holds.holds_for(kind, fields, (), self.house.data_map)
        await holds.place(session, number, REGISTRY, member, plan, "firm", self._moment())

    async def _commit(
        self, act: Any, member: str, kind: str, fields: tuple[str, ...], number: int = 0
    ) -> None:
        async with self.house.database.write() as session:
            number = number or await self.house._request(session, kind)
            await act(session, number)
        self.live[number] = frozenset(self._says(member, kind, fields))
        self._true()

    def _true(self) -> None:
        held = frozenset().union(*self.live.values())
        self.truth.append((self.clock(), held))

    def _says(self, member: str, kind: str, fields: tuple[str, ...]) -> list[Fact]:
        purposes = ("marketing",) if kind == "marketing_withdrawal" else self.purposes
        told = self.fields if kind == "marketing_withdrawal" else fields
        return [(member, field, purpose) for field in told for purpose in purposes]


class OverHttp:
    """The AuthZEN door over one gate, as a caller asks it."""

    def __init__(self, made: Gate, key: str, within: float) -> None:
        self.gate, self._key, self._within = made, key, within
        transport = httpx.ASGITransport(app=create_gate_app(made))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://gate.test")

    async def ask(self, fact: Fact, token: int | None) -> Told:
        member, field, purpose = fact
        asked = {
            "subject": {"type": "system", "id": "mailer"}, "action": {"name": purpose},
            "resource": {"type": "member", "id": member, "properties": {"fields": [field]}},
            "context": {"at_least_revision": token},
        }  # fmt: skip
        headers = {"authorization": f"Bearer {self._key}"}
        response = await self._http.post("/access/v1/evaluation", json=asked, headers=headers)
        if response.status_code != 200:
            return Told(False, 0, BOUND)
        told = response.json()
        context = told["context"]
        return Told(told["decision"], context.get("valid_for_ms", 0) / 1000, self._within)

    async def close(self) -> None:
        await self._http.aclose()


class Cut(Database):
    """A line to the database that can be cut, or takes its time."""

    late, cut = 0.0, False

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url)
        self._clock = clock

    def glance(self) -> Any:
        if self.cut:
            raise OperationalError("", {}, Exception("cut"))
        return _Late(super().glance(), self)


class _Late:
    def __init__(self, inner: Any, line: Cut) -> None:
        self._inner, self._line = inner, line

    async def __aenter__(self) -> Any:
        return await self._inner.__aenter__()

    async def __aexit__(self, *error: object) -> Any:
        self._line._clock.now += self._line.late
        return await self._inner.__aexit__(*error)


class Served:
    """`gate serve`: looks now and then, from memory in between; dies and begins anew."""

    def __init__(self, story: Story, key: str) -> None:
        self._story, self._key = story, key
        self.begin()

    def begin(self) -> None:
        house = self._story.house
        self.line = Cut(str(house.database.url), self._story.clock)
        self.gate = FollowingGate(self.line, house.data_map, FrozenClock(NOW), BOUND)
        self.door = OverHttp(self.gate, self._key, BOUND)

    async def look(self) -> None:
        self.line.cut = self._story.dice.random() < 0.2
        self.line.late = self._story.dice.choice([0.0, 0.0, 1.5])
        await self.gate.refresh()
        self.line.cut, self.line.late = False, 0.0

    async def die(self) -> None:
        await self.close()
        self.begin()

    async def close(self) -> None:
        await self.door.close()
        await self.line.dispose()


class Client:
    """A replica over the feed's door; questions and answers are lost, late and cut short."""

    def __init__(self, story: Story, key: str) -> None:
        self._story, self._key = story, key
        self.faults: list[str] = []
        self.begin()

    def begin(self) -> None:
        self._source = Http("http://gate.test", self._key, self._client)
        self.asker = Asker("enforce", BOUND)
        self.replica = Replica(self._source, self.asker)

    async def pull(self) -> None:
        kinds = ["whole", "whole", "whole", "lost", "unanswered", "late", "cut"]
        self.faults = self._story.dice.choices(kinds, k=3)
        await self.replica.pull()
        self.faults = []

    async def die(self) -> None:
        await self.close()
        self.begin()

    async def close(self) -> None:
        await self._source.close()

    async def ask(self, fact: Fact, token: int | None) -> Told:
        member, field, purpose = fact
        found = self.asker.look(member, (field,), purpose, None, token)
        return Told(found.permit, found.valid_for_ms / 1000, BOUND)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self)  # type: ignore[arg-type]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else "whole"
        if fault == "lost":
            raise httpx.ConnectError("lost")
        inner = httpx.ASGITransport(app=self._story.house.app)
        response = await inner.handle_async_request(request)
        body = await response.aread()
        if fault == "late":
            self._story.clock.now += 1.5
        if fault == "unanswered":
            raise httpx.ReadTimeout("unanswered")
        if fault == "cut":
            body = body[: self._story.dice.randrange(len(body))]
        return httpx.Response(response.status_code, content=body)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        return None
