"""The client for threads: the asyncio one in a thread of its own; answers come from memory at once."""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

from subjectline_client import metrics
from subjectline_client.aio import FIRST_SECONDS, RECORD_SECONDS, AsyncGate, argument
from subjectline_client.asking import NOT_ENFORCED, Ask, Mode, Released, behind_token
from subjectline_client.core import BOUND, Decision, Filtered
from subjectline_client.errors import Unreachable, denial
from subjectline_client.transport import MakeHttp

LAST_SECONDS = 5.0
ANSWER_SECONDS = 30.0

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Gate:
    """As `AsyncGate`, for threads. Starts by itself with the first question; safe to fork."""

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
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._renew()
        self._starting = threading.Lock()
        _ALL.add(self)

    def __enter__(self) -> "Gate":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        mode = "enforced" if self.enforced else f"observe, {NOT_ENFORCED}"
        return f"<Gate revision {self.revision}; {mode}>"

    @property
    def enforced(self) -> bool:
        return self._asker.enforced

    @property
    def revision(self) -> int:
        """The revision of the state that answers now."""
        return self._asker.state.revision

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
        asker = self._asker
        decision = asker.look(subject, fields, purpose, recipient, at_least_revision)
        if decision.permit and not decision.override and asker.enforced:
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
        decision = self.decide(
            subject, fields, purpose, recipient, at_least_revision=at_least_revision
        )
        if not decision.permit:
            raise denial(decision.reasons, self._asker.retry_after, decision)
        return decision

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
            self._wait(self._gate.catch_up(), LAST_SECONDS)
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
    ) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
        """For a function that uses these fields of the member its argument `subject` names: it is
        not called where the gate denies; Held, Stale or Denied is raised."""

        def around(function: Callable[Given, Result]) -> Callable[Given, Result]:
            if asyncio.iscoroutinefunction(function):
                raise TypeError("a coroutine function is guarded by an AsyncGate")
            who = argument(function, subject)

            @wraps(function)
            def guarded(*args: Given.args, **kwargs: Given.kwargs) -> Result:
                self.require(who(args, kwargs), fields, purpose, recipient)
                return function(*args, **kwargs)

            return guarded

        return around

    def metrics(self) -> dict[str, metrics.Figure]:
        """What was counted since the start, and how the replica stands."""
        return self._gate.metrics()

    def prometheus(self) -> str:
        """The same as Prometheus reads it."""
        return self._gate.prometheus()

    # The thread

    def _renew(self) -> None:
        """Knows nothing and runs nothing: at first, and in a child process after a fork."""
        self._gate = self._make()
        self._asker = self._gate.asker
        self._thread = self._loop = None
        self._ending, self._closed = asyncio.Event(), False

    def _begin(self) -> bool:
        """Starts the thread if nobody has. Returns whether it did."""
        if self._thread is not None or self._closed:
            return False
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
        if self._thread is None or not (behind_token(decision) or decision.override):
            return self._asker.settle(decision, ask)
        try:
            return self._wait(self._gate.settle(decision, ask), RECORD_SECONDS + 1)
        except Unreachable:
            return self._gate.unsettled(decision, ask)

    def _wait(self, work: Coroutine[Any, Any, Result], seconds: float) -> Result:
        """The outcome of something in the thread. Raises Unreachable if it does not come."""
        if self._loop is None:
            work.close()
            raise Unreachable("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise Unreachable("the client's thread does not answer") from None


_ALL: WeakSet[Gate] = WeakSet()


def _forked() -> None:
    """A child process has none of its parent's threads, and must not answer from its memory."""
    for gate in _ALL:
        gate._starting = threading.Lock()  # who held it is not here
        gate._renew()


def _last() -> None:
    for gate in list(_ALL):
        gate.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
atexit.register(_last)
