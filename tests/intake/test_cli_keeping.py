"""The commands of keeping and destroying, against a sample company's files."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsers import CHEAP
from sqlmodel import select
from typer.testing import CliRunner, Result

from subjectline.handlers import agents
from subjectline.handlers.desk import Desk
from subjectline.intake.cli import app
from subjectline.intake.sandbox.company import MAP, create_company
from subjectline.intake.setup import close_desk, make_desk
from subjectline.models.clock import system_clock
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate
from subjectline.models.settings import load_settings
from subjectline.models.tables import Audit, LegalHold

Run = Callable[..., Result]
OPEN = ("archive", "open", "--member", "1001")


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company with all its members, to be copied."""
    path = tmp_path_factory.mktemp("whole") / "company.db"
    asyncio.run(create_company(path, system_clock))
    return path


@pytest.fixture
def config(
    tmp_path: Path, whole_company: Path, migrated_desk: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setattr(agents, "_hasher", lambda: CHEAP)
    file = tmp_path / "subjectline.toml"
    file.write_text(
        f'[desk]\ndata_dir = "{tmp_path}"\n[registry]\nmap = "{MAP}"\n'
        f'[registry.urls]\nmembers = "sqlite:///{tmp_path / "company.db"}"\n'
        f'archive = "sqlite:///{tmp_path / "apart.db"}"\n'
    )
    KeyRing.generate().save(tmp_path / "keyring.json")
    shutil.copy(whole_company, tmp_path / "company.db")
    shutil.copy(migrated_desk, tmp_path / "desk.db")
    _with(file, _two_agents)
    return file


async def _two_agents(desk: Desk) -> None:
    await migrate(desk.db)
    await agents.add(desk, "minji", "서민지", "a long password")
    await agents.add(desk, "jiho", "윤지호", "a long password", role="officer")


def _with(config: Path, work: Callable[[Desk], object]) -> object:
    async def opened() -> object:
        desk = make_desk(load_settings(config))
        try:
            return await work(desk)  # type: ignore[misc]
        finally:
            await close_desk(desk)

    return asyncio.run(opened())


@pytest.fixture
def run(config: Path) -> Run:
    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(config)])

    return invoke


def test_the_archive_of_a_member_is_opened_on_a_basis(run: Run, config: Path) -> None:
    async def leave(desk: Desk) -> None:
        changes = await desk.registry.draft_withdrawal("1001", "membership_withdrawal")
        await desk.registry.apply(changes)

    _with(config, leave)
    told = run(
        "archive",
        "open",
        "--member",
        "1001",
        "--basis",
        "statute",
        "--paper",
        "세무조사 2026-7",
        "--as",
        "jiho",
    )
    assert told.exit_code == 0, told.output
    records = json.loads(told.stdout)
    assert {"law", "kept_until", "record"} <= set(records[0])

    async def looked(desk: Desk) -> list[str]:
        async with desk.db.read() as session:
            return list(
                await session.exec(select(Audit.reason).where(Audit.action == "archive_open"))
            )

    assert _with(config, looked) == ["statute: 세무조사 2026-7"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*OPEN, "--basis", "curiosity", "--paper", "x", "--as", "jiho"), "listed basis"),
        ((*OPEN, "--basis", "order", "--paper", " ", "--as", "jiho"), "document"),
        ((*OPEN, "--basis", "review", "--paper", "x", "--as", "minji"), "officer"),
        (
            (*OPEN, "--basis", "order", "--paper", "x", "--as", "nobody"),
            "no such agent",
        ),
        (
            ("retention", "hold", "--reason", "x", "--until", "2099-01-01", "--as", "minji"),
            "officer",
        ),
        (("retention", "hold", "--reason", "x", "--until", "soon", "--as", "jiho"), "2027-01-31"),
        (("papers", "shred", "1", "--witness", "x", "--as", "minji"), "no paper"),
        (
            (
                *("consent", "again", "--member", "1001", "--what", "marketing", "--text", "1"),
                *("--evidence", "form 1", "--as", "minji", "--with", "jiho"),
            ),
            "nothing of that kind stands",
        ),
        (("restriction", "lift", "--member", "1001", "--remedy", "x", "--as", "minji"), "no restr"),
    ],
)
def test_what_is_wrong_is_one_line(run: Run, words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.exit_code == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_longer_keeping_and_its_end(run: Run) -> None:
    about = ("--member", "1001", "--rule", "disputes", "--as", "minji", "--door", "phone")
    assert run("consent", "longer", *about, "--until", "2099-01-01", "--text", "1").exit_code == 0
    assert run("consent", "shorter", *about).exit_code == 0
    lines = json.loads(run("consent", "list", "--member", "1001", "--as", "minji").stdout)
    assert [(x["state"], x["door"]) for x in lines] == [("given", "phone"), ("withdrawn", "phone")]
    assert "statute: " in CliRunner().invoke(app, ["archive", "bases"]).stdout


def test_a_run_says_what_is_due_and_writes_nothing_when_dry(run: Run, config: Path) -> None:
    assert "Nothing is due" in run("retention", "run", "--dry-run").stdout
    done = run("retention", "run", "--json", "--as", "jiho")
    assert done.exit_code == 0 and json.loads(done.stdout) == []
    assert "visits: " in run("retention", "rules").stdout
    assert run("retention", "certificates").stdout == ""


def test_an_officer_sets_a_legal_hold(run: Run, config: Path) -> None:
    done = run("retention", "hold", "--reason", "소송", "--until", "2099-01-01", "--as", "jiho")
    assert done.exit_code == 0, done.output

    async def held(desk: Desk) -> list[str]:
        async with desk.db.read() as session:
            return list(await session.exec(select(LegalHold.reason)))

    assert _with(config, held) == ["소송"]
    assert run("retention", "release", "1", "--as", "jiho").exit_code == 0


def test_a_member_is_restricted_by_reference(run: Run) -> None:
    done = run(
        "restriction", "open", "--member", "1001", "--reason", "이름이 다릅니다", "--as", "minji"
    )
    assert done.exit_code == 0 and done.stdout.startswith("SL-")
    assert run("consent", "list", "--member", "1001", "--as", "minji").stdout.strip() == "[]"
