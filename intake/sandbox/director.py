"""Lets stories be played on the page, one at a time, and moves the sandbox's clock."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlmodel import col, select

from subjectline.handlers import timers
from subjectline.intake.sandbox.stories import story
from subjectline.intake.sandbox.story import Play, Shown, perform, play_of
from subjectline.models.errors import StaleMove
from subjectline.models.regimes import regime_named
from subjectline.models.tables import History

if TYPE_CHECKING:
    from subjectline.intake.sandbox.stage import Stage

PACE = 2.0  # seconds between two steps, to read by
DAYS = 10


@dataclass(frozen=True)
class Passed:
    """What the desk did by itself while days went by: events with how often."""

    until: datetime
    events: dict[str, int]


class Director:
    """Who says what is played on a stage. `pace` gives the pause between two steps in seconds."""

    def __init__(self, stage: "Stage", pace: float = PACE) -> None:
        self._stage, self._pace = stage, pace
        self._task: asyncio.Task[bool] | None = None
        self.play: Play | None = None
        self.passed: Passed | None = None

    @property
    def playing(self) -> bool:
        return self.play is not None and self.play.state == "playing"

    @property
    def looks(self) -> tuple[object, ...]:
        """What has to differ before it is worth looking again."""
        steps = tuple(each.state for each in self.play.steps) if self.play else ()
        return id(self.play), steps, self.passed

    def start(self, name: str) -> None:
        """Begins a story, with a member to whom nothing has happened yet.

        Raises BadInput for an unknown name, StaleMove while another one is played.
        """
        if self.playing:
            raise StaleMove("a story is being played", remedy="Wait for its end.")
        told, cast = story(name), self._stage.cast
        person = cast.now[told.language]
        if cast.acted(person):
            person = cast.next(told.language)
        self.play, self.passed = play_of(told, person), None
        self._task = asyncio.create_task(perform(self.play, self._stage, self._tell, self._pace))
        self._stage.pulse.beat()

    def _tell(self, shown: Shown) -> None:
        self._stage.pulse.beat()

    async def later(self, days: int = DAYS) -> Passed:
        """Lets whole days go by one after the other, so that each reminder has its own day."""
        before = await self._newest()
        for step in (*[timedelta(days=1)] * days, self._till_midnight()):
            self._stage.world.clock.advance(step)
            await timers.sweep(self._stage.desk)
        self._stage.desk.db.signals.set("clock", "task", "outbox", "notice")
        self.play = None if not self.playing else self.play
        self.passed = Passed(self._stage.desk.clock(), await self._since(before))
        self._stage.pulse.beat()
        return self.passed

    def _till_midnight(self) -> timedelta:
        """What is left of the day where the regime holds, so that the tenth day is over too."""
        desk = self._stage.desk
        now = desk.clock().astimezone(regime_named(desk.manner.regime).tz)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0)
        return midnight - now

    async def close(self) -> None:
        """Ends what is being played."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _newest(self) -> int:
        async with self._stage.desk.db.read() as session:
            return (await session.exec(select(func.max(History.id)))).one() or 0

    async def _since(self, before: int) -> dict[str, int]:
        wanted = (
            select(History.event, func.count())
            .where(col(History.id) > before)
            .group_by(History.event)
        )
        async with self._stage.desk.db.read() as session:
            return dict((await session.exec(wanted)).all())
