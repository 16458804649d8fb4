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
from desks import CORRECT, NOW, MakeDesk, Office
from documents import ROOT, Document
from servers import find, free_port

from subjectline.handlers import gate_callers, holds
from subjectline.handlers.holds import HoldPlan
from subjectline.intake.serve import Parts, Server, internal_app
from subjectline.models.tables import Request

MEMBER = "1001"


@dataclass
class Asker:
    """Runs an example as a reader would: in a process of its own, told where the gate is."""

    url: str
    key: str

    async def run(self, *command: str, **env: str) -> str:
        told = {**os.environ, "GATE_URL": self.url, "GATE_KEY": self.key, **env}
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
    await contest(office, "email")


async def contest(office: Office, *fields: str) -> None:
    """A request of the member holds these fields; without any it holds nothing any more."""
    if not await office.all(Request):
        await office.mail("haneul.kim@mail.test", CORRECT)
    request = await office.request()
    async with office.desk.write() as session:
        plan, registry = HoldPlan("correction", fields), office.desk.data_map.registry
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


async def test_the_clients_own_page(make_desk: MakeDesk) -> None:
    page = Document(ROOT / "client" / "README.md")
    threads, loop = (block.text for block in page.blocks if block.language == "python")
    office = await make_desk()
    async with office.desk.write() as session:
        key = await gate_callers.add_caller(session, "mailer", ["marketing"])
    await contest_the_email(office)
    async with listening(office) as url:
        asker = Asker(url, key)
        said = await asker.run(sys.executable, "-c", threads)
        assert await asker.run(sys.executable, "-c", loop) == "('held',)\n"
    assert said.splitlines() == [
        "allowed ['1002'] held ['1001'] unknown [' 1003']",
        "passed over 1001",
        "sent to 1002",
        "may be mailed by now []",
    ]


# In front of systems: the example, its key's purpose and recipient, what it says before and during
# a hold of these fields.
HELD = ("email", "nickname", "shipping_address", "activity_area")
RECIPES = (
    ("mailer", "marketing", "", ["sent to 1001", "sent to 1002"], ["sent to 1002", "sent to 1003"]),
    ("partner", "third_party", "content_buyer", ["200"], ["404"]),
    ("export", "delivery", "post_office", ["1001,…,…,…", "1002,…,…,…"], ["1002,…,…,…"]),
    ("warehouse", "statistics", "", ["…"], ["held"]),
    ("reset", "account_security", "", ["reset by email"], ["reset by phone"]),
)


async def said(askers: dict[str, Asker], document: Document) -> dict[str, list[str]]:
    """What each example prints."""
    told = {}
    for name, asker in askers.items():
        example = (sys.executable, "-c", document.block("python", name))
        told[name] = (await asker.run(*example, PYTHONUTF8="1")).splitlines()
    return told


async def test_the_client_in_front_of_systems(make_desk: MakeDesk, gate_document: Document) -> None:
    office, askers = await make_desk(), dict[str, Asker]()
    async with listening(office) as url:
        for name, purpose, recipient, *_ in RECIPES:
            to = [recipient] if recipient else []
            caller = "sign-in" if name == "reset" else name
            async with office.desk.write() as session:
                key = await gate_callers.add_caller(session, caller, [purpose], to)
            askers[name] = Asker(url, key)
        before = await said(askers, gate_document)
        await contest(office, *HELD)
        then = await said(askers, gate_document)
        curl = await askers["reset"].run("bash", "-c", gate_document.block("sh", "reset"))
    for name, _, _, free, held in RECIPES:
        assert (before[name][: len(free)], then[name][: len(held)]) == (free, held)
    assert then["mailer"][2].startswith("passed over: 1001 ; go on from revision")
    assert json.loads(curl)["context"]["allowed_fields"] == ["phone"]


async def test_who_was_passed_over_is_found_again(
    make_desk: MakeDesk, gate_document: Document
) -> None:
    office = await make_desk()
    async with office.desk.write() as session:
        key = await gate_callers.add_caller(session, "mailer", ["marketing"])
    await contest(office, "email")
    example = (sys.executable, "-c", gate_document.block("python", "again"))
    async with listening(office) as url:
        asker = Asker(url, key)
        feed = json.loads(await asker.run("bash", "-c", gate_document.block("sh", "feed")))
        passed_over, numbers = str(feed["head"]), [change[0] for change in feed["changes"]]
        held = await asker.run(*example, LAST_REVISION=passed_over)
        await contest(office)
        free = await asker.run(*example, LAST_REVISION=passed_over)
        unknown = await asker.run(*example, LAST_REVISION="999")
    assert numbers == list(range(1, feed["head"] + 1))
    assert (held, free) == ("now: ; not yet:\n", "now: 1001 ; not yet:\n")
    assert unknown == "go through the whole list\n"
