"""Random holds, releases, corrections, crashes, cuts and backups put back: no permit for a held field,
whoever is asked. The third form, the SQL view, plays the same stories in
tests/handlers/gate_sql/test_stories.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gates import House, housed, sample_policy
from stories import MODULES, Client, Clock, OverHttp, Served, Story

from subjectline.handlers import gate_feed
from subjectline.models.datamap import DataMap

STEPS = 25


@pytest.fixture(scope="session")
def data_map() -> DataMap:
    return sample_policy()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in MODULES:
        monkeypatch.setattr(module, "steady", made)
    monkeypatch.setattr(gate_feed, "MOST", 2)  # so that there are pages
    return made


@pytest.fixture
async def house(tmp_path: Path, data_map: DataMap) -> AsyncIterator[House]:
    async with housed(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", data_map) as made:
        await made.caller("mailer", "marketing", "service")
        yield made


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(n, marks=pytest.mark.long) for n in range(6, 300))]
)
async def test_no_permit_for_a_held_field(
    house: House, clock: Clock, tmp_path: Path, seed: int
) -> None:
    story = Story(house, clock, seed, tmp_path / "backup.db")
    desk = OverHttp(house.gate, house.keys["mailer"], 0.0)
    served, client = Served(story, house.keys["mailer"]), Client(story, house.keys["mailer"])
    await story.keep()
    happens = [
        story.hold, story.hold, story.correct, story.release, story.fail, story.wait, story.keep,
        story.restore, served.look, served.look, served.look, client.pull, client.pull, client.pull,
    ]  # fmt: skip
    rarely = [served.die, client.die]
    for _ in range(STEPS):
        await story.dice.choice(rarely if story.dice.random() < 0.03 else happens)()
        await story.compare("desk", desk.ask)
        await story.compare("serve", served.door.ask)
        await story.compare("client", client.ask)
    assert await served.gate.refresh() and await client.replica.pull()
    for name, form in (("desk", desk.ask), ("serve", served.door.ask), ("client", client.ask)):
        await story.settled(name, form)
    assert story.permits, "a story must permit something as well"
    for each in (desk, served, client):
        await each.close()
