"""The PDF for people: its text can be taken out again, in Korean and in English."""

import hashlib
import io
import re
from collections.abc import Awaitable, Callable

import pypdf
import pytest
from browsers import EN, KO
from desks import Office

from subjectline.handlers.export import pdf
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.typeset import FONTS

Gathered = Callable[..., Awaitable[Head]]
MARKUP = "#set page(width: 1cm) *a* $x$ [b] \\ </b>"


def text_of(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)


@pytest.mark.parametrize(
    ("sender", "language", "wanted"),
    [
        (KO, "ko", ("개인정보 열람 결과", "김하늘", "수집·이용의 목적", "010-0000-1001", "여성")),
        (EN, "en", ("Your personal data", "Dana Whitfield", "How long it is kept", "female")),
    ],
)
async def test_its_text_can_be_extracted(
    office: Office, gathered: Gathered, sender: str, language: str, wanted: tuple[str, ...]
) -> None:
    head = await gathered(sender)
    made = await pdf.make(office.desk, head, language)
    text = text_of(made)
    assert all(one in text for one in wanted)
    assert head.body["reference"] in text
    reader = pypdf.PdfReader(io.BytesIO(made))
    root = reader.root_object
    assert str(root["/Lang"]) == language
    assert "/StructTreeRoot" in root  # tagged, for screen readers
    fonts = re.findall(rb"/BaseFont\s*/([^\s/]+)", made)
    assert {name.partition(b"+")[2] for name in fonts} <= {b"NanumGothic"}  # a subset, nothing else


async def test_a_value_is_never_read_as_markup(office: Office, gathered: Gathered) -> None:
    await office.sql("UPDATE profile SET preferences = :v WHERE member_id = 1001", v=MARKUP)
    made = await pdf.make(office.desk, await gathered(), "ko")
    assert "".join(MARKUP.split()) in "".join(text_of(made).split())


async def test_a_large_one_ends_early_and_says_so(
    office: Office, gathered: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "ROWS_A_TABLE", 2)
    monkeypatch.setattr(pdf, "ROWS", 9)
    payload = await pdf.payload(office.desk, await gathered(), "ko")
    tables = payload["items"][0]["tables"]
    assert max(len(table["records"]) for table in tables) == 2
    assert sum(len(table["records"]) for table in tables) == 9
    assert any("전체는 JSON·CSV 파일에" in table["more"] for table in tables)


def test_the_font_is_the_one_that_its_readme_names() -> None:
    digest = hashlib.sha256((FONTS / "NanumGothic.ttf").read_bytes()).hexdigest()
    assert digest in (FONTS / "README.md").read_text()
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()
