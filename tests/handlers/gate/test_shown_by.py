"""docs/gate.md names the tests that show each promise; they are there."""

import re

from documents import ROOT


def test_the_tests_that_the_document_names_are_there() -> None:
    table = (ROOT / "docs" / "gate.md").read_text("utf-8").partition("### Shown by")[2]
    named = set(re.findall(r"`(test_\w+)`", table.partition("\n## ")[0]))
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "client" / "tests").glob("test_*.py")]
    there = {
        name
        for file in files
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    assert len(named) > 20 and named <= there, sorted(named - there)
