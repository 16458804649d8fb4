"""The public policy pages, and that a policy's text can bring no markup of its own."""

from datetime import date, timedelta

import pytest
from browsers import Browser
from desks import Office

from subjectline.handlers import notices
from subjectline.handlers.audit import SYSTEM
from subjectline.intake import policy_text

CHANGE = {
    part: {"ko": f"{part}-한글", "en": f"{part}-english"}
    for part in ("clause", "before", "after", "reason")
}


async def publish(office: Office, name: str, effective: date) -> None:
    await notices.create_version(
        office.desk,
        name,
        effective - timedelta(days=8),
        effective,
        f"# 방침\n\n## 제1조\n{name}의 본문",
        f"# Policy\n\n## Article 1\nText of {name}",
        [CHANGE],
        SYSTEM,
    )


@pytest.fixture
async def published(office: Office) -> Office:
    """Three versions: one past, one in effect, one announced."""
    for name, effective in (("1", (2021, 5, 13)), ("2", (2025, 1, 1)), ("3", (2026, 12, 3))):
        await publish(office, name, date(*effective))
    return office


async def test_without_a_policy_the_page_says_so(pages: Browser) -> None:
    response = await pages.get("/policy")
    assert response.status_code == 404
    assert "아직 공개된 처리방침이 없습니다" in response.text


async def test_the_version_in_effect_is_shown(pages: Browser, published: Office) -> None:
    page = (await pages.get("/policy")).text
    assert "2의 본문" in page
    assert "2026년 12월 3일(목)부터 바뀝니다" in page  # the announced one


async def test_each_version_stays_readable(pages: Browser, published: Office) -> None:
    old = (await pages.get("/policy/1")).text
    assert "1의 본문" in old and "이전 처리방침" in old
    coming = (await pages.get("/policy/3")).text
    for part in CHANGE.values():
        assert part["ko"] in coming
    assert 'href="/policy/2"' in coming


async def test_english_readers_get_english(pages: Browser, published: Office) -> None:
    page = (await pages.get("/policy/3", lang="en")).text
    assert "Text of 3" in page and "before-english" in page


async def test_an_unknown_version_is_a_plain_404(pages: Browser, published: Office) -> None:
    response = await pages.get("/policy/none")
    assert response.status_code == 404
    assert "찾으시는 페이지가 없습니다" in response.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "- <img src=x onerror=alert(1)>",
        "## <b onclick=x>",
        "| a | <i> |\n|---|---|\n| <u> | b |",
        "[x](javascript:alert(1))",
        '[x](https://a.example/"onmouseover="alert(1))',
        "**<b>**",
    ],
)
def test_a_text_brings_no_markup(text: str) -> None:
    made = str(policy_text.html(text))
    for bad in (
        "<script",
        "<img",
        "<b ",
        "<b>",
        "<i>",
        "<u>",
        'href="javascript',
        '" onmouse',
        '"on',
    ):
        assert bad not in made


def test_the_small_part_of_markdown() -> None:
    made = str(
        policy_text.html(
            "# Title\n\nOne\ntwo **three**.\n\n## Part\n- a\n  - b\n- c\n\n3. d\n4. e\n\n"
            "| h | i |\n|---|---|\n| j | [k](https://k.example/p) |\n\nEnd"
        )
    )
    flat = made.replace("\n", "")
    assert "Title" not in flat
    assert "<p>One two <strong>three</strong>.</p>" in flat
    assert '<h2 id="s1">Part</h2>' in flat
    assert "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>" in flat
    assert '<ol start="3"><li>d</li><li>e</li></ol>' in flat
    assert "<th>h</th>" in flat and "---" not in flat
    assert '<a href="https://k.example/p">k</a>' in flat
    assert flat.endswith("<p>End</p>")


def test_headings_lead_to_their_anchors() -> None:
    text = "# T\n\n## One\n\n### Deep\n\n## Two"
    assert [(h.anchor, h.text) for h in policy_text.headings(text)] == [
        ("s1", "One"),
        ("s3", "Two"),
    ]
    assert 'id="s3">Two' in policy_text.html(text)


def test_a_long_text_takes_linear_time() -> None:
    for piece in ("**a ", "[x](", "| ", "- ", "#", "1. "):
        assert len(policy_text.html(piece * 50_000)) >= 50_000
