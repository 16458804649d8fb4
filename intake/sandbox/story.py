"""A story: steps on the stage, each of which is done through a real door and seen at its far end.

The command line prints them and the page shows them; both play the same steps.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from subjectline.intake.web import catalogue
from subjectline.models.datamap import Bilingual
from subjectline.models.errors import Refused, SubjectlineError

if TYPE_CHECKING:
    from subjectline.intake.sandbox.people import Person
    from subjectline.intake.sandbox.stage import Stage

Facts = Mapping[str, "str | int | Bilingual"]


@dataclass
class Scene:
    """One playing of a story: who acts, and what was noted on the way."""

    stage: "Stage"
    person: "Person"
    door: str  # mail, chat
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.person.language

    @property
    def member(self) -> str:
        return self.person.member


@dataclass(frozen=True)
class Step:
    """`key` names its words, `place` the column where it can be seen (member, agents, company).

    `act` does it, waits until it is seen at the far end, and returns what was seen. It raises
    Refused, or TimeoutError where nothing came.
    """

    key: str
    place: str
    act: Callable[[Scene], Awaitable[Facts]]


@dataclass(frozen=True)
class Story:
    """`language` and `door` say who plays it and where."""

    name: str
    language: str
    door: str
    steps: Sequence[Step]


@dataclass
class Shown:
    """A step as it stands: `waits`, `now`, `seen` or `missed`. `at` is in seconds since the start."""

    step: Step
    state: str = "waits"
    facts: Facts = field(default_factory=dict)
    at: float = 0.0

    def caption(self, language: str) -> str:
        return said(f"story.{self.step.key}", language, {})

    def seen(self, language: str) -> str:
        return said(f"seen.{self.step.key}", language, self.facts) if self.facts else ""


@dataclass
class Play:
    """A story while it is played and after: `playing`, `seen` (all of it) or `missed`."""

    story: Story
    person: "Person"
    steps: list[Shown]
    state: str = "playing"
    trouble: str = ""
    seconds: float = 0.0

    @property
    def now(self) -> Shown:
        """The step that is being played, or the last one that was."""
        reached = [each for each in self.steps if each.state != "waits"]
        return reached[-1] if reached else self.steps[0]


def play_of(story: Story, person: "Person") -> Play:
    return Play(story, person, [Shown(step) for step in story.steps])


async def perform(
    play: Play, stage: "Stage", tell: Callable[[Shown], None], pause: float = 0.0
) -> bool:
    """Plays a story to its end or to the first step that was not seen; returns whether all were.

    `tell` hears of every step twice: when it begins and when it was seen or missed. `pause` are the
    seconds between two steps, for people who look on.
    """
    scene, started = Scene(stage, play.person, play.story.door), time.perf_counter()
    for shown in play.steps:
        shown.state = "now"
        tell(shown)
        try:
            shown.facts = await shown.step.act(scene)
            shown.state = "seen"
        except (TimeoutError, SubjectlineError, httpx.HTTPError) as wrong:
            shown.state, play.trouble = "missed", _trouble(wrong)
        play.seconds = shown.at = time.perf_counter() - started
        if shown.state == "missed" or shown is play.steps[-1]:
            play.state = shown.state
        tell(shown)
        if play.state != "playing":
            break
        await asyncio.sleep(pause)
    return play.state == "seen"


def _trouble(wrong: Exception) -> str:
    return "it did not come in time" if isinstance(wrong, TimeoutError) else str(wrong)


def expect(seen: object, otherwise: str) -> None:
    """Raises Refused with a sentence if what should be seen was not."""
    if not seen:
        raise Refused(otherwise)


def said(key: str, language: str, facts: Facts) -> str:
    """The words of a key with the facts put in, labels in the language asked for."""
    told = {
        name: value.text(language) if isinstance(value, Bilingual) else value
        for name, value in facts.items()
    }
    return catalogue("sandbox")[key][language].format(**told)
