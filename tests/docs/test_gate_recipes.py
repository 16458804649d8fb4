"""The five systems that docs/gate.md puts the gate before, in three languages each.

Asked of a `subjectline gate serve` that runs: with nothing held and during a hold; and of a gate that
cannot be sure. Nothing is used then, whatever the language.
"""

import asyncio
import json
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from askers import Asker, contest, served
from desks import MakeDesk, Office
from documents import Document
from gates import MAP
from servers import find, free_port

from subjectline.handlers import gate_callers
from subjectline.handlers.gate_file import FileGate
from subjectline.intake.gate_api import create_gate_app
from subjectline.models.clock import system_clock

RUN = "import sys; from subjectline.intake.main import main; sys.argv[0] = 'subjectline'; main()"
HELD = ("email", "nickname", "shipping_address", "activity_area")
ROW, OTHER = "1001,…,…,…", "1002,…,…,…"


@dataclass(frozen=True)
class Recipe:
    """What an example says with nothing held, during the hold, and where the gate cannot be sure."""

    free: list[str]
    held: list[str]
    unsure: tuple[list[str], ...]


RECIPES = {
    "mailer": Recipe(
        ["sent to 1001", "sent to 1002", "sent to 1003"], ["sent to 1002", "sent to 1003"], ([],)
    ),
    "partner": Recipe(["200"], ["404"], (["503"],)),
    "export": Recipe([ROW, OTHER], [OTHER], ([],)),
    "warehouse": Recipe(["…"], ["empty"], (["empty"], [])),
    "reset": Recipe(["reset by email"], ["reset by phone"], (["reset by a person at the desk"],)),
}
LANGUAGES = {"sh": ("sh", ".sh"), "python": (sys.executable, ".py"), "js": ("node", ".mjs")}
SETTINGS = """
[desk]
data_dir = "{home}"
[database]
url = "{url}"
[registry]
map = "{map}"
[gate_http]
port = {port}
processes = 1
"""


@asynccontextmanager
async def gate_serve(*options: str, port: int) -> AsyncIterator[str]:
    """The gate by itself in a process of its own; where it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "gate", "serve", *options), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout and b"listens" in await process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert await process.wait() in (0, -signal.SIGTERM)


@asynccontextmanager
async def beside(office: Office) -> AsyncIterator[str]:
    """`gate serve` over the database of a desk that does not run."""
    port, told = free_port(), office.folder / "subjectline.toml"
    url = office.desk.db.url.render_as_string(hide_password=False)
    told.write_text(SETTINGS.format(home=office.folder, url=url, map=MAP, port=port))
    async with gate_serve("--config", str(told), port=port) as where:
        yield where


async def key_of(office: Office, command: str) -> tuple[str, str, list[str], list[str]]:
    """The key that `subjectline gate caller …` would print; its name, purposes and recipients."""
    words = shlex.split(command)
    assert words[:3] == ["subjectline", "gate", "caller"]
    given = list(zip(words[4::2], words[5::2], strict=True))
    purposes = [value for name, value in given if name == "--purpose"]
    to = [value for name, value in given if name == "--recipient"]
    async with office.desk.write() as session:
        key = await gate_callers.add_caller(session, words[3], purposes, to)
    return key, words[3], purposes, to


def written(document: Document, folder: Path) -> list[str]:
    """Puts the examples into files as a reader would; the languages that can be run here."""
    for name in ("sh", "js"):
        (block,) = [b for b in document.blocks if b.language == name and b.mark.startswith("gate.")]
        (folder / block.mark).write_text(block.text, "utf-8")
    for language, (_, ending) in LANGUAGES.items():
        for name in RECIPES:
            (folder / f"{name}{ending}").write_text(document.block(language, name), "utf-8")
    return [language for language, (with_, _) in LANGUAGES.items() if shutil.which(with_)]


async def said(askers: dict[str, Asker], language: str) -> dict[str, list[str]]:
    """What each example prints; of the mailer only whom it sent to."""
    with_, ending = LANGUAGES[language]

    async def lines(name: str, asker: Asker) -> list[str]:
        status, out, wrong = await asker.tried(with_, f"{name}{ending}", PYTHONUTF8="1", TRIES="1")
        told = [line for line in out.splitlines() if not line.startswith("passed over")]
        assert status == 0 or not told, wrong
        return told

    told = await asyncio.gather(*(lines(name, asker) for name, asker in askers.items()))
    return dict(zip(askers, told, strict=True))


def unsure(folder: Path, callers: list[tuple[str, str, list[str], list[str]]]) -> FileGate:
    """A gate that knows these callers, and whose state is always too old."""
    told = {
        "map": str(MAP),
        "callers": [
            {"name": name, "key": key, "purposes": purposes, "recipients": to}
            for key, name, purposes, to in callers
        ],
    }
    path = folder / "holds.json"
    path.write_text(json.dumps(told), "utf-8")
    return FileGate(path, system_clock)


async def test_each_recipe_in_each_language(
    make_desk: MakeDesk, gate_document: Document, tmp_path: Path
) -> None:
    find("curl", "curl")
    languages, office = written(gate_document, tmp_path), await make_desk()
    callers = [await key_of(office, gate_document.block("sh", f"key-{name}")) for name in RECIPES]
    async with beside(office) as url:
        askers = {
            name: Asker(url, key, tmp_path)
            for name, (key, *_) in zip(RECIPES, callers, strict=True)
        }
        free = [await said(askers, language) for language in languages]
        await contest(office, *HELD)
        held = [await said(askers, language) for language in languages]
    gate = unsure(tmp_path, callers)
    await gate.refresh()
    gate.state.bound = 0.0
    async with served(create_gate_app(gate)) as url:
        for asker in askers.values():
            asker.url = url
        stale = await asyncio.gather(*(said(askers, language) for language in languages))
    for name, recipe in RECIPES.items():
        assert [each[name] for each in free] == [recipe.free] * len(languages)
        assert [each[name] for each in held] == [recipe.held] * len(languages)
        assert all(each[name] in recipe.unsure for each in stale)
    if "js" not in languages:
        pytest.skip("there is no node: its examples were not run, the others were")


async def test_a_gate_alone_from_the_page(gate_document: Document, tmp_path: Path) -> None:
    """Its file, started as the page says, answers its question as the page says."""
    find("curl", "curl")
    path, port = tmp_path / "holds.yaml", free_port()
    path.write_text(gate_document.block("yaml", "holds.yaml"), "utf-8")
    given = ("--holds", str(path), "--port", str(port), "--processes", "1")
    async with gate_serve(*given, port=port) as url:
        out = await Asker(url, "").run("bash", "-c", gate_document.block("sh", "alone"))
    first, second = (json.loads(each) for each in out.replace("}{", "}\n{").splitlines())
    assert (first["decision"], first["context"]["held_fields"]) == (False, ["email"])
    assert second["decision"] is True


async def test_the_gateways_file_from_the_page(gate_document: Document, tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(gate_document.block("yaml", "gateway.yaml"), "utf-8")
    gate = FileGate(path, system_clock)
    assert await gate.refresh() and len(gate.state) == 1
    voice = gate.voice("gateway")
    assert voice is not None and voice.speaks_for == {"letters"}
    asked = {"action": {"name": "push"}, "resource": {"type": "customer", "id": "1001"}}
    assert (word := voice.word(asked)) and (word.purpose, word.fields) == ("marketing", ("email",))
    await gate.close()
