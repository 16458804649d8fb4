"""`subjectline settings`, as operating.md tells it: each value and where it comes from."""

from pathlib import Path

import pytest

from subjectline.intake.showing import EXAMPLE, shown

SECRET = "not to be shown"


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The example file, beside the two secrets that it names, with the environment set."""
    for name in ("imap.password", "smtp.password"):
        (tmp_path / name).write_text(SECRET)
    (tmp_path / "subjectline.toml").write_text(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUBJECTLINE_DESK__LANGUAGE", "en")
    return shown(Path("subjectline.toml"))


@pytest.mark.parametrize(
    "line",
    [
        "desk.language = 'en'  (SUBJECTLINE_DESK__LANGUAGE)",
        "desk.data_dir = 'var'  (subjectline.toml)",
        "desk.regime = ''  (default)",
        "database.url = ''  (default)",
        "mailboxes.0.port = 993  (default)",
        "mailboxes.0.password = ********  (subjectline.toml)",
        "registry.urls.members = ********  (subjectline.toml)",
        "telegram.token = None  (default)",
    ],
)
def test_each_value_has_its_source(line: str, lines: list[str]) -> None:
    assert line in lines


def test_no_secret_is_shown(lines: list[str]) -> None:
    assert SECRET not in "\n".join(lines)


def test_a_list_in_the_environment(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailboxes are one variable: JSON."""
    monkeypatch.setenv("SUBJECTLINE_MAILBOXES", '[{"host": "imap.test", "user": "desk"}]')
    told = shown(Path("subjectline.toml"))
    assert "mailboxes.0.host = 'imap.test'  (SUBJECTLINE_MAILBOXES)" in told
    assert "mailboxes.0.folder = 'INBOX'  (default)" in told
