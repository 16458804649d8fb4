"""Data maps are read hundreds of times in a run, each time for 90 ms of CPU: one text is read once."""

import pickle
from collections.abc import Iterator

import pytest

from subjectline.models.datamap import lines


@pytest.fixture(scope="session", autouse=True)
def parsed() -> Iterator[None]:
    """What the reader of a map's text returns is kept by text and name; each caller has a copy."""
    known: dict[tuple[str, str], bytes] = {}
    read = lines.read

    def once(text: str, name: str) -> tuple[object, lines.Lines]:
        if (text, name) not in known:
            known[text, name] = pickle.dumps(read(text, name))
        copy: tuple[object, lines.Lines] = pickle.loads(known[text, name])
        return copy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "read", once)
        yield
