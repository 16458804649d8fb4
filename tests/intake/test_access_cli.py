"""`subjectline access` on a Fides dataset as it is: whose rows come out, and what is said where not."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from subjectline.intake.cli import app
from subjectline.intake.map_source import url_options
from subjectline.models.datamap import load_map
from subjectline.models.errors import BadInput, DataMapError

LIBRARY = Path(__file__).parent / "library"
DATASET = LIBRARY / "library.yml"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The library's database, without the newsletter's."""
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.executescript((LIBRARY / "schema.sql").read_text())
    database.close()
    return f"library=sqlite:///{tmp_path}/library.db"


def asked(identity: str, *options: str, dataset: Path = DATASET) -> Result:
    told = ["--map", str(dataset), "--identity", identity, "--json", *options]
    return CliRunner().invoke(app, ["access", *told])


def given(identity: str, *options: str, dataset: Path = DATASET) -> dict[str, Any]:
    done = asked(identity, *options, dataset=dataset)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def reasons(told: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(w["table"], w["reason"], w["rows"]) for w in told["withheld"]}


def numbers(told: dict[str, Any]) -> dict[str, list[int]]:
    return {t: [row["no"] for row in rows] for t, rows in told["rows"].items() if rows}


def test_a_member_gets_what_is_theirs_and_the_catalogue_it_leads_to(url: str) -> None:
    told = given("mina@library.test", "--url", url)
    assert numbers(told) == {
        "reader": [1],
        "purse": [1],
        "loan": [1, 2],
        "book": [1, 2],
        "question": [1],
    }
    assert "digits-of-noah" not in json.dumps(told) and "noah@" not in json.dumps(told)
    wanted = {("purse", "another", 1), ("flat", "shared", 1), ("question", "shared", 1)}
    assert wanted <= reasons(told)


def test_what_no_url_is_given_for_is_said(url: str) -> None:
    told = given("mina@library.test", "--connection", url)
    assert told["not_reached"] == [
        {
            "connection": "newsletter",
            "tables": ["subscriber"],
            "told": "no URL was given for its database",
        }
    ]


def test_a_member_who_is_also_a_clerk_gets_both(url: str) -> None:
    told = given("NOAH@library.test", "--url", url)
    rows = numbers(told)
    assert (rows["reader"], rows["clerk"], rows["flat"]) == ([2], [2], [2])
    assert rows["purse"] == [2] and "guest@" not in json.dumps(told)


def test_rows_are_found_by_a_contact_that_no_member_has(url: str) -> None:
    clerk = given("clerk@library.test", "--url", url)
    assert clerk["member"] is None
    assert numbers(clerk) == {"clerk": [1], "flat": [3]}
    guest = given("guest@else.test", "--url", url)
    assert numbers(guest) == {"question": [3]}
    assert reasons(guest) == {("clerk", "another", 1)}


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        ("nobody@library.test", "0 members"),
        ("twin@library.test", "2 members"),
        ("x' OR '1'='1", "knows nobody by phone"),
        ("mina@library.test' --", "this is no email"),
        ("m%@library.test", "0 members"),
        (" ", "no identity"),
    ],
)
def test_an_identity_that_is_nobodys_is_refused(url: str, identity: str, told: str) -> None:
    done = asked(identity, "--url", url)
    assert done.exit_code == 2 and told in done.stderr and not done.stdout


def test_a_url_alone_and_one_of_the_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = given("mina@library.test", "--without", "newsletter", "--url", url.partition("=")[2])
    monkeypatch.setenv("SUBJECTLINE_REGISTRY__URLS__LIBRARY", url.partition("=")[2])
    assert given("mina@library.test")["rows"] == alone["rows"]


def test_several_files_make_one_map(url: str, tmp_path: Path) -> None:
    parts = DATASET.read_text().split("  - fides_key: newsletter")
    (tmp_path / "one.yml").write_text(parts[0])
    (tmp_path / "two.yml").write_text("dataset:\n  - fides_key: newsletter" + parts[1])
    both = load_map(tmp_path / "one.yml", tmp_path / "two.yml")
    assert list(both.tables) == list(load_map(DATASET).tables)
    assert (both.home.table, both.home.key) == ("reader", "no")
    told = given(
        "mina@library.test", "--map", str(tmp_path / "two.yml"), "--url", url,
        dataset=tmp_path / "one.yml",
    )  # fmt: skip
    assert [left["connection"] for left in told["not_reached"]] == ["newsletter"]


def test_a_map_of_ours_and_a_dataset_beside_it(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("home: reader\ntables: {reading_room: {belongs: unknown}}\n")
    whole = load_map(tmp_path / "map.yaml", DATASET)
    assert whole.home.table == "reader"
    with pytest.raises(DataMapError, match="one data map"):
        load_map(tmp_path / "map.yaml", tmp_path / "map.yaml")


def test_what_the_database_does_not_have_is_told_with_file_and_line(
    url: str, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.execute("DROP TABLE loan")
        database.execute("ALTER TABLE clerk RENAME COLUMN flat TO lodging")
    database.close()
    done = asked("mina@library.test", "--url", url)
    assert done.exit_code == 2
    line = DATASET.read_text()[: DATASET.read_text().index("- name: loan")].count("\n") + 1
    assert f"library.yml:{line} tables.loan: the database has no table 'loan'" in done.stderr
    assert "no column 'flat'" in done.stderr and "--without" in done.stderr


@pytest.mark.parametrize(
    ("urls", "told"),
    [
        ((), "no URL is given for 'library', 'newsletter'"),
        (("libary=sqlite:///x.db",), "no connection 'libary'"),
        (("library=sqlite:////nowhere/x.db",), "cannot be opened"),
        (("library=postgresql://desk@127.0.0.1:1/x",), "nothing answers at its host and port"),
        (("library=postgresql://desk@127.0.0.1:1/x?colour=red",), "option that is none: colour"),
        (("library=mongodb://127.0.0.1/x",), "SQLite or PostgreSQL"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(urls: tuple[str, ...], told: str) -> None:
    done = asked("mina@library.test", *(part for one in urls for part in ("--url", one)))
    assert done.exit_code == 2 and told in done.stderr and "Traceback" not in done.output


def test_url_options() -> None:
    assert url_options(["a=sqlite:///x?b=c"]) == {"a": "sqlite:///x?b=c"}
    assert url_options(["postgresql://u:p=w@h/n?a=b"]) == {"": "postgresql://u:p=w@h/n?a=b"}
    for wrong in (["a=sqlite:///x", "a=sqlite:///y"], ["nonsense"], ["=sqlite:///x"]):
        with pytest.raises(BadInput, match="--url"):
            url_options(wrong)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dataset: []", "library.yml: a Fides dataset file has a list"),
        ("dataset:\n  - name: x\n", "library.yml:2 dataset.0: the key 'fides_key' is missing"),
        ("dataset:\n  * x: y\n", "library.yml:2: this is not good YAML"),
        (
            "dataset:\n  - fides_key: x\n    collections: [{name: y, fields: [{name: z}]}]\n",
            "library.yml: no collection has an email",
        ),
    ],
)
def test_a_dataset_that_cannot_be_read_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "library.yml").write_text(text)
    done = asked("mina@library.test", dataset=tmp_path / "library.yml")
    assert done.exit_code == 2 and told in done.stderr
    missing = asked("mina@library.test", dataset=tmp_path / "none.yml")
    assert missing.exit_code == 2 and "none.yml: the data map cannot be read" in missing.stderr


@pytest.mark.parametrize("command", ["serve", "doctor"])
@pytest.mark.parametrize(
    ("company", "told"),
    [
        ("", "no name, no officer, no phone or email"),
        ("{name: {ko: 도서관, en: Library}, officer: {ko: 담, en: O}, phone: '', email: ' '", "no phone or"),
        ("{name: {ko: 회사 이름, en: Company}, officer: {ko: 담당, en: O}, phone: '1', email: ''", "no name"),
    ],
)  # fmt: skip
def test_no_letter_leaves_without_a_sender(
    url: str, tmp_path: Path, command: str, company: str, told: str
) -> None:
    ours = "datasets: [{file: library.yml, only: [library]}]\nhome: reader\n"
    ours += "tables: {reading_room: {belongs: unknown}}\n"
    (tmp_path / "library.yml").write_text(DATASET.read_text())
    (tmp_path / "map.yaml").write_text(
        ours + (f"company: {company}, policy_url: ''}}\n" if company else "")
    )
    config = tmp_path / "subjectline.toml"
    config.write_text(
        f'[desk]\ndata_dir = "{tmp_path / "var"}"\n[registry]\nmap = "{tmp_path / "map.yaml"}"\n'
        f'[registry.urls]\nlibrary = "{url.partition("=")[2]}"\n'
    )
    for words in (["keys", "init"], ["migrate"], [command]):
        done = CliRunner().invoke(app, [*words, "--config", str(config)])
    line = 4 if company else 1
    assert done.exit_code == (2 if command == "serve" else 1)
    assert f"map.yaml:{line} company: letters would leave without a sender" in done.output
    assert told in done.output and "company: {name, officer" in done.output
