"""Marketing's own PostgreSQL in the sandbox: what its role sees, and what is said where there is none."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from servers import find

from subjectline.handlers import gate_ledger, holds, inbox
from subjectline.intake.sandbox import postgres, warehouse
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.incoming import Door

PATIENCE = 60.0
NEW = "010-0000-9123"


@asynccontextmanager
async def running(actors: Any) -> AsyncIterator[None]:
    """Marketing's database as `subjectline try` runs it."""
    task = asyncio.create_task(actors.stage.warehouse.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def company_column(actors: Any) -> str:
    answer = await actors.http.get("/sandbox/live?who=ko&lang=en")
    assert answer.status_code == 200
    return str(answer.text).partition('data-part="row"')[2]


async def seen(actors: Any, fits: Callable[[warehouse.Seen], bool]) -> warehouse.Seen:
    """What the role sees, once it is so."""

    async def look() -> warehouse.Seen | None:
        found = await actors.stage.warehouse.look(KO_MEMBER.member)
        return found if found and found.fresh and fits(found) else None

    found: warehouse.Seen = await actors.stage.pulse.until(look, PATIENCE)
    return found


def phone(found: warehouse.Seen) -> str | None:
    assert found.row is not None
    return found.row["phone"]


async def hold_phone(actors: Any) -> int:
    """A correction of the number that came authenticated: held at once. The request's number."""
    stage = actors.stage
    form = {"who": "ko", "sample": "phone"}
    await actors.http.post("/sandbox/mail", data=form, headers={"X-Live": "1"})
    (mail,) = stage.world.mail.mailbox(stage.world.mail.desk_address)
    await inbox.keep(
        stage.desk, [inbox.Raw(Door.MAIL, "box:1:1", "box", mail.arrived_at, mail.raw)]
    )
    await inbox.once(stage.desk, stage.world.parts.parsers)
    (request,) = await stage.requests()
    async with stage.desk.db.write() as session:
        request.registry_id = stage.desk.data_map.registry
        request.subject_id = KO_MEMBER.member  # as the proof says it
        session.add(request)
    return int(request.id)


async def corrected(actors: Any, request: int) -> None:
    """The row is written, then the hold ends, as the desk does it."""
    desk = actors.stage.desk
    with closing(sqlite3.connect(actors.stage.world.company)) as company:
        company.execute("UPDATE member SET phone = ? WHERE member_id = ?", (NEW, KO_MEMBER.number))
        company.execute("DELETE FROM mailing_list WHERE member_id = ?", (KO_MEMBER.number,))
        company.commit()
    async with desk.db.write() as session:
        await holds.end(session, request, desk.clock(), "done")


@pytest.mark.server
async def test_the_role_sees_null_while_it_is_held_and_then_the_corrected_value(
    actors: Any,
) -> None:
    find("initdb", "postgresql")
    async with running(actors):
        first = await seen(actors, lambda _: True)
        assert phone(first) == KO_MEMBER.phone and first.refusal.startswith("permission denied")
        number = await hold_phone(actors)
        held = await seen(actors, lambda found: phone(found) is None)
        assert held.row is not None and held.row["email"] == KO_MEMBER.email
        page = await company_column(actors)
        assert "<code>NULL</code>" in page and "FROM mart.member_marketing" in page
        assert "permission denied for table member" in page
        await corrected(actors, number)
        after = await seen(actors, lambda found: phone(found) is not None)
        assert phone(after) == NEW  # never the value from before
        assert actors.stage.desk.mirrors.all[0].status.connected
    assert actors.stage.warehouse.phase == "absent"
    assert not list(Path(tempfile.gettempdir()).glob("subjectline-sql-*/data"))


async def test_without_postgresql_the_page_says_what_it_would_show(
    actors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "programs", lambda: None)
    async with running(actors):
        await asyncio.sleep(0)
    page = await company_column(actors)
    assert "SQLite, which has no roles" in page and "cannot be used" not in page
    assert actors.stage.desk.mirrors.all == ()


async def test_a_postgresql_that_does_not_start_is_told_with_its_own_words(
    actors: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    tmp_path.chmod(0o755)
    for name in postgres.PROGRAMS:
        program = folder / name
        program.write_text("#!/bin/sh\necho 'initdb: error: no room left' >&2\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setattr(warehouse, "programs", lambda: folder)
    monkeypatch.setattr("os.geteuid", lambda: 1)  # as whoever runs the tests
    await actors.stage.warehouse.run()
    page = await company_column(actors)
    assert "it did not start (initdb: error: no room left)" in page
    assert actors.stage.warehouse.phase == "failed" and not actors.stage.desk.mirrors.all


async def test_how_often_a_held_field_was_asked_for_is_counted(actors: Any) -> None:
    await hold_phone(actors)
    for _ in range(7):
        for system in ("marketing-mailer", "nightly-export"):
            form = {"who": "ko", "system": system}
            await actors.http.post("/sandbox/try", data=form, headers={"X-Live": "1"})
    ledger: gate_ledger.Ledger = actors.stage.desk.gate._ledger
    await ledger.flush()
    assert "asked 14, given 0" in await company_column(actors)


def test_the_newest_programs_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9.6", "15", "16"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        for name in postgres.PROGRAMS[: 2 if version == "16" else 3]:  # 16 is half installed
            (folder / name).touch(0o755)
    monkeypatch.setattr(postgres, "PLACES", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", "")
    assert postgres.programs() == tmp_path / "15" / "bin"
    monkeypatch.setattr(postgres, "PLACES", ())
    assert postgres.programs() is None
