"""The archive opens with its password only; its CSV is safe in a spreadsheet, its JSON is whole."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pyzipper
from browsers import EN, KO
from desks import Office
from hypothesis import given
from hypothesis import strategies as st

from subjectline.handlers.export import archive, shelf
from subjectline.handlers.export.shelf import Head
from subjectline.models.keys import Vault

Gathered = Callable[..., Awaitable[Head]]
SECRET = "ABCDE-FGH0J-KMN1P-QRS2T"
EVIL = '=HYPERLINK("http://evil.test","x")'


async def opened(office: Office, head: Head, language: str) -> pyzipper.AESZipFile:
    file = await archive.make(office.desk, head, language, SECRET)
    with file:
        made = pyzipper.AESZipFile(io.BytesIO(file.read()))
    made.setpassword(SECRET.encode())
    return made


def lines_of(made: pyzipper.AESZipFile, number: int) -> list[list[str]]:
    name = next(n for n in made.namelist() if n.startswith(f"csv/{number:02d}_"))
    raw: bytes = made.read(name)
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(("sender", "language"), [(KO, "ko"), (EN, "en")])
async def test_it_opens_with_the_password_only(
    office: Office, gathered: Gathered, sender: str, language: str
) -> None:
    made = await opened(office, await gathered(sender), language)
    for info in made.infolist():
        assert info.flag_bits & 1 and info.wz_aes_strength == 3, "not AES-256"
    for wrong in (b"", b"ABCDE-FGH0J-KMN1P-QRS2U", SECRET.lower().encode()):
        made.setpassword(wrong)
        with pytest.raises(RuntimeError):
            made.read("data.json")
    made.setpassword(SECRET.encode())
    assert made.testzip() is None
    letter = "읽어 주세요.txt" if language == "ko" else "READ ME.txt"
    assert letter in made.namelist()


async def test_json_and_csv_have_every_row(office: Office, gathered: Gathered) -> None:
    head = await gathered()
    made = await opened(office, head, "ko")
    data: dict[str, Any] = json.loads(made.read("data.json"))
    assert data["format"] == "subjectline-export" and data["reference"] == head.body["reference"]
    assert [t["table"] for t in data["tables"]] == [t["table"] for t in head.tables]
    for number, table in enumerate(data["tables"], 1):
        assert len(table["rows"]) == table["count"]
        assert len(lines_of(made, number)) == table["count"] + 1
        assert lines_of(made, number)[0] == [column["label"] for column in table["columns"]]
    assert data["tables"][0]["rows"][0]["name"] == "김하늘"
    assert data["consents"] and data["purposes"] and data["retention"]


async def test_a_formula_is_a_text_in_csv_and_itself_in_json(
    office: Office, gathered: Gathered
) -> None:
    await office.sql("UPDATE profile SET preferences = :v WHERE member_id = 1001", v=EVIL)
    head = await gathered()
    made = await opened(office, head, "ko")
    place = [table["table"] for table in head.tables].index("profile")
    column = [c["name"] for c in head.table(place)["columns"]].index("preferences")
    assert lines_of(made, place + 1)[1][column] == f"'{EVIL}"
    assert json.loads(made.read("data.json"))["tables"][place]["rows"][0]["preferences"] == EVIL


@pytest.mark.parametrize(
    "begin", ["=1+1", "+82 10", "-1", "@a", "\t=1", "\r=1", " =1", "＝1", "|x"]
)
def test_texts_that_begin_like_a_formula(begin: str) -> None:
    assert archive.harmless(begin) == f"'{begin}"


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none()))
def test_no_cell_is_a_formula(value: object) -> None:
    cell = archive.harmless(value)
    if isinstance(cell, str):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert cell.removeprefix("'") == value or not isinstance(value, str) or cell == value
    else:
        assert cell == value


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_csv_is_read_back_as_it_was(rows: list[list[str]]) -> None:
    rows = [[text.replace("\x00", "") for text in row] for row in rows]
    read = list(csv.reader(io.StringIO(archive.csv_text(rows), newline="")))
    assert read == [[str(archive.harmless(text)) for text in row] for row in rows]


def test_numbers_stay_numbers() -> None:
    assert archive.csv_text([[-5, 1.5, True, None, "a"]]) == '-5,1.5,"true","","a"\r\n'
    assert archive.csv_text([[shelf.read(b'{"p": 12.50}')["p"]]]) == "12.50\r\n"


def test_passwords_are_strong_and_bound_to_the_opened_page() -> None:
    vault = Vault.for_tests()
    made = {
        archive.password(vault, link, cookie, number)
        for link in (1, 2)
        for cookie in ("a", "b")
        for number in (1, 2)
    }
    assert len(made) == 8
    one = archive.password(vault, 1, "a", 1)
    assert one in made and one == archive.password(vault, 1, "a", 1)
    assert len(one) == 23 and not set(one) & set("ILOUilou")
    assert archive.password(Vault.for_tests(), 1, "a", 1) not in made


@pytest.mark.parametrize(
    ("label", "name"),
    [("a/b", "a_b"), ("..", "table"), ("한글: 표?", "한글_ 표_"), ("x" * 99, "x" * 60)],
)
def test_labels_are_file_names(label: str, name: str) -> None:
    assert archive.file_name(label) == name
