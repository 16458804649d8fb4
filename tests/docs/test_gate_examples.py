"""The examples of docs/gate.md, run against a desk that listens."""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from askers import Asker, contest, listening
from desks import MakeDesk, Office
from documents import ROOT, Document
from servers import find, free_port

from subjectline.handlers import gate_callers


@pytest.fixture
async def asker(office: Office) -> AsyncIterator[Asker]:
    async with office.desk.write() as session:
        key = await gate_callers.add_caller(session, "mailer", ["marketing"])
    async with listening(office) as url:
        yield Asker(url, key)


async def contest_the_email(office: Office) -> None:
    """A request of the member holds the email address."""
    await contest(office, "email")


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
