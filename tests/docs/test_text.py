"""Links lead somewhere; nothing of a machine or a registry stands in the documents; code compiles."""

import json
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from documents import Document

from subjectline.intake.authzen import BAD_REQUEST, UNKNOWN_RESOURCE_TYPE
from subjectline.intake.health import COUNTED
from subjectline.models.regimes import SHIPPED
from subjectline_client import core

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|tmp|Users|mnt)/|C:\\")
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted|npmjs|crates\.io|docker\.io|ghcr\.io|rubygems|proxy\.golang", re.I
)


def anchors(path: Path) -> set[str]:
    """The names that headings get: lower case, blanks to hyphens, other signs gone."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere(document: Document) -> None:
    for link in LINK.findall(document.text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        there = (document.path.parent / name).resolve() if name else document.path
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_nothing_of_a_machine_or_a_registry(document: Document) -> None:
    assert not MACHINE.findall(document.text)
    assert not REGISTRIES.findall(document.text)


# Each is run in test_gate_examples.py.
SYSTEMS = ("mailer", "partner", "export", "warehouse", "reset")
FILES = ("gate.sh", "gate.mjs", "holds.yaml", "gateway.yaml")
RECIPES = (*SYSTEMS, *(f"key-{name}" for name in SYSTEMS), *FILES, "feed", "again", "alone")


def test_code_compiles(document: Document) -> None:
    """Blocks marked `run` are run as well, in the test of their document."""
    for block in document.blocks:
        if block.language == "python":
            compile(block.text, document.path.name, "exec")
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)
        else:
            known = (
                "sh",
                "js",  # run by Node, where it is there
                "ko-chat",
                "en-chat",
            )  # the last two are played (test_chat_transcript.py)
            assert block.language in known, f"a fence of {document.path.name} without a language"
        assert block.mark in ("", "run", "permit", "deny", *RECIPES)


def test_plain_words_only(document: Document) -> None:
    """No pictographs."""
    assert not re.findall("[\U0001f300-\U0001faff\u2600-\u27bf]", document.text)


@pytest.mark.parametrize("name", ["why.md", "operating.md", "gate.md", "threat-model.md"])
def test_the_readme_leads_to_it(name: str, all_documents: list[Document]) -> None:
    assert f"(docs/{name})" in all_documents[0].text


def test_the_picture_is_sound(all_documents: list[Document]) -> None:
    """Well-formed, named for those who do not see it, without anything to be fetched."""
    text = (all_documents[0].path.parent / "docs" / "desk.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert [child.tag.partition("}")[2] for child in root][:2] == ["title", "desc"]
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"href|@import|<script|url\((?!#)", text)


def test_operating_names_every_metric(operating: Document) -> None:
    told = set(re.findall(r"\bsubjectline_[a-z_]+", operating.text))
    always = {"subjectline_door_up", "subjectline_door_kept_total", "subjectline_messages_total"}
    silent = {"subjectline_recipients_unanswered", "subjectline_recipients_late"}
    assert told == {*COUNTED, *always, *silent}


def test_operating_names_every_regime(operating: Document) -> None:
    for path in SHIPPED.glob("*.yaml"):
        assert f"`{path.stem}`" in operating.text


def test_the_gate_tells_every_reason(gate_document: Document) -> None:
    from subjectline.handlers import gate

    words = {
        value
        for name, value in vars(core).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z_]+", value)
    }
    ours = {gate.NO_OPEN_REQUEST, gate.USE_NOT_RECORDED, UNKNOWN_RESOURCE_TYPE, BAD_REQUEST}
    rows = gate_document.text.partition("## Reasons")[2].partition("\n## ")[0]
    told = {
        name
        for row in re.findall(r"^\| (`.+?) \|", rows, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == (words | ours) - {"self"}
