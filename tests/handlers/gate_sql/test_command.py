"""`subjectline gate sql` from the command line."""

import asyncio
from pathlib import Path

import pytest
from servers import connected
from typer.testing import CliRunner, Result

from subjectline.intake.cli import app
from subjectline.intake.sandbox.company import MAP


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "subjectline.toml"
    file.write_text(f'[registry]\nmap = "{MAP}"\n[registry.urls]\nmembers = "sqlite://"\n')
    return file


def asked(settings: Path, *words: str) -> Result:
    given = ["gate", "sql", "--config", str(settings), "--audience", *words]
    return CliRunner().invoke(app, given)


@pytest.mark.server
def test_printed_applied_and_checked(settings: Path, postgres: str, company_name: str) -> None:
    url = f"{postgres}/{company_name}".replace("+asyncpg", "")
    there = ("marketing", "--url", f"members={url}")
    printed = asked(settings, *there)
    assert printed.exit_code == 0 and "CREATE OR REPLACE VIEW" in printed.stdout
    assert "-- mailing_list.added_at: the map does not say" in printed.stdout
    nothing = asked(settings, *there, "--check")
    assert nothing.exit_code == 1 and "nothing is applied" in nothing.stdout
    applied = asked(settings, *there, "--apply")
    assert applied.exit_code == 0 and "3 views for the role marketing" in applied.stdout
    checked = asked(settings, *there, "--check", "--connection", "members")
    assert checked.exit_code == 0, checked.stdout
    assert "could   members: postgres: a superuser" in checked.stdout
    assert asked(settings, *there, "--connection", "elsewhere").exit_code == 2


@pytest.mark.server
def test_the_script_runs_as_it_is_printed(settings: Path, postgres: str, company_name: str) -> None:
    url = f"{postgres}/{company_name}".replace("+asyncpg", "")
    printed = asked(settings, "marketing", "--url", url)

    async def run() -> int:
        async with connected(postgres, company_name) as connection:
            await connection.execute(printed.stdout)
            return int(await connection.fetchval("SELECT count(*) FROM gate.audience"))

    assert asyncio.run(run()) == 1


def test_what_it_cannot_do_is_one_line(settings: Path) -> None:
    for words, told in (
        (("nothing",), "no purpose"),
        (("third_party", "--recipient", "nobody"), "no recipient"),
        (("marketing",), "a convenience and no lock"),
        (("legal-retention",), "a view cannot record each such use"),
    ):
        done = asked(settings, *words)
        assert done.exit_code == 2 and told in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
