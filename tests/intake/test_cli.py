"""The operator's words: each does its work, and says in one line what is wrong."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from subjectline.intake.cli import app
from subjectline.intake.sandbox.company import MAP

MAIL = (
    b"From: Haneul <haneul.kim@mail.test>\r\nTo: privacy@desk.test\r\nSubject: address\r\n"
    b"Message-ID: <1@mail.test>\r\n\r\nPlease change my shipping address to 5 Harbour Lane.\r\n"
)


def run(*words: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=given)


def told(*words: str | Path) -> dict[str, object]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.output)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a desk in an empty folder, over a registry without tables."""
    company = tmp_path / "company.db"
    sqlite3.connect(company).close()
    path = tmp_path / "subjectline.toml"
    path.write_text(
        f'[desk]\ndata_dir = "{tmp_path / "var"}"\n[registry]\nmap = "{MAP}"\n'
        f'[registry.urls]\nmembers = "sqlite:///{company}"\n'
    )
    return path


def test_due_says_the_day_and_why() -> None:
    found = told("due", "kr-pipa", "access", "2026-11-23T10:00+09:00")
    assert found["due_on"] == "2026-12-03"
    assert any("35" in step for step in found["derivation"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("arrival", ["yesterday", "2026-11-23T10:00"])
def test_due_names_a_bad_arrival(arrival: str) -> None:
    result = run("due", "kr-pipa", "access", arrival)
    assert result.exit_code == 2 and result.stderr.startswith("arrival:")


def test_understand_takes_text_or_a_file(tmp_path: Path) -> None:
    said = "제 배송지를 부산시 수영구 파도로 12로 바꿔 주세요."
    (tmp_path / "mail.txt").write_text(said)
    for given in (said, tmp_path / "mail.txt"):
        found = told("understand", given)
        assert found["decision"] == "apply"
        assert found["wishes"][0]["kind"] == "correction"  # type: ignore[index]


def test_mail_explain(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    found = told("mail", "explain", tmp_path / "a.eml")
    assert found["rule"] == "person" and found["tier"] == "unknown"
    assert "Harbour Lane" in str(found["text"])


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = run("mail", "explain", tmp_path / "none.eml")
    assert result.exit_code == 2 and "There is no file" in result.stderr


@pytest.mark.parametrize("language", ["ko", "en"])
def test_letter_preview(language: str) -> None:
    result = run("letter", "preview", "ack", "--lang", language)
    assert result.exit_code == 0 and "SL-" in result.output


def test_an_unknown_letter_names_the_known_ones() -> None:
    result = run("letter", "preview", "love")
    assert result.exit_code == 2 and "ack" in result.stderr


def test_keys_are_made_once(config: Path) -> None:
    assert run("keys", "init", "--config", config).exit_code == 0
    again = run("keys", "init", "--config", config)
    assert again.exit_code == 2 and again.stderr.startswith("keys.ring:")


def test_an_agent_and_a_caller_are_added(config: Path) -> None:
    run("keys", "init", "--config", config)
    added = run(
        "agent", "add", "minji", "--name", "서민지", "--config", config, given="long enough word\n"
    )
    assert added.exit_code == 0, added.stderr
    short = run("agent", "add", "alex", "--name", "Alex", "--config", config, given="short\n")
    assert short.exit_code == 2 and short.stderr.startswith("password:")
    caller = run("gate", "caller", "mailer", "--purpose", "marketing", "--config", config)
    assert caller.exit_code == 0 and caller.output.startswith("slg_")
    ours = run("gate", "caller", "mailer", "--purpose", "rights-handling", "--config", config)
    assert ours.exit_code == 2 and ours.stderr.startswith("--purpose")
    allowed = ours.stderr.partition("Allowed:")[2]
    assert "marketing" in allowed and "rights-handling" not in allowed
    keys_of_a_caller(config, caller.output)


def keys_of_a_caller(config: Path, first: str) -> None:
    """A caller's key is exchanged, listed and ended; keys are shown once, and never again."""
    second = run("gate", "rotate", "mailer", "--for", "12h", "--config", config)
    assert second.output.startswith("slg_") and second.output != first
    listed = run("gate", "callers", "--config", config).output
    assert "mailer  for marketing" in listed and "until" in listed and "slg_" not in listed
    wrong = run("gate", "rotate", "mailer", "--for", "soon", "--config", config)
    assert wrong.exit_code == 2 and wrong.stderr.startswith("--for:")
    assert run("gate", "revoke", "mailer", "--config", config).exit_code == 0
    assert "revoked" in run("gate", "callers", "--config", config).output
    again = run("gate", "rotate", "mailer", "--config", config)
    assert again.exit_code == 2 and "revoked" in again.stderr


def test_without_keys_every_command_says_how_to_make_them(config: Path) -> None:
    result = run(
        "agent", "add", "minji", "--name", "M", "--config", config, given="long enough word\n"
    )
    assert result.exit_code == 2 and "subjectline keys init" in result.stderr


def test_doctor_finds_what_is_wrong(config: Path) -> None:
    run("keys", "init", "--config", config)
    run("migrate", "--config", config)
    result = run("doctor", "--config", config)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert any(line.startswith("ok   keys:") for line in lines)
    assert any(line.startswith("ok   database:") for line in lines)
    assert any(line.startswith("FAIL registry:") for line in lines)
    assert any(line.startswith("FAIL doors:") for line in lines)


def test_doctor_without_keys_stops_there(config: Path) -> None:
    result = run("doctor", "--config", config)
    assert result.exit_code == 1 and "keys init" in result.output


def test_map_check_lists_what_does_not_fit(config: Path) -> None:
    run("keys", "init", "--config", config)
    result = run("map", "check", "--config", config)
    assert result.exit_code == 1 and "member" in result.output


def test_the_example_is_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "subjectline.toml"
    path.write_text(run("settings", "--example").output)
    (tmp_path / "imap.password").write_text("x")
    (tmp_path / "smtp.password").write_text("x")
    result = CliRunner().invoke(app, ["settings", "--config", str(path)])
    assert (
        result.exit_code == 2 and "password" in result.stderr
    )  # relative files: of the folder one is in
