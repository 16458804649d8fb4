"""The client from threads and in another process's hands: started late, forked, imported."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from subjectline_client import (
    Gate,
    Held,
    Stale,
    Unreachable,
    face,
    wire,
)

MadeUp = Any  # of conftest.py
URL = "http://gate.test"


@pytest.fixture
def threaded(gate: MadeUp) -> Iterator[Gate]:
    gate.hold("7", "email")
    with Gate(URL, "good", http=gate.client) as made:
        yield made


def test_from_threads(threaded: Gate, gate: MadeUp) -> None:
    assert threaded.decide("8", ["email"], "marketing") and threaded.enforced
    assert threaded.decide("7", ["email"], "marketing").reasons == ("held",)
    with pytest.raises(Held):
        threaded.require("7", ["email"], "marketing")
    gate.hold("8", "email")
    behind = threaded.decide("8", ["email"], "marketing", at_least_revision=2)
    assert behind.reasons == ("held",)
    assert threaded.filter(["7", "9"], ["email"], "marketing").allowed == ["9"]
    gate.release(2)
    assert threaded.released_since(1, ["email"], "marketing").allowed == ["8"]
    assert repr(threaded) == "<Gate revision 3; enforced>"


def test_many_threads_count_every_permit(threaded: Gate, gate: MadeUp) -> None:
    def ask() -> None:
        for _ in range(500):
            threaded.decide("8", ("email",), "marketing")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert threaded.metrics()["permits_total"] == 4000
    threaded.close()
    assert sum(use.permits for use in gate.reported) == 4000


def test_it_starts_with_the_first_question(gate: MadeUp) -> None:
    asked = Gate(URL, "good", http=gate.client)

    @asked.guard("email", purpose="marketing", subject="member")
    def send(member: str) -> str:
        return member

    assert send("8") == "8"
    asked.close()
    assert asked.decide("8", ["email"], "marketing").reasons == ("never_synced",)
    assert asked.start() and asked.decide("8", ["email"], "marketing")
    asked.close()

    async def never(subject: str) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="AsyncGate"):
        asked.guard("email", purpose="marketing")(never)
    with pytest.raises(Unreachable, match="closed"):
        asked.released_since(0, ["email"], "marketing")
    with pytest.raises(Stale, match="never_synced"):
        asked.filter(["8"], ["email"], "marketing")


def test_a_generator_of_a_thread_goes_on_as_it_is(threaded: Gate) -> None:
    @threaded.guard("email", purpose="marketing", subject="member")
    def rows(member: str) -> Generator[str, str, int]:
        told = yield member
        yield told
        return 3

    def all_of_them() -> Iterator[str]:
        yield str((yield from rows("8")))

    found = all_of_them()
    assert isinstance(found, Generator)
    assert (next(found), found.send("sent"), next(found)) == ("8", "sent", "3")
    with pytest.raises(Held):
        next(rows("7"))


def test_a_forked_child_begins_anew(threaded: Gate) -> None:
    """It has the parent's memory and none of its threads: it must not answer from it."""
    face._forked()  # what the child of a fork runs
    try:
        assert threaded.metrics()["revision"] == 0
        assert threaded.decide("7", ["email"], "marketing").reasons == ("held",)
        assert threaded.metrics()["snapshots_total"] == 1
    finally:
        threaded.close()
    assert hasattr(os, "register_at_fork")


# The package


def test_the_import_is_small() -> None:
    """httpx, which brings most of what there is to load, comes with the first question."""
    code = (
        "import sys; before = set(sys.modules); import time; a = time.process_time();"
        "from subjectline_client import Gate, AsyncGate; b = time.process_time();"
        "new = set(sys.modules) - before; print(len(new), b - a);"
        "print(*{'httpx', 'anyio', 'httpcore', 'rich', 'sqlalchemy', 'subjectline'} & new)"
    )

    def cost() -> float:
        """In seconds of processor time, of which a busy machine may take more, never less."""
        words = [sys.executable, "-c", code]
        out = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
        number, seconds = out[0].split()
        assert out[1] == "" and int(number) < 150
        return float(seconds)

    assert any(cost() < 0.1 for _ in range(10))


def test_paths_are_those_of_the_feed() -> None:
    assert {wire.SNAPSHOT, wire.CHANGES, wire.STREAM, wire.USES} == {
        f"/gate/v1/{name}" for name in ("snapshot", "changes", "stream", "uses")
    }
