"""Which sentences wish for a correction: by a verb, by "it is wrong", by news of a new value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from subjectline.handlers.understanding import moods_en as en
from subjectline.handlers.understanding import moods_ko as ko
from subjectline.handlers.understanding import rights_ko as ko_rights
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.judge import SET, Seen
from subjectline.handlers.understanding.sieve import HANGUL, LATIN
from subjectline.handlers.understanding.vocabulary import Hit

_SAFE_WHY = {"how to", "possible", "bare", "cannot", "noun"}
TOLD = "value told"
PAIRED = "value told beside another"  # counts only where an old and a new value stand together
VALUE_DECIDES = {"possible", "bare", TOLD, PAIRED}  # a new value makes a wish of it
_DONE = re.compile(
    r"잘(?:바뀌|변경|수정|됐|되었)|이미|아까|방금|어제|지난|앱에서|직접|주셔서|덕분|감사했|됐네"
    r"|되었네|\balready\b|\bthank(?:s| you)? (?:so much |a lot )?for (?!your|the help|taking"
    r"|looking|reading)|\byesterday"
    r"|\blast (?:week|month)"
)
_ASKING = re.compile(
    r"\?|나요$|까요$|는지$|는지(?:확인|알려|궁금)|왜|면(?:어떻게|어떡)|\bif\b|\bwhy\b|만약"
)
_DATA_BIT = {False: LATIN.add(en.DATA_WORD), True: HANGUL.add(ko.DATA_WORD)}
_ARROW = re.compile(r"\S\s?(?:->|=>|→|~>)\s?\S")


@dataclass(frozen=True, slots=True)
class State:
    """A sentence as a wish to correct: how sure, and why."""

    wanted: str  # sure, likely, no
    why: str
    news: bool = False  # only tells of a change in the writer's life
    about_data: bool = False


def state_of(sentence: Sentence, seen: Seen, hits: Sequence[Hit]) -> State:
    """Whether a sentence wishes for a correction, and by what sign."""
    lexicon: Any = ko if sentence.korean else en
    subject = sentence.whole
    named = sentence.may & _DATA_BIT[sentence.korean]
    data = bool(named and lexicon.DATA_WORD.search(subject))
    if seen.change is None and not hits and not data:
        return State("no", "")
    if sentence.korean and ko_rights.OTHERS_DATA.search(subject):
        return State("no", "somebody else's data")
    if lexicon.FINE.search(subject):
        return State("no", "all right")
    if seen.change is None and hits and _heading(sentence, subject):
        return State("sure", SET)
    return _weighed(sentence, seen, hits, subject, data)


def _heading(sentence: Sentence, subject: str) -> bool:
    """ "대전 -> 세종", "주소 변경: …"."""
    arrow = _ARROW.search(sentence.text)
    return bool(arrow or (sentence.korean and ko.HEADING.search(subject)))


def _weighed(
    sentence: Sentence, seen: Seen, hits: Sequence[Hit], subject: str, data: bool
) -> State:
    lexicon: Any = ko if sentence.korean else en
    wrong, news = bool(lexicon.WRONG.search(subject)), bool(lexicon.NEWS.search(subject))
    if lexicon.TRADE.search(subject) and (hits or data) and seen.change != "no":
        return State("likely" if seen.change or wrong else "no", "about an order", about_data=data)
    if seen.why == SET and not hits:
        return State("no", SET)
    asks_value = seen.change == "likely" and seen.why in _SAFE_WHY
    if seen.change == "sure" or (seen.change == "likely" and not asks_value and (wrong or news)):
        return State("likely" if seen.blocked else "sure", seen.why, about_data=data)
    if seen.change == "likely":
        return State("likely", seen.why, about_data=data)
    stands = not wrong and hits and seen.change is None and lexicon.STANDS.search(subject)
    if stands and not _ASKING.search(subject) and not seen.blocked:
        return State("likely", TOLD, about_data=data)
    if (wrong or news) and (hits or data):
        return _stated(sentence, seen, subject, wrong, data)
    if hits and seen.change is None and not seen.blocked and not _quiet(subject):
        return State("likely", PAIRED, about_data=data)
    return State("no", "")


def _quiet(subject: str) -> bool:
    """A question, or a tale of what was done: no pair of values in it is a wish."""
    return bool(_ASKING.search(subject) or _DONE.search(subject))


def _stated(sentence: Sentence, seen: Seen, subject: str, wrong: bool, data: bool) -> State:
    """No verb of changing, but "it is wrong" or "I have moved"."""
    if _ASKING.search(subject):
        return State(
            "likely" if wrong and not re.search(r"면|\bif\b", subject) else "no", "question"
        )
    if wrong:
        blocked = (
            seen.blocked
            or seen.change == "no"
            or bool(re.search(r"\b(?:login|log in|password)\b|로그인|인증|비밀번호", subject))
        )
        return State("likely" if blocked else "sure", "wrong value", about_data=data)
    life = seen.why == "past" and re.search(r"변경(?:이)?(?:되|됐|돼)|바뀌", subject)
    fresh = re.search(r"\bnew \w+|\bnow\b|새|바뀐", subject)
    if (_DONE.search(subject) and not fresh) or (seen.change == "no" and not life):
        return State("no", "told")
    return State("likely" if seen.blocked else "sure", "news", news=True, about_data=data)
