"""The stories of tests/plugins/stories.py before a masking view: random holds, releases, corrections,
crashes, cuts, two mirrors and backups put back; no view shows a held field for longer than the bound."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gates import NOW, House, housed
from masked import BOUND_SECONDS, CONNECTION, Company
from stories import MODULES, Clock, Fact, Served, Story, Told

from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline_client.core import BOUND

pytestmark = pytest.mark.server

SCALE = BOUND_SECONDS / BOUND  # seconds of the company's server for one of the story
PAST = "UPDATE gate.freshness SET fresh_at = fresh_at - make_interval(secs => $1)"
VIEW = (
    "SELECT {field}, revision, extract(epoch FROM fresh_until - clock_timestamp())::float"
    " FROM mart.member_marketing, mart.gate_marketing WHERE member_id = $1"
)


class Members(Story):
    members, fields, purposes = (
        ("1001", "1002", "1003"),
        ("email", "phone", "nickname"),
        ("marketing",),
    )


class View:
    """What `marketing` reads, kept current by two mirrors, each with a look of its own at the desk."""

    def __init__(self, story: Story, company: Company, key: str) -> None:
        self._story, self._company, self._key = story, company, key
        self._at = story.clock.now
        self._mirrors: dict[str, tuple[Served, Mirror]] = {}
        for name in "ab":
            self._begin(name)

    def _begin(self, name: str) -> None:
        served = Served(self._story, self._key)
        engine = open_engine(self._company.url_of("gate_mirror"))
        table = HoldTable(self._company.data_map, CONNECTION, engine)
        self._mirrors[name] = served, Mirror(table, served.gate, FrozenClock(NOW))

    async def go_round(self) -> None:
        await self._pass()
        served, mirror = self._mirrors[self._story.dice.choice("ab")]
        served.line.cut = self._story.dice.random() < 0.2
        served.line.late = self._story.dice.choice([0.0, 0.0, 1.5])
        await mirror.once()
        served.line.cut, served.line.late = False, 0.0

    async def in_step(self) -> None:
        await self._pass()
        assert await self._mirrors["a"][1].once()

    async def die(self) -> None:
        name = self._story.dice.choice("ab")
        await self._end(name)
        self._begin(name)

    async def close(self) -> None:
        for name in "ab":
            await self._end(name)

    async def ask(self, fact: Fact, token: int | None) -> Told:
        await self._pass()
        member, field, _ = fact
        [(value, revision, left)] = await self._company.ask(VIEW.format(field=field), int(member))
        shown = value is not None and (token is None or revision >= token)
        return Told(shown, max(0.0, (left or 0.0) / SCALE), BOUND)

    async def _end(self, name: str) -> None:
        served, mirror = self._mirrors[name]
        await mirror.close()
        await served.close()

    async def _pass(self) -> None:
        """The story's time passes on the company's server too."""
        now = self._story.clock.now
        await self._company.admin(PAST, (now - self._at) * SCALE)
        self._at = now


@pytest.fixture
async def house(tmp_path: Path, sample_map: DataMap) -> AsyncIterator[House]:
    async with housed(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", sample_map) as made:
        await made.caller("mailer", "marketing")
        yield made


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 60))]
)
async def test_no_view_shows_a_held_field(
    house: House, masked: Company, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in MODULES:
        monkeypatch.setattr(module, "steady", clock)
    await masked.admin("UPDATE gate.freshness SET revision = 0, fresh_at = 'epoch'")
    story = Members(house, clock, seed, tmp_path / "backup.db")
    view = View(story, masked, house.keys["mailer"])
    await story.keep()
    happens = [
        story.hold, story.hold, story.correct, story.release, story.fail, story.wait,
        story.keep, story.restore, view.go_round, view.go_round, view.go_round, view.go_round,
    ]  # fmt: skip
    for _ in range(25):
        await (view.die if story.dice.random() < 0.03 else story.dice.choice(happens))()
        await story.compare("view", view.ask)
        await story.compare("view", view.ask)
    await view.in_step()
    await story.settled("view", view.ask)
    await view.close()
