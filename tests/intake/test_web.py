"""What console and pages share: the catalogue of words, languages, static files, limits."""

import re
from pathlib import Path

import pytest
import yaml
from browsers import Browser
from desks import Office
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from subjectline.handlers import letters
from subjectline.intake import shield, web
from subjectline.models import errors, workflow
from subjectline.models.references import CROCKFORD

FOLDERS = ("console", "pages")
KEYS = re.compile(r"""\bt\(\s*["']([\w.]+)["']""")


def templates(folder: str) -> str:
    paths = [*(web.TEMPLATES / folder).glob("*.html"), *(web.TEMPLATES / "shared").glob("*.html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize("folder", [*FOLDERS, "shared"])
def test_every_word_is_there_in_both_languages(folder: str) -> None:
    path: Path = web.TEMPLATES / folder / "words.yaml"
    for key, words in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        assert set(words) == {"ko", "en"}, key
        assert all(isinstance(text, str) and text.strip() for text in words.values()), key
        slots = [sorted(re.findall(r"\{(\w+)\}", text)) for text in words.values()]
        assert slots[0] == slots[1] or key.startswith("left."), key


@pytest.mark.parametrize("language", ["ko", "en"])
def test_who_approves_reads_of_each_gap_what_fills_it(language: str) -> None:
    said = web.catalogue("console")["letter.slots"][language]
    assert set(re.findall("⟦.+?⟧", said)) == set(letters.SLOTS.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_key_of_a_template_is_in_the_catalogue(folder: str) -> None:
    used = {key for key in KEYS.findall(templates(folder)) if key[-1] not in "._"}
    assert used <= set(web.catalogue(folder))


def test_states_events_and_rights_have_words() -> None:
    known = web.catalogue("console")
    wanted = [f"event.{event}" for event in (*workflow.EVENTS, "arrive")]
    wanted += [f"right.{kind}" for kind in workflow.KINDS]
    wanted += [f"level.{level}" for level in workflow.LEVELS]
    wanted += [f"outcome.{outcome}" for outcome in workflow.OUTCOMES]
    assert [key for key in wanted if key not in known] == []


def test_every_refusal_an_agent_can_meet_has_words() -> None:
    known = web.catalogue("console")
    met = ("StaleMove", "IllegalMove", "NotPermitted", "NoticeTooSoon", "BadInput", "BadValue")
    for name in (*met, "RegistryAway", "RegistryConflict", "UnknownMember", "NotCanonical"):
        assert hasattr(errors, name)
        assert {f"error.{name}.title", f"error.{name}.text"} <= set(known)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-GB", "en"),
        ("fr, en;q=0.3, ko;q=0.7", "ko"),
        ("de", None),
        ("", None),
        ("en;q=x, ko;q=0.1", "ko"),
    ],
)
def test_accept_language(header: str, language: str | None) -> None:
    assert web.accepted(header) == language


async def test_a_word_about_the_last_step_cannot_be_forged(pages: Browser) -> None:
    pages.http.cookies.set(web.NOTE_COOKIE, "<b>owned</b>")
    assert "owned" not in (await pages.get("/policy")).text


async def test_the_style_is_ours_and_may_be_kept(console: Browser) -> None:
    page = (await console.get("/queue")).text
    addresses = re.findall(r'(?:href|src)="([^"]+\.(?:css|svg)[^"]*)"', page)
    assert addresses and all(address.startswith("/static/") for address in addresses)
    response = await console.http.get(addresses[0])
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert "style=" not in page and "<script" not in page


def test_the_style_names_no_other_site() -> None:
    assert "url(" not in (web.STATIC / "subjectline.css").read_text(encoding="utf-8")


async def test_a_body_above_the_limit_is_refused(console: Browser) -> None:
    response = await console.http.post("/find", content=b"x" * (shield.LARGEST_BODY + 1))
    assert response.status_code == 413


async def test_a_browser_that_closes_before_its_form_is_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def nobody(_: Message) -> None:
        raise AssertionError("there is nobody to answer")

    async def form(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive, send).form()

    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/find", "headers": headers}
    with caplog.at_level("INFO", "subjectline.web"):
        await shield.Shield(form)(scope, gone, nobody)
    assert f" {shield.GONE} " in caplog.text


async def test_a_broken_page_tells_nothing(
    console: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("subjectline.handlers.queries.queue", broken)
    response = await console.get("/queue")
    assert response.status_code == 500
    assert "저희 쪽에 문제가 생겼습니다" in response.text
    assert "secret words" not in response.text
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_references_survive_their_check_character(staffed: Office, console: Browser) -> None:
    assert len(CROCKFORD) == 32
    for check in "*~$=U":
        assert (await console.get(f"/requests/SL-00000000{check}")).status_code == 404
