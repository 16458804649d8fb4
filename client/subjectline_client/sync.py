"""The client for threads: the asyncio one in a thread of its own; answers come from memory at once."""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakSet

from subjectline_client import guarding, questions
from subjectline_client.aio import FIRST_SECONDS, AsyncGate
from subjectline_client.asking import Ask, Mode, Released, behind_token
from subjectline_client.core import BOUND, Decision, Filtered
from subjectline_client.errors import Unreachable
from subjectline_client.face import Face
from subjectline_client.questions import RECORD_SECONDS
from subjectline_client.transport import MakeHttp

LAST_SECONDS = 5.0
ANSWER_SECONDS = 30.0

Outcome = TypeVar("Outcome")


class Gate(Face):
    """As `AsyncGate`, for threads. Starts by itself with the first question, in a child process after
    a fork as well."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        mode: Mode = "enforce",
        bound: float = BOUND,
        http: MakeHttp | None = None,
    ) -> None:
        self._make: Callable[[], AsyncGate] = lambda: AsyncGate(
            url, key, mode=mode, bound=bound, http=http
        )
        self._begin_anew()
        super().__init__()
        _OPEN.add(self)

    def _begin_anew(self) -> None:
        self._starting = threading.Lock()  # who held it at a fork is not in the child
        self._renew()

    def _renew(self) -> None:
        self._gate = self._make()
        self._asker, self._following = self._gate._asker, self._gate._following
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending, self._closed = asyncio.Event(), False

    def __enter__(self) -> "Gate":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, wait: float = FIRST_SECONDS) -> bool:
        """Begins to follow the gate, once. Returns whether the first state came in `wait` seconds."""
        with self._starting:
            if self._closed:
                self._renew()
            if self._thread is None:
                ready = threading.Event()
                run = threading.Thread(
                    target=self._run, args=(ready,), name="subjectline-gate", daemon=True
                )
                run.start()
                ready.wait()
                self._thread = run
        return self._wait(self._gate.start(wait), wait + LAST_SECONDS)

    def close(self) -> None:
        """Reports the last uses and ends the thread. Every answer is a denial from now on."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is not None and self._loop is not None:
                self._loop.call_soon_threadsafe(self._ending.set)
                thread.join(LAST_SECONDS)
                self._closed = True

    def decide(
        self,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Decision:
        """Whether these fields of a member may be used for this purpose, now (see AsyncGate)."""
        decision = self._asker.look(subject, fields, purpose, recipient, at_least_revision)
        if decision.permit and not decision.override and self._asker.enforced:
            return decision
        return self._settle(decision, Ask(subject, fields, purpose, recipient, at_least_revision))

    def require(
        self,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Decision:
        """`decide`, but a denial is raised: Held, Stale, or Denied for a wrong question."""
        return self._asker.permitted(
            self.decide(subject, fields, purpose, recipient, at_least_revision=at_least_revision)
        )

    def filter(
        self,
        subjects: Iterable[str],
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Filtered:
        """Who of many may be used: `allowed`, `held`, `unknown` (see AsyncGate)."""
        self._begin()
        if self._asker.behind(at_least_revision):
            with suppress(Unreachable):
                looking = questions.caught_up(self._asker, at_least_revision)
                self._wait(self._gate._walk(looking), LAST_SECONDS)
        return self._asker.filter(subjects, fields, purpose, recipient, at_least_revision)

    def released_since(
        self, revision: int, fields: Sequence[str], purpose: str, recipient: str | None = None
    ) -> Released:
        """Who was released after `revision` and may be used now (see AsyncGate)."""
        self._begin()
        asked = self._gate.released_since(revision, fields, purpose, recipient)
        return self._wait(asked, ANSWER_SECONDS)

    def guard(
        self, *fields: str, purpose: str, recipient: str | None = None, subject: str = "subject"
    ) -> Callable[[guarding.Function], guarding.Function]:
        """For a function, or a generator, that uses these fields of the member its argument `subject`
        names: it does not begin where the gate denies; Held, Stale or Denied is raised. What lasts
        longer than a permit asks again by itself."""

        def around(function: guarding.Function) -> guarding.Function:
            return guarding.for_threads(
                function, subject, lambda who: self.require(who, fields, purpose, recipient)
            )

        return around

    # The thread

    def _begin(self) -> bool:
        """Starts the thread if nobody has. Returns whether it did."""
        if self._thread is not None or self._closed:
            return False
        with suppress(Unreachable):
            self.start()
        return True

    def _run(self, ready: threading.Event) -> None:
        async def live() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await self._ending.wait()
            await self._gate.close()

        asyncio.run(live())

    def _settle(self, decision: Decision, ask: Ask) -> Decision:
        if self._begin():
            return self.decide(
                ask.subject, ask.fields, ask.purpose, ask.recipient,
                at_least_revision=ask.at_least_revision,
            )  # fmt: skip
        if not (behind_token(decision) or decision.override):
            return self._asker.settle(decision, ask)
        steps = questions.settled(self._asker, decision, ask)
        try:
            return self._wait(self._gate._walk(steps), RECORD_SECONDS + 1)
        except Unreachable:
            return questions.unsettled(self._asker, decision, ask)

    def _wait(self, work: Coroutine[Any, Any, Outcome], seconds: float) -> Outcome:
        """The outcome of something in the thread. Raises Unreachable if it does not come."""
        loop = self._loop
        if self._thread is None or loop is None or loop.is_closed():
            work.close()
            raise Unreachable("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(seconds)
        except (TimeoutError, CancelledError):
            future.cancel()
            raise Unreachable("the client's thread does not answer") from None


_OPEN: WeakSet[Gate] = WeakSet()


def _last() -> None:
    for gate in list(_OPEN):
        gate.close()


atexit.register(_last)
