"""Words for people: labels in both languages, dates, lists, Korean particles, wrapped plain text.

The lists stand in templates/words/<language>.yaml. Nothing here knows a request or a person.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from subjectline.models.errors import BadInput

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
LANGUAGES = ("ko", "en")
WIDTH = 72  # columns of a plain-text mail; a Hangul syllable takes two
MASK = "••••"
SHORT = 8  # characters; of a shorter value of the registry nothing is shown

_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")
_DIGITS = re.compile(r"\+?\d(?:[ .\-()]{0,2}\d){4,}")
_HANGUL = range(0xAC00, 0xD7A4)
_RIEUL = 8  # 메일로, not 메일으로


@cache
def word_list(language: str) -> Mapping[str, Any]:
    """All words of a language. BadInput if it is neither ko nor en."""
    if language not in LANGUAGES:
        raise BadInput(
            f"there are no words in {language!r}", field="language", remedy="Use ko or en."
        )
    text = (TEMPLATES / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    words: Mapping[str, Any] = yaml.safe_load(text)
    return words


def word(section: str, key: str, language: str) -> str:
    """One word of a list. BadInput if the list does not have it."""
    words: Mapping[str, str] = word_list(language)[section]
    if key not in words:
        raise BadInput(f"{section} has no word for {key!r}", field=key)
    return words[key]


def kind_label(kind: str, language: str) -> str:
    """The name of a right as people read it: `correction` -> 개인정보 정정."""
    return word("kinds", kind, language)


def state_label(state: str, language: str, *, for_member: bool = False) -> str:
    """The name of a state for agents, or with `for_member` as a sentence for the person."""
    return word("member_states" if for_member else "states", state, language)


def button_label(button: str, language: str) -> str:
    """What a button of the chat says: `yes`, `no`, `share_contact` …"""
    return word("buttons", button, language)


def command_labels(language: str) -> Mapping[str, str]:
    """The bot's commands with their descriptions, in the order of the menu."""
    labels: Mapping[str, str] = word_list(language)["commands"]
    return labels


def day(value: date | str, language: str) -> str:
    """A date for readers: 2026년 3월 12일(목); Thursday 12 March 2026. A text passes as it is."""
    if isinstance(value, str):
        return value
    weekday = word_list(language)["weekdays"][value.weekday()]
    if language == "ko":
        return f"{value.year}년 {value.month}월 {value.day}일({weekday})"
    return f"{weekday} {value.day} {word_list(language)['months'][value.month - 1]} {value.year}"


def until(value: date | str, language: str) -> str:
    """How long something lasts: 2031년 3월 5일까지; until 5 March 2031. A text passes as it is."""
    if isinstance(value, str):
        return value
    if language == "ko":
        return f"{value.year}년 {value.month}월 {value.day}일까지"
    return f"until {value.day} {word_list(language)['months'][value.month - 1]} {value.year}"


def listed(items: Iterable[str], language: str) -> str:
    """A list within a sentence: 이름, 전화번호; name, phone and email."""
    parts = list(items)
    if language == "ko" or len(parts) < 2:
        return ", ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def josa(text: str, pair: str) -> str:
    """A Korean word with the particle that fits its last syllable: josa("번호", "을/를") -> 번호를.

    `pair` is the form after a consonant, then after a vowel. Other scripts get both: ID을(를).
    """
    closed, open_ = pair.split("/")
    last = ord(text[-1]) if text else 0
    if last not in _HANGUL:
        return f"{text}{closed}({open_})"
    coda = (last - _HANGUL.start) % 28
    if closed == "으로" and coda == _RIEUL:
        coda = 0
    return text + (closed if coda else open_)


def last_four(value: str) -> str:
    """The end of a member's own new value: at most four characters, never more than half of it."""
    if MASK in value:  # covered already
        return value
    shown = min(4, len(value) // 2)
    return MASK + (value[-shown:] if shown else "")


def covered(value: str) -> str:
    """A value of the registry as a chat may show it: its last two characters, of eight or more."""
    shown = min(2, len(value) // 4)
    return MASK + (value[-shown:] if shown and len(value) >= SHORT else "") if value else ""


def chat_safe(text: str) -> str:
    """A person's words for a chat: addresses and runs of five or more digits are covered."""
    return _DIGITS.sub(MASK, _ADDRESS.sub(MASK, text))


def columns(text: str) -> int:
    """How many columns a text takes in a fixed-width font."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def laid_out(text: str, width: int = WIDTH) -> str:
    """A plain-text mail: lines wrapped at spaces, at most one empty line between paragraphs.

    A line with a link is left whole, list items hang under their dash.
    """
    lines: list[str] = []
    for line in text.strip().split("\n"):
        lines += _wrapped(line.rstrip(), width)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def fitted(line: str, width: int = WIDTH) -> str:
    """One line of a plain-text mail, broken at spaces where it is too long."""
    return "\n".join(_wrapped(line, width))


def _wrapped(line: str, width: int) -> Sequence[str]:
    if columns(line) <= width or "://" in line:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    hanging = indent + "  " if line.lstrip().startswith("- ") else indent
    lines, current, used = [], indent, columns(indent)
    for piece in line.split():
        size = columns(piece)
        if current.strip() and used + 1 + size > width:
            lines.append(current)
            current, used = hanging, columns(hanging)
        gap = " " if current.strip() else ""
        current, used = current + gap + piece, used + len(gap) + size
    return [*lines, current]
