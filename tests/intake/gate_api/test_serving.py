"""What keeps `subjectline gate serve` from beginning is one clear line."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from subjectline.intake.cli import app
from subjectline.intake.discreet import Seldom

HOLDS = Path(__file__).parent / "vectors" / "interop.yaml"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--port", "99999"), "gate_http.port: Input should be less than"),
        (("--certificate", "none.pem"), "certificate and private_key go together"),
        (
            ("--certificate", "none.pem", "--private-key", "none.pem"),
            "gate_http.certificate: no certificate with its key can be read there (No such file",
        ),
        (("--uses", "/nowhere/uses.db"), "--uses: no ledger can be kept in /nowhere/uses.db"),
        (("--uses", str(HOLDS)), "file is not a database"),
        (("--holds", "none.yaml"), "--holds: the holds in none.yaml cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_told_before_it_listens(given: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(app, ["gate", "serve", "--holds", str(HOLDS), *given])
    assert done.exit_code == 2 and told in done.output
    assert "listens" not in done.output


def test_a_port_that_is_taken(taken: int) -> None:
    done = CliRunner().invoke(app, ["gate", "serve", "--holds", str(HOLDS), "--port", str(taken)])
    assert done.exit_code == 2
    assert f"subjectline gate serve --port {taken + 1}" in done.output


def test_without_settings(tmp_path: Path) -> None:
    """Neither a desk nor a file."""
    done = CliRunner().invoke(app, ["gate", "serve", "--config", str(tmp_path / "none.toml")])
    assert done.exit_code == 2 and "none.toml" in done.output


def test_the_same_words_stand_in_the_log_once_a_minute() -> None:
    """A database that is away for ten minutes does not fill a disk."""
    seldom = Seldom(60)

    def passes(words: str, at: float) -> bool:
        record = logging.LogRecord("gate", logging.WARNING, "", 0, words, None, None)
        record.created = at
        return seldom.filter(record)

    told = [(passes("away", at), passes("other", at)) for at in (1000.0, 1000.5, 1059.9, 1060.0)]
    assert told == [(True, True), (False, False), (False, False), (True, True)]
    for number in range(Seldom.MOST + 1):
        assert passes(f"line {number}", 2000.0)
    assert len(seldom._said) <= Seldom.MOST
