"""Every letter, in both languages and by both doors: complete, escaped, and silent about persons."""

import html as html_module
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from subjectline.handlers import words
from subjectline.handlers.letters import (
    DIALOGS,
    LETTERS,
    PREVIEWS,
    SECURE_LINK,
    SENT_ON,
    Letter,
    common,
    delay_article,
    fill,
    preview,
    refusal,
    render,
)
from subjectline.handlers.preview_facts import NEW_EMAIL, NEW_PHONE
from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.incoming import Door
from subjectline.models.letter_facts import Common, CompanyFacts, FieldValue
from subjectline.models.workflow import KINDS, MOVES, STATES

LANGUAGES = ("ko", "en")
CHATTED = [name for name, one in PREVIEWS.items() if one.letter != "recipient"]
MAILED = [name for name, one in PREVIEWS.items() if one.letter in LETTERS]
COMPANY = CompanyFacts(
    name="모먼트픽",
    officer="정다온",
    phone="070-7797-0723",
    email="privacy@momentpick.test",
    policy_url="https://momentpick.test/policy",
)
ADVERTISING = re.compile(
    r"할인|쿠폰|이벤트|혜택|특가|무료|프로모션|discount|coupon|special offer|free|sale|deal", re.I
)
PERSONAL = re.compile(r"01\d-?\d{3,4}-?\d{4}|[\w.+-]+@member\.test|김하늘")


def _facts(name: str, language: str) -> dict[str, Any]:
    return dict(PREVIEWS[name].facts[language])


def _sample(language: str = "ko", kind: str = "correction") -> Common:
    return common(
        COMPANY,
        "SL-7K3M9QXD4",
        kind,
        language,
        received_on=date(2026, 3, 2),
        due_on=date(2026, 3, 12),
    )


def _visible(page: str) -> str:
    return html_module.unescape(re.sub(r"<[^>]+>", " ", page.partition("<body")[2]))


def test_every_letter_and_dialog_has_a_preview() -> None:
    assert {one.letter for one in PREVIEWS.values()} == {*LETTERS, *DIALOGS}


def test_every_letter_of_the_table_of_moves_exists() -> None:
    assert {move.letter for move in MOVES if move.letter} <= set(LETTERS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILED)
def test_mail_is_complete_and_text_and_html_agree(name: str, language: str) -> None:
    letter = preview(name, language)
    told = _facts(name, language)
    due = told.get("due_on", told.get("effective_on"))
    shown = words.day(due, language) if isinstance(due, date) else ""
    for text in (letter.text, _visible(letter.html)):
        flat = " ".join(text.split())
        assert told["reference"] in flat and shown in flat
        assert "⟦" not in flat and "{{" not in flat and "None" not in flat
        assert COMPANY["phone"] in flat
    assert letter.subject.startswith("[") and told["reference"] in letter.subject
    assert "\n" not in letter.subject
    assert all(words.columns(line) <= 72 or "://" in line for line in letter.text.split("\n"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHATTED)
def test_chat_says_reference_and_no_personal_data(name: str, language: str) -> None:
    letter = preview(name, language, Door.TELEGRAM)
    assert (letter.subject, letter.html) == ("", "")
    assert letter.text and "⟦" not in letter.text and "{{" not in letter.text
    assert len(letter.text) <= 4096
    assert not PERSONAL.search(letter.text.replace("010-0000-0000", ""))
    told = _facts(name, language)
    if "reference" in told:
        assert told["reference"] in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILED)
def test_subjects_say_nothing_of_the_person_nor_of_the_right(name: str, language: str) -> None:
    subject = preview(name, language).subject
    assert not PERSONAL.search(subject)
    if (kind := _facts(name, language).get("kind")) is not None:
        assert words.kind_label(kind, language) not in subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILED)
def test_html_loads_nothing_and_runs_nothing(name: str, language: str) -> None:
    page = preview(name, language).html
    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(|@import|\son\w+=", page, re.I)
    assert set(re.findall(r'(?:href|src)="(\w+):', page)) <= {"https", "http"}
    assert f'<html lang="{language}">' in page and "width=device-width" in page


def test_values_of_a_person_are_escaped_in_html_and_stay_one_line() -> None:
    facts = {
        **_sample(),
        "done_on": date(2026, 3, 5),
        "fields": [FieldValue(label="이름", new_value="<b>김하늘</b>\n접수번호: SL-FAKE")],
        "echo": "",
    }
    letter = render("done", "ko", Door.MAIL, facts)
    assert "<b>" not in letter.html and "&lt;b&gt;김하늘&lt;/b&gt;" in letter.html
    assert "\n접수번호: SL-FAKE" not in letter.text


def test_an_agents_note_keeps_its_lines_and_is_escaped() -> None:
    facts = {**_facts("reminder", "en"), "note": "First <i>line</i>\n\nSecond"}
    letter = render("reminder", "en", Door.MAIL, facts)
    assert "First <i>line</i>\n\nSecond" in letter.text
    assert "First &lt;i&gt;line&lt;/i&gt;" in letter.html and "<i>" not in letter.html


def test_a_reason_is_escaped_too() -> None:
    facts = {**_facts("refused", "ko"), "reason": "<script>1</script>"}
    page = render("refused", "ko", Door.MAIL, facts).html
    assert "<script" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["refused", "postponed", "extended", "partial"])
def test_an_agents_words_are_covered_in_chat(name: str) -> None:
    facts = {**_facts(name, "ko"), "reason": f"{NEW_PHONE} 또는 {NEW_EMAIL} 확인", "note": ""}
    text = render(name, "ko", Door.TELEGRAM, facts).text
    assert NEW_PHONE not in text and NEW_EMAIL not in text and "확인" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["refused", "refused-unknown_member", "partial", "postponed", "refused_identity"]
)
def test_a_refusal_says_how_to_object_and_names_the_outside_bodies(
    name: str, language: str
) -> None:
    text = preview(name, language).text
    for phone in ("1833-6972", "118", "1301", "182"):
        assert re.search(rf"\b{phone}\b", text)
    assert ("답장으로 그 이유" if language == "ko" else "tell us why") in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("door", [Door.MAIL, Door.TELEGRAM])
def test_a_notice_carries_no_advertising(language: str, door: Door) -> None:
    letter = preview("notice", language, door)
    assert not ADVERTISING.search(letter.subject + letter.text + _visible(letter.html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_by_mail_compares_and_says_how_to_refuse(language: str) -> None:
    text = " ".join(preview("notice", language).text.split())
    told = _facts("notice", language)
    for change in told["changes"]:
        assert all(change[key] in text for key in ("clause", "before", "after", "reason"))
    assert told["how_to_refuse"] in text and told["what_follows"] in text
    assert told["previous_url"] in text and COMPANY["policy_url"] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_marketing_withdrawal_tells_sender_fact_date_and_result(language: str) -> None:
    text = preview("done-marketing", language).text
    told = _facts("done-marketing", language)
    assert told["sender"] in text
    assert words.day(told["withdrawn_on"], language) in text
    assert words.day(told["done_on"], language) in text
    assert ("수신 동의 철회" if language == "ko" else "consent to advertising withdrawn") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_challenge_lets_a_yes_suffice_only_where_it_may(language: str) -> None:
    word = '"네"' if language == "ko" else '"yes"'
    assert word in preview("verify", language).text
    assert word not in preview("verify-code", language).text


def test_korean_letters_are_polite() -> None:
    for name in MAILED:
        body = preview(name, "ko").text.partition("\n--\n")[0]
        assert not re.search(r"(?<![니습])다\.(\s|$)|해\.|[가-힣]요\.", body.replace("세요.", ""))


def test_a_missing_fact_is_refused_with_its_name() -> None:
    facts = _facts("refused", "ko")
    del facts["ground_article"]
    with pytest.raises(BadInput, match="ground_article"):
        render("refused", "ko", Door.MAIL, facts)


def test_unknown_letters_languages_and_previews_are_refused() -> None:
    with pytest.raises(BadInput, match="love"):
        render("love", "ko", Door.MAIL, _sample())
    with pytest.raises(BadInput, match="fr"):
        render("moved", "fr", Door.MAIL, _sample())
    with pytest.raises(BadInput, match="Use one of"):
        preview("love", "ko")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//x", 'https://"x'])
def test_only_web_links_are_written(link: str) -> None:
    with pytest.raises(BadInput, match="link"):
        render("done", "ko", Door.MAIL, {**_facts("done-access", "ko"), "secure_link": link})


def test_slots_stay_open_until_sending_and_are_filled_once() -> None:
    letter = render("done", "en", Door.MAIL, _facts("done-access", "en"))
    assert SENT_ON in letter.text and SECURE_LINK in letter.text and SECURE_LINK in letter.html
    sent = fill(letter, "en", date(2026, 3, 6), "https://desk.example/m/a?b=1&c=2")
    assert "Friday 6 March 2026" in sent.text and "⟦" not in sent.text + sent.html
    assert (
        "/m/a?b=1&c=2" in sent.text and 'href="https://desk.example/m/a?b=1&amp;c=2"' in sent.html
    )
    with pytest.raises(BadInput, match="link"):
        fill(letter, "en", date(2026, 3, 6))


def test_nobody_can_write_a_slot_into_a_letter() -> None:
    facts = {**_facts("reminder", "ko"), "note": f"여기 {SECURE_LINK} 링크", "secure_link": ""}
    letter = render("reminder", "ko", Door.MAIL, facts)
    assert SECURE_LINK not in letter.text + letter.html
    assert fill(letter, "ko", date(2026, 3, 6)).text


def test_refusal_facts_come_from_the_regimes_list() -> None:
    told = refusal("correction", "not_incorrect", "en")
    assert told["ground_article"] == "PIPA Article 36(2)" and not told["unknown_member"]
    assert refusal("access", "nothing_held", "ko")["unknown_member"]
    with pytest.raises(BadInput):
        refusal("correction", "suspension_contract", "ko")


def test_only_access_has_an_article_for_a_delay() -> None:
    assert "42(2)" in delay_article("access", "en", postponed=True)
    assert "12(3)" in delay_article("correction", "en", "eu-gdpr", postponed=False)
    with pytest.raises(IllegalMove):
        delay_article("correction", "ko", postponed=False)


def test_letters_under_gdpr_name_its_articles() -> None:
    told = common(
        COMPANY,
        "SL-7K3M9QXD4",
        "access",
        "en",
        received_on=date(2026, 3, 2),
        due_on=date(2026, 4, 2),
        regime="eu-gdpr",
    )
    letter: Letter = render("moved", "en", Door.MAIL, {**told, "moved_to": "SL-2B8TN4WZ7"})
    assert "GDPR Articles 15 and 12(3)" in letter.text and "PIPA" not in letter.text


def test_several_references_stand_in_one_acknowledgement() -> None:
    lines = [
        ("SL-A", "개인정보 정정", date(2026, 3, 12)),
        ("SL-B", "개인정보 열람", date(2026, 3, 13)),
    ]
    letter = render("ack", "ko", Door.MAIL, {**_facts("ack", "ko"), "references": lines})
    for text in (letter.text, letter.html):
        assert "SL-A" in text and "SL-B" in text and "3월 13일" in text


def test_words_exist_for_every_kind_and_state() -> None:
    for language in LANGUAGES:
        assert all(words.kind_label(kind, language) for kind in KINDS)
        assert all(words.state_label(state, language) for state in STATES)
        assert all(words.state_label(state, language, for_member=True) for state in STATES)


def _keys(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")


def test_both_languages_have_the_same_words() -> None:
    korean, english = (set(_keys(words.word_list(language))) for language in LANGUAGES)
    assert english - korean == {"months"} and korean <= english


@pytest.mark.parametrize("folder", ["mail", "telegram"])
def test_both_languages_have_the_same_templates(folder: str) -> None:
    root = words.TEMPLATES / folder
    korean, english = (
        {str(path.relative_to(root / language)) for path in (root / language).rglob("*.*")}
        for language in LANGUAGES
    )
    assert korean == english


@pytest.mark.parametrize("folder", ["mail", "telegram"])
def test_both_languages_use_the_same_facts_and_branches(folder: str) -> None:
    root = words.TEMPLATES / folder
    branch = re.compile(r"\{%\s*(?:if|elif|for)\s+(.+?)\s*%\}")
    for path in (root / "ko").rglob("*.*"):
        other = root / "en" / path.relative_to(root / "ko")
        ours, theirs = (branch.findall(p.read_text(encoding="utf-8")) for p in (path, other))
        assert ours == theirs, path.name


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("번호", "을/를", "번호를"),
        ("이름", "을/를", "이름을"),
        ("이메일", "으로/로", "이메일로"),
        ("닉네임", "으로/로", "닉네임으로"),
        ("카카오톡 ID", "을/를", "카카오톡 ID을(를)"),
        ("", "을/를", "을(를)"),
    ],
)
def test_korean_particles_follow_the_last_syllable(word: str, pair: str, expected: str) -> None:
    assert words.josa(word, pair) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("010-0000-4321", "••••4321"), ("김하늘", "••••늘"), ("가", "••••"), ("••••4321", "••••4321")],
)
def test_an_echo_shows_at_most_four_and_never_more_than_half(value: str, expected: str) -> None:
    assert words.last_four(value) == expected


def test_lists_and_dates_read_naturally() -> None:
    assert words.listed(["a", "b", "c"], "en") == "a, b and c"
    assert words.listed(["가", "나"], "ko") == "가, 나"
    assert words.day(date(2026, 3, 12), "ko") == "2026년 3월 12일(목)"
    assert words.day(date(2026, 3, 12), "en") == "Thursday 12 March 2026"


def test_long_lines_wrap_and_links_stay_whole() -> None:
    link = "https://desk.example/" + "a" * 90
    text = words.laid_out(f"{'가나다 ' * 30}\n- {'word ' * 30}\n{link}\n\n\n\n끝")
    lines = text.split("\n")
    assert link in lines and "\n\n\n" not in text
    assert all(words.columns(line) <= 72 for line in lines if line != link)
    assert any(line.startswith("  word") for line in lines)
