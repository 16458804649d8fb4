"""clamd's protocol against a stand-in that speaks it, well and badly."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from scanner import fake_clamd
from servers import free_port

from subjectline.handlers.senders.clamd import CHUNK, EICAR, Clamd, Verdict
from subjectline.models.errors import ScannerAway
from subjectline.models.files import FileSettings


async def test_clean_and_infected_over_tcp() -> None:
    async with fake_clamd() as server:
        scanner = Clamd(server.settings())
        large = b"words " * (CHUNK // 4)
        assert await scanner.scan(large[:900_000]) == Verdict("clean")
        assert server.seen == [large[:900_000]]
        assert await scanner.scan(b"x" + EICAR) == Verdict("infected", "Win.Test.EICAR_HDB-1")
        assert (await scanner.version()).startswith("ClamAV 1.4.3/27800")


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    async with fake_clamd(tmp_path) as server:
        assert await Clamd(server.settings()).scan(b"") == Verdict("clean")
        finding = await Clamd(server.settings()).doctor()
        assert finding.ok and "ClamAV 1.4.3" in finding.sentence


async def test_what_is_too_large_failed() -> None:
    async with fake_clamd(most=1000) as server:
        assert await Clamd(server.settings()).scan(b"x" * 900_000) == Verdict(
            "failed", "too large to scan"
        )
    small = FileSettings(clamd="tcp:127.0.0.1:1", clamd_max_bytes=1024)
    assert (await Clamd(small).scan(b"x" * 2000)).state == "failed"  # without asking


async def test_an_error_of_its_own_failed() -> None:
    async with fake_clamd(mode="error") as server:
        assert (await Clamd(server.settings()).scan(b"x")).state == "failed"
        assert not (await Clamd(server.settings()).doctor()).ok


@pytest.mark.parametrize("mode", ["half", "hangs_up", "silent", "endless"])
async def test_half_an_answer_is_none(mode: str) -> None:
    async with fake_clamd(mode=mode) as server:
        with pytest.raises(ScannerAway):
            await Clamd(server.settings(0.3)).scan(b"x")


async def test_nobody_there(tmp_path: Path) -> None:
    for where in (f"tcp:127.0.0.1:{free_port()}", f"unix:{tmp_path}/none.ctl"):
        scanner = Clamd(FileSettings(clamd=where))
        with pytest.raises(ScannerAway) as told:
            await scanner.scan(b"x")
        assert "wait unscanned" in told.value.remedy
        assert not (await scanner.doctor()).ok


@pytest.mark.parametrize(
    "wrong", ["clamd", "tcp:host", "tcp:host:0", "unix:relative", "http://x:1"]
)
def test_a_socket_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        FileSettings(clamd=wrong)
