"""What the tests of understanding share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from subjectline.handlers.understanding import (
    Understanding,
    Vocabulary,
    default_vocabulary,
    understand,
)

Read = Callable[[str], Understanding]


@pytest.fixture(scope="session")
def words() -> Vocabulary:
    return default_vocabulary()


@pytest.fixture(scope="session")
def read(words: Vocabulary) -> Read:
    """`read(text)`: what the sample company's desk understands."""
    return lambda text: understand(text, words)


@pytest.fixture(scope="session")
def dev_set() -> list[dict[str, Any]]:
    lines = (Path(__file__).parent / "dev.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
