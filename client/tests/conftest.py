"""A small policy, a state of known age, and a gate that is made up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from math import inf

import httpx
import msgspec
import pytest

from subjectline_client import asking, core, following, questions, replica, wire
from subjectline_client.core import BOUND, HoldState
from subjectline_client.errors import TooOld, Unreachable
from subjectline_client.policy import Caller, Policy, Purpose


@pytest.fixture
def policy() -> Policy:
    return Policy(
        fields=("name", "email", "phone", "address"),
        purposes={
            "order": Purpose("contract"),
            "marketing": Purpose("consent", ("marketing",)),
            "sale": Purpose("consent", ("third_party",)),
            "tax": Purpose("law", fields=frozenset({"name", "address"})),
            "audit": Purpose("law"),
        },
        recipients=frozenset({"buyer", "printer"}),
        callers={
            "mailer": Caller(("marketing",)),
            "buyer-api": Caller(("sale", "marketing"), ("buyer",), partner=True),
            "books": Caller(("tax", "audit")),
            "all": Caller(("*",), ("*",)),
        },
        ids="integer",
    )


@pytest.fixture
def make_state(policy: Policy) -> Callable[..., HoldState]:
    """A state as of second 100."""

    def make(*holds: object, revision: int = 1) -> HoldState:
        state = HoldState(policy, bound=BOUND)
        state.load(holds, revision, 100.0)  # type: ignore[arg-type]
        return state

    return make


SEEN = wire.SeenPolicy(
    caller="mailer",
    ids="integer",
    fields=("name", "email", "phone"),
    purposes={
        "marketing": wire.SeenPurpose("consent"),
        "tax": wire.SeenPurpose("law", ("name",)),
    },
    recipients=("buyer",),
    serves=("self", "buyer"),
)


class Clock:
    """Seconds of a clock that a test moves; no two looks at it are the same moment."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1e-7
        return self.now


class MadeUp:
    """A gate with its history. `before` and `after` run around each look at it, and may raise or let
    time pass; what was true at which time stays in `truth`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.ids, self.history = clock, count(1), count(1)
        self.bound_ms, self.seen = int(BOUND * 1000), SEEN
        self.log: list[wire.Change] = []
        self.marks = [""]
        self.held: dict[int, tuple[str, str]] = {}
        self.truth: list[tuple[float, frozenset[tuple[str, str]]]] = [(-inf, frozenset())]
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.asked: list[str] = []
        self.restored = False
        self.reported: list[wire.Use] = []
        self.enforced = True  # as the last report said
        self.stream: asyncio.Queue[int | None] = asyncio.Queue()

    @property
    def revision(self) -> int:
        return len(self.log)

    def hold(self, member: str, field: str) -> int:
        number = next(self.ids)
        self.held[number] = (member, field)
        self._commit(wire.Change(self.revision + 1, (_seen(member, field),)))
        return number

    def release(self, number: int) -> None:
        told = _seen(*self.held.pop(number))
        self._commit(wire.Change(self.revision + 1, (), (told,)))

    def restore(self, revision: int) -> None:
        """Goes back to what was true then; what follows is another history."""
        self.restored = True
        del self.log[revision:], self.marks[revision + 1 :]
        self.held = {}
        for change in self.log:
            for each in change.placed:
                self.held[next(self.ids)] = (each.subject, each.fields[0])
            for gone in change.released:
                what = (gone.subject, gone.fields[0])
                del self.held[next(number for number, held in self.held.items() if held == what)]
        self._true()

    def was_free(self, member: str, field: str, since: float) -> bool:
        """Whether the field was free at any time from then on."""
        later = [held for at, held in self.truth if at > since]
        at_first = [held for at, held in self.truth if at <= since][-1]
        return any((member, field) not in held for held in (at_first, *later))

    async def snapshot(self) -> wire.Snapshot:
        self.asked.append("snapshot")
        self.before()
        rules = {
            each: number for number, each in enumerate(sorted({f for _, f in self.held.values()}))
        }
        told = wire.Snapshot(
            self.revision,
            self.marks[-1],
            self.bound_ms,
            self.seen,
            tuple(((field,), ("marketing", "tax"), ("*",)) for field in rules),
            tuple((who, rules[field]) for who, field in self.held.values()),
        )
        self.after()
        return told

    async def changes(self, since: int, mark: str, version: str, seconds: float) -> wire.Changes:
        self.asked.append("changes")
        await asyncio.sleep(0)
        self.before()
        fits = since <= self.revision and mark in ("", self.marks[since])
        if not fits or version not in ("", self.seen.version):
            self.after()
            raise TooOld
        last = min(self.revision, since + 2)
        told = wire.Changes(last, self.revision, self.marks[last], tuple(self.log[since:last]))
        self.after()
        return told

    async def wakes(self) -> AsyncIterator[int]:
        while (revision := await self.stream.get()) is not None:
            yield revision
        raise Unreachable("gone")

    def _commit(self, change: wire.Change) -> None:
        self.log.append(change)
        self.marks.append(f"h{next(self.history)}")
        self._true()

    def _true(self) -> None:
        self.truth.append((self.clock(), frozenset(self.held.values())))

    # Over HTTP

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """What the gate would answer."""
        if request.headers["authorization"] != "Bearer good":
            return httpx.Response(401)
        path, query = request.url.path, request.url.params
        if path == wire.STREAM:
            return httpx.Response(200, stream=_Events(self.stream))
        if path == wire.USES:
            self.before()
            report = msgspec.json.decode(request.content, type=wire.Uses)
            self.reported += report.uses
            self.enforced = report.enforced
            return httpx.Response(200, json={})
        try:
            told = await self._told(path, query)
        except TooOld:
            return httpx.Response(410)
        asked = msgspec.structs.replace(told, ask=query["ask"])
        return httpx.Response(200, content=msgspec.json.encode(asked))

    async def _told(self, path: str, query: httpx.QueryParams) -> wire.Snapshot | wire.Changes:
        if path == wire.SNAPSHOT:
            return await self.snapshot()
        return await self.changes(int(query["since"]), query["mark"], query["policy"], 1.0)


def _seen(member: str, field: str) -> wire.SeenHold:
    return wire.SeenHold(member, (field,), ("marketing", "tax"), ("*",))


class _Events(httpx.AsyncByteStream):
    def __init__(self, queue: "asyncio.Queue[int | None]") -> None:
        self._queue = queue

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b": here\n\n"
        while (revision := await self._queue.get()) is not None:
            yield b"event: revision\ndata: %d\n\n" % revision


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of every part of the client."""
    made = Clock()
    for module in (core, asking, following, questions, replica):
        monkeypatch.setattr(module, "steady", made)
    yield made


@pytest.fixture
def gate(clock: Clock) -> MadeUp:
    return MadeUp(clock)
