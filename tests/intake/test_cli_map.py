"""`subjectline access`, `map check` and `map draft` from the command line."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from subjectline.intake.cli import app

BAKERY = Path(__file__).parents[1] / "handlers/registry/bakery"


@pytest.fixture
def bakery(tmp_path: Path) -> Path:
    """A folder with two databases, their datasets, and a map that carries the URLs."""
    for name in ("bakery", "club"):
        with sqlite3.connect(tmp_path / f"{name}.db") as database:
            script = "schema.sql" if name == "bakery" else "club.sql"
            database.executescript((BAKERY / script).read_text())
        database.close()
        (tmp_path / f"{name}.yml").write_text((BAKERY / f"{name}.yml").read_text())
    urls = (f"  {name}: {{url: 'sqlite:///{tmp_path}/{name}.db'}}" for name in ("bakery", "club"))
    text = (BAKERY / "map.yaml").read_text() + "connections:\n" + "\n".join(urls) + "\n"
    (tmp_path / "map.yaml").write_text(text)
    return tmp_path


def test_access_prints_rows_by_table_and_what_is_withheld(bakery: Path) -> None:
    options = ["--map", str(bakery / "map.yaml"), "--identity", "ada@bakery.test", "--json"]
    done = CliRunner().invoke(app, ["access", *options])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [row["basket_no"] for row in told["rows"]["basket"]] == ["b1", "b2", "b5", "b7"]
    assert told["rows"]["gift"] == []
    gifts = [w for w in told["withheld"] if w["table"] == "gift"]
    assert [(w["reason"], w["rows"]) for w in gifts] == [("unknown", 1)]
    assert "ben@" not in done.stdout


def test_access_tells_an_unknown_identity(bakery: Path) -> None:
    options = ["--map", str(bakery / "map.yaml"), "--identity", "nobody@bakery.test"]
    done = CliRunner().invoke(app, ["access", *options])
    assert done.exit_code == 2 and "0 members" in done.stderr


def test_an_option_overrides_the_url_of_the_map(bakery: Path, tmp_path: Path) -> None:
    away = f"bakery=sqlite:///{tmp_path}/none/x.db"
    options = ["--map", str(bakery / "map.yaml"), "--identity", "ada@bakery.test", "--url", away]
    done = CliRunner().invoke(app, ["access", *options])
    assert done.exit_code == 2 and "cannot be opened" in done.stderr


def test_map_check_warns_and_passes_then_fails(bakery: Path) -> None:
    check = ["map", "check", "--map", str(bakery / "map.yaml")]
    done = CliRunner().invoke(app, check)
    assert done.exit_code == 0 and "bakery.yml:" in done.stdout
    assert "withheld from everybody" in done.stdout
    with sqlite3.connect(bakery / "bakery.db") as database:
        database.execute("ALTER TABLE purse RENAME COLUMN digits TO numbers")
    database.close()
    failed = CliRunner().invoke(app, [*check, "--json"])
    assert failed.exit_code == 1
    wrong = [f for f in json.loads(failed.stdout) if f["level"] == "error"]
    assert [f["where"] for f in wrong] == ["tables.purse.columns.digits"]


def test_map_draft_prints_a_map(bakery: Path) -> None:
    done = CliRunner().invoke(app, ["map", "draft", f"sqlite:///{bakery}/bakery.db"])
    assert done.exit_code == 0 and "# guess" in done.stdout
    away = CliRunner().invoke(app, ["map", "draft", f"sqlite:///{bakery}/none/x.db"])
    assert away.exit_code == 2 and "cannot be opened" in away.stderr
