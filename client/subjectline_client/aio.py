"""The client for asyncio: a replica in the background, answers from memory."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from subjectline_client import metrics
from subjectline_client.asking import (
    NOT_ENFORCED,
    Ask,
    Asker,
    Mode,
    Released,
    behind_token,
    denied,
)
from subjectline_client.core import BOUND, Decision, Filtered, steady
from subjectline_client.errors import Unreachable, denial
from subjectline_client.replica import Replica
from subjectline_client.transport import Http, MakeHttp

log = logging.getLogger("subjectline_client")

PULL_SECONDS = 0.25  # a question that was shown a newer revision waits for one pull this long
RECORD_SECONDS = 6.0  # the gate itself gives up recording a use after 5
REPORTS = 1.0  # seconds between two reports of uses
LAST_REPORT = 2.0
FIRST_SECONDS = 5.0
USE_NOT_RECORDED = "use_not_recorded"

Given = ParamSpec("Given")
Result = TypeVar("Result")


class AsyncGate:
    """Asks the gate at `url` with a caller's key.

    `mode="observe"` permits everything and records what it would have denied: not enforced. `bound`
    is in seconds: no permit from a state older than that. `http` makes the httpx.AsyncClient, where
    it needs certificates or a proxy of its own.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        mode: Mode = "enforce",
        bound: float = BOUND,
        http: MakeHttp | None = None,
    ) -> None:
        self._source = Http(url, key, http)
        self.asker = Asker(mode, bound)
        self._replica = Replica(self._source, self.asker)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "AsyncGate":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        mode = "enforced" if self.asker.enforced else f"observe, {NOT_ENFORCED}"
        return f"<{type(self).__name__} revision {self.revision}; {mode}>"

    @property
    def enforced(self) -> bool:
        return self.asker.enforced

    @property
    def revision(self) -> int:
        """The revision of the state that answers now."""
        return self.asker.state.revision

    async def start(self, wait: float = FIRST_SECONDS) -> bool:
        """Begins to follow the gate. Returns whether the first state came within `wait` seconds;
        until it is there, every answer is a denial."""
        if not self._tasks:
            loops = (self._replica.run, self._reporting)
            self._tasks = [asyncio.create_task(_lasting(loop)) for loop in loops]
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._replica.synced.wait()
        return self._replica.synced.is_set()

    async def close(self) -> None:
        """Reports the last uses and lets go. Every answer is a denial from now on."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        try:
            async with asyncio.timeout(LAST_REPORT):
                await self.report()
        except (TimeoutError, RuntimeError):  # an interpreter that ends looks up no names any more
            log.warning("the last uses could not be reported")
        await self._source.close()
        self.asker.forget()

    async def decide(
        self,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Decision:
        """Whether these fields of a member may be used for this purpose, now.

        From memory, but for two questions: one with a newer revision than is known waits for one
        pull (250 ms), and a use that a law opens is recorded by the gate before it is answered.
        Never raises for want of an answer: whatever cannot be shown is a denial.
        """
        asker = self.asker
        decision = asker.look(subject, fields, purpose, recipient, at_least_revision)
        if decision.permit and not decision.override and asker.enforced:
            return decision
        return await self.settle(
            decision, Ask(subject, fields, purpose, recipient, at_least_revision)
        )

    async def settle(self, decision: Decision, ask: Ask) -> Decision:
        """What `decide` does where the state alone does not answer."""
        if behind_token(decision):
            await self.catch_up()
            decision = self.asker.look(
                ask.subject, ask.fields, ask.purpose, ask.recipient, ask.at_least_revision
            )
        if decision.permit and decision.override:
            return await self._override(decision, ask)
        return self.asker.settle(decision, ask)

    def unsettled(self, decision: Decision, ask: Ask) -> Decision:
        """The denial where `settle` did not come to an end in time."""
        if decision.permit:
            decision = denied(decision, USE_NOT_RECORDED)
        return self.asker.settle(decision, ask)

    async def catch_up(self) -> None:
        """One pull of at most 250 ms."""
        await self._replica.pull_within(PULL_SECONDS)

    async def require(
        self,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Decision:
        """`decide`, but a denial is raised: Held, Stale, or Denied for a wrong question."""
        decision = await self.decide(
            subject, fields, purpose, recipient, at_least_revision=at_least_revision
        )
        if not decision.permit:
            raise denial(decision.reasons, self.asker.retry_after, decision)
        return decision

    async def filter(
        self,
        subjects: Iterable[str],
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
    ) -> Filtered:
        """Who of many may be used: `allowed`, `held`, `unknown` (no canonical id). In a thread.

        Raises Stale with `retry_after` where the state is not new enough, Denied for a wrong
        question. Never opens what only a law opens.
        """
        if self.asker.behind(at_least_revision):
            await self.catch_up()
        return await asyncio.to_thread(
            self.asker.filter, subjects, fields, purpose, recipient, at_least_revision
        )

    async def released_since(
        self, revision: int, fields: Sequence[str], purpose: str, recipient: str | None = None
    ) -> Released:
        """Who was released after `revision` and may be used now: those who were passed over.

        Raises TooOld where nobody knows any more (go through everybody once), Unreachable, Stale.
        """
        head, names = revision, dict[str, None]()
        while True:
            told = await self._source.changes(head, "", "", self.asker.bound)
            names.update((each.subject, None) for c in told.changes for each in c.released)
            head = told.revision
            if head >= told.head:
                break
        found = await self.filter(names, fields, purpose, recipient, at_least_revision=head)
        return Released(found.allowed, found.held, head, found.valid_for_ms)

    def guard(
        self, *fields: str, purpose: str, recipient: str | None = None, subject: str = "subject"
    ) -> Callable[[Callable[Given, Awaitable[Result]]], Callable[Given, Awaitable[Result]]]:
        """For a coroutine function that uses these fields of the member its argument `subject`
        names: it is not called where the gate denies; Held, Stale or Denied is raised."""

        def around(
            function: Callable[Given, Awaitable[Result]],
        ) -> Callable[Given, Awaitable[Result]]:
            who = argument(function, subject)

            @wraps(function)
            async def guarded(*args: Given.args, **kwargs: Given.kwargs) -> Result:
                await self.require(who(args, kwargs), fields, purpose, recipient)
                return await function(*args, **kwargs)

            return guarded

        return around

    def metrics(self) -> dict[str, metrics.Figure]:
        """What was counted since the start, and how the replica stands."""
        return metrics.figures(self.asker, self._replica)

    def prometheus(self) -> str:
        """The same as Prometheus reads it."""
        return metrics.text(self.metrics())

    async def report(self) -> None:
        """Tells the gate how often what was permitted and denied; what it does not take is kept."""
        tally = self.asker.tally
        parts = list(tally.take())
        while parts:
            try:
                await self._source.report(parts[0])
            except (Exception, asyncio.CancelledError) as error:
                tally.keep(use for part in parts for use in part)
                if not isinstance(error, Unreachable):
                    raise
                return
            parts.pop(0)

    async def _override(self, decision: Decision, ask: Ask) -> Decision:
        """A law opens a held field: the gate records the use, and its answer counts."""
        sent_at = steady()
        newest = max(decision.revision, ask.at_least_revision or 0)
        asked = replace(ask, at_least_revision=newest)
        caller = self.asker.seen.caller if self.asker.seen else ""
        try:
            answer = await self._source.evaluate(caller, asked, RECORD_SECONDS)
        except Unreachable:
            return self.unsettled(decision, ask)
        told, took = answer.context, int((steady() - sent_at) * 1000)
        left = max(0, told.valid_for_ms - took)
        reasons = () if answer.decision else told.reasons or ("bad_request",)
        allowed = tuple(ask.fields) if answer.decision else told.allowed_fields
        return self.asker.shown(
            Decision(
                answer.decision, reasons, told.held_fields, allowed,
                told.revision, told.age_ms + took, left, told.override,
            )
        )  # fmt: skip

    async def _reporting(self) -> None:
        while True:
            await asyncio.sleep(REPORTS)
            await self.report()


def argument(
    function: Callable[..., object], name: str
) -> Callable[[tuple[object, ...], dict[str, object]], str]:
    """Finds the argument of that name in a call. Raises TypeError if the function has none."""
    signature = inspect.signature(function)
    if name not in signature.parameters:
        raise TypeError(f"{function.__qualname__} has no argument {name!r}")

    def found(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return given.arguments[name]  # type: ignore[no-any-return]

    return found


async def _lasting(loop: Callable[[], Awaitable[None]]) -> None:
    """A loop that fell over begins again; meanwhile the state grows old and nothing is permitted."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("a loop of the gate's client begins again")
        await asyncio.sleep(REPORTS)
