"""The examples of docs/gate.md, run against a desk that listens."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from desks import CORRECT, NOW, Office
from documents import Document
from servers import find, free_port

from subjectline.handlers import gate_callers, holds
from subjectline.handlers.holds import HoldPlan
from subjectline.intake.serve import Parts, Server, internal_app

MEMBER = "1001"


@dataclass
class Asker:
    """Runs an example as a reader would: in a process of its own, told where the gate is."""

    url: str
    key: str

    async def run(self, *command: str) -> str:
        told = {**os.environ, "GATE_URL": self.url, "GATE_KEY": self.key}
        process = await asyncio.create_subprocess_exec(
            *command, env=told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, wrong = await process.communicate()
        assert process.returncode == 0, wrong.decode()
        return out.decode()


@asynccontextmanager
async def listening(office: Office) -> AsyncIterator[str]:
    port = free_port()
    server = Server(internal_app(Parts(office.desk)), "127.0.0.1", port)
    running = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await running


@pytest.fixture
async def asker(office: Office) -> AsyncIterator[Asker]:
    async with office.desk.write() as session:
        key = await gate_callers.add_caller(session, "mailer", ["marketing"])
    async with listening(office) as url:
        yield Asker(url, key)


async def contest_the_email(office: Office) -> None:
    """A request of the member holds the email address."""
    await office.mail("haneul.kim@mail.test", CORRECT)
    request = await office.request()
    async with office.desk.write() as session:
        plan, registry = HoldPlan("correction", ("email",)), office.desk.data_map.registry
        await holds.place(session, request.id or 0, registry, MEMBER, plan, "firm", NOW)


def like(answer: dict[str, Any], example: dict[str, Any]) -> None:
    """The same answer but for its numbers."""
    assert set(answer) == set(example) and set(answer["context"]) == set(example["context"])
    for name, value in example["context"].items():
        assert isinstance(value, int) or answer["context"][name] == value
    assert answer["decision"] == example["decision"]


async def test_curl(asker: Asker, office: Office, gate_document: Document) -> None:
    find("curl", "curl")
    ask = ("bash", "-c", gate_document.block("sh", "run"))
    like(json.loads(await asker.run(*ask)), json.loads(gate_document.block("json", "permit")))
    await contest_the_email(office)
    like(json.loads(await asker.run(*ask)), json.loads(gate_document.block("json", "deny")))


async def test_python(asker: Asker, office: Office, gate_document: Document) -> None:
    ask = (sys.executable, "-c", gate_document.block("python", "run"))
    assert await asker.run(*ask) == "permitted\n"
    await contest_the_email(office)
    assert await asker.run(*ask) == "denied\n"


async def test_python_says_no_where_nobody_answers(asker: Asker, gate_document: Document) -> None:
    nobody = Asker(f"http://127.0.0.1:{free_port()}", asker.key)
    ask = (sys.executable, "-c", gate_document.block("python", "run"))
    assert await nobody.run(*ask) == "denied\n"
