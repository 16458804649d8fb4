"""The example of docs/export.md is a part of a real export."""

import json
from typing import Any

from browsers import EN, asks
from desks import ACCESS_EN, Office, agent
from documents import ROOT, Document

from subjectline.handlers import decisions
from subjectline.handlers.export import archive, shelf
from subjectline.models.tables import Proposal

TOLD_BESIDE = {"reference", "controller", "purposes", "third_parties", "processors"}


async def made(office: Office) -> dict[str, Any]:
    """The JSON of an English member's access."""
    await asks(office, EN, ACCESS_EN)
    await decisions.approve(office.desk, (await office.all(Proposal))[-1].sha256, agent())
    await office.work()
    head = await shelf.head(office.desk, (await office.request()).id or 0)
    assert head is not None
    pieces = [piece async for piece in archive.json_lines(office.desk, head, "en")]
    whole: dict[str, Any] = json.loads(b"".join(pieces))
    return whole


def part_of(told: Any, whole: Any) -> bool:
    """Whether `told` is `whole` with some keys and some items of lists left out."""
    if isinstance(told, dict) and isinstance(whole, dict):
        return all(key in whole and part_of(value, whole[key]) for key, value in told.items())
    if isinstance(told, list) and isinstance(whole, list):
        return all(any(part_of(one, other) for other in whole) for one in told)
    return bool(told == whole)


async def test_the_example_is_a_part_of_it(office: Office) -> None:
    document, whole = Document(ROOT / "docs" / "export.md"), await made(office)
    told = json.loads(document.block("json", ""))
    assert part_of(told, whole)
    assert set(whole) - set(told) == TOLD_BESIDE | {"consent_history"}
    assert all(f"`{name}`" in document.text for name in set(whole) - set(told))
    (row,) = told["tables"][0]["rows"]
    assert row == whole["tables"][0]["rows"][0]
