"""Coded values: words for people on the page and in the PDF, what the database has in the files."""

import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pypdf
import pytest
from browsers import EN, KO
from desks import Office

from subjectline.handlers.export import archive, pdf, shelf, showing
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.wording import words
from subjectline.models.datamap import Column

Gathered = Callable[..., Awaitable[Head]]
LABEL = {"ko": "말", "en": "Word"}
SAID = {
    KO: ("ko", {"성별": "여성", "사용 언어": "한국어", "회원 상태": "정상"}),
    EN: ("en", {"Gender": "female", "Language": "English", "Membership status": "active"}),
}


@pytest.mark.parametrize("sender", [KO, EN])
async def test_codes_are_words_to_people(office: Office, gathered: Gathered, sender: str) -> None:
    head, (language, wanted) = await gathered(sender), SAID[sender]
    rows = await shelf.rows(office.desk, head, 0, 0, 1)
    [shown] = showing.records(office.desk, head.table(0), rows, language)
    assert wanted.items() <= dict(shown).items()
    made = pypdf.PdfReader(io.BytesIO(await pdf.make(office.desk, head, language)))
    text = "\n".join(page.extract_text() for page in made.pages)
    assert all(word in text for word in wanted.values())


async def test_files_keep_what_the_database_has(office: Office, gathered: Gathered) -> None:
    head = await gathered(KO)
    told = json.loads(
        b"".join([piece async for piece in archive.json_lines(office.desk, head, "ko")])
    )
    member = told["tables"][0]
    row, columns = member["rows"][0], {column["name"]: column for column in member["columns"]}
    assert (row["gender"], row["language"], row["status"]) == ("female", "ko", "active")
    # Codes that are called like languages are no pair of translations.
    assert columns["language"]["values"] == [
        {"value": "ko", "label": "한국어"},
        {"value": "en", "label": "영어"},
    ]
    table = [piece async for piece in archive.csv_lines(office.desk, head, 0, "ko")]
    assert b'"active"' in b"".join(table)


@pytest.mark.parametrize(
    ("raw", "wanted"), [(True, "켬"), (1, "하나"), ("x", "엑스"), ("y", "y"), (None, "없음")]
)
async def test_any_kind_of_code(office: Office, raw: Any, wanted: str) -> None:
    labels = {True: "켬", "1": "하나", "x": "엑스"}
    column = Column.model_validate(
        {"labels": LABEL, "values": {k: {"ko": v, "en": v} for k, v in labels.items()}}
    )
    values = [{"value": k, "label": v.model_dump()} for k, v in column.values.items()]
    told = showing.value(office.desk, {"name": "c", "values": values}, raw, "ko")
    assert told == (words("ko")["nothing"] if raw is None else wanted)
