"""Each article of the sample policy has something that does it, and a test that shows it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARTICLES = range(1, 17)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "policy-coverage.md").read_text()
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("article", ARTICLES)
def test_each_article_has_a_line_and_a_test(article: int) -> None:
    mine = [row for row in rows() if re.match(rf"{article}\b(?!\d)", row[0])]
    assert mine, f"article {article} has no line"
    for row in mine:
        assert len(row) == 4 and all(row), row[0]
        assert TEST.findall(row[3]), f"{row[0]} names no test"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_the_tests_it_names_exist(row: list[str]) -> None:
    for path, name in TEST.findall(row[3]):
        source = ROOT / path
        assert source.is_file(), path
        assert re.search(rf"^(?:async )?def {name}\(", source.read_text(), re.M), name
