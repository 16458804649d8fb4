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


NESTED = Column.model_validate(
    {
        "labels": LABEL,
        "type": "json",
        "many": True,
        "fields": {
            "person": {"labels": {"ko": "누구", "en": "Who"}},
            "since": {"labels": {"ko": "언제부터", "en": "Since"}, "type": "date"},
            "secret": {"labels": LABEL, "hidden": True},
            "lines": {
                "labels": {"ko": "줄", "en": "Lines"},
                "many": True,
                "fields": {"n": {"labels": {"ko": "수량", "en": "Number"}}},
            },
        },
    }
)


async def test_a_list_of_objects_is_lines_with_the_maps_labels(office: Office) -> None:
    raw = [
        {"person": "ka01", "since": "2024-01-02", "secret": "x"},
        {"person": None, "lines": [{"n": 1}, {"n": 2}]},
    ]
    korean = showing.value(office.desk, {"type": "json"}, raw, "ko", NESTED.fields)
    assert korean.splitlines() == [
        "누구: ka01, 언제부터: 2024년 1월 2일",
        f"누구: {words('ko')['nothing']}, 줄: (수량: 1; 수량: 2)",
    ]
    english = showing.value(office.desk, {"type": "json"}, raw, "en", NESTED.fields)
    assert english.startswith("Who: ka01, Since: ") and "2024-01-02" not in english
    empties: tuple[tuple[object, str], ...] = (([], "ko"), ({}, "en"))
    for empty, language in empties:
        shown = showing.value(office.desk, {"type": "json"}, empty, language, NESTED.fields)
        assert shown == words(language)["nothing"]
    assert showing.value(office.desk, {"type": "json"}, ["가", "나"], "ko") == "가\n나"


@pytest.mark.parametrize(
    ("kind", "raw", "wanted"),
    [
        ("date", "2024-01-01", "2024년 1월 1일"),
        ("datetime", "2026-05-01 10:00:00", "2026년 5월 1일 10:00"),
        ("text", "2024-01-01", "2024-01-01"),
        ("date", "2024-13-45", "2024-13-45"),
    ],
)
async def test_a_day_reads_like_a_time(office: Office, kind: str, raw: str, wanted: str) -> None:
    assert showing.value(office.desk, {"type": kind}, raw, "ko") == wanted
