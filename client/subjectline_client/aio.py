"""The client for asyncio: a replica in the background, answers from memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from subjectline_client import guarding, questions
from subjectline_client.asking import NOT_ENFORCED, Ask, Asker, Mode, Released
from subjectline_client.core import BOUND, Decision, Filtered
from subjectline_client.errors import Unreachable
from subjectline_client.face import Face
from subjectline_client.questions import Evaluate, Look, Question
from subjectline_client.replica import Replica
from subjectline_client.transport import Http, MakeHttp

log = logging.getLogger("subjectline_client")

REPORTS = 1.0  # seconds between two reports of uses
LAST_REPORT = 2.0
FIRST_SECONDS = 5.0


class AsyncGate(Face):
    """Asks the gate at `url` with a caller's key.

    `mode="observe"` permits everything and records what it would have denied: not enforced. `bound`
    is in seconds: no permit from a state older than that. `http` makes the httpx.AsyncClient, where
    it needs certificates or a proxy of its own. After a fork the child's copy knows nothing, and
    denies until it is started there.
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
        self._made = (url, key, http), (mode, bound)
        self._begin_anew()
        super().__init__()

    def _begin_anew(self) -> None:
        where, how = self._made
        self._source, self._asker = Http(*where), Asker(*how)
        self._replica = Replica(self._source, self._asker)
        self._following = self._replica.following
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "AsyncGate":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, wait: float = FIRST_SECONDS) -> bool:
        """Begins to follow the gate. Returns whether the first state came within `wait` seconds;
        until it is there, every answer is a denial."""
        if not self._tasks:
            if not self.enforced:
                log.warning("the gate is only observed: what it denies is %s", NOT_ENFORCED)
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
        self._replica.forget()

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
        decision = self._asker.look(subject, fields, purpose, recipient, at_least_revision)
        if decision.permit and not decision.override and self._asker.enforced:
            return decision
        ask = Ask(subject, fields, purpose, recipient, at_least_revision)
        return await self._walk(questions.settled(self._asker, decision, ask))

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
        return self._asker.permitted(
            await self.decide(
                subject, fields, purpose, recipient, at_least_revision=at_least_revision
            )
        )

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
        await self._walk(questions.caught_up(self._asker, at_least_revision))
        return await asyncio.to_thread(
            self._asker.filter, subjects, fields, purpose, recipient, at_least_revision
        )

    async def released_since(
        self, revision: int, fields: Sequence[str], purpose: str, recipient: str | None = None
    ) -> Released:
        """Who was released after `revision` and may be used now: those who were passed over.

        Raises TooOld where nobody knows any more (go through everybody once), Unreachable, Stale.
        """
        return await self._walk(
            questions.released(self._asker, revision, fields, purpose, recipient)
        )

    def guard(
        self, *fields: str, purpose: str, recipient: str | None = None, subject: str = "subject"
    ) -> Callable[[guarding.Lasting], guarding.Lasting]:
        """For a coroutine function, or an asynchronous generator, that uses these fields of the
        member its argument `subject` names: it does not begin where the gate denies; Held, Stale or
        Denied is raised. What lasts longer than a permit asks again by itself."""

        def around(function: guarding.Lasting) -> guarding.Lasting:
            return guarding.for_asyncio(
                function, subject, lambda who: self.require(who, fields, purpose, recipient)
            )

        return around

    async def report(self) -> None:
        """Tells the gate how often what was permitted and denied; what it does not take is kept."""
        tally = self._asker.tally
        parts = list(tally.take())
        while parts:
            try:
                await self._source.report(parts[0], self.enforced)
            except (Exception, asyncio.CancelledError) as error:
                tally.keep(use for part in parts for use in part)
                if not isinstance(error, Unreachable):
                    raise
                return
            parts.pop(0)

    async def _walk(self, steps: questions.Steps[questions.Outcome]) -> questions.Outcome:
        return await questions.walk(steps, self._put)

    async def _put(self, question: Question) -> object:
        match question:
            case Look(seconds):
                await self._replica.pull_within(seconds)
                return None
            case Evaluate(caller, ask, seconds):
                return await self._source.evaluate(caller, ask, seconds)
        return await self._replica.put(question)

    async def _reporting(self) -> None:
        while True:
            await asyncio.sleep(REPORTS)
            await self.report()


async def _lasting(loop: Callable[[], Awaitable[None]]) -> None:
    """A loop that fell over begins again; meanwhile the state grows old and nothing is permitted."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("a loop of the gate's client begins again")
        await asyncio.sleep(REPORTS)
