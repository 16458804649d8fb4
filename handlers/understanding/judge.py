"""Weighs what stands around a right's words: is it asked for, asked about, or ruled out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from subjectline.handlers.understanding import rights_en as en
from subjectline.handlers.understanding import rights_ko as ko
from subjectline.handlers.understanding.clauses import Clause, Sentence
from subjectline.handlers.understanding.model import Sign

Certainty = Literal["sure", "likely", "no"]
Mood = Literal["request", "possible", "howto", "question", ""]

_NEG_REACH = 45  # letters between "don't" and the right it rules out
_CARRY = 2  # clauses that a topic lasts
_BARE_END = re.compile(r"^[요.!~ㅠㅜㅋㅎ]*$")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sentence says: its signs, and whether it asks for a correction."""

    signs: tuple[Sign, ...]
    change: Certainty | None
    why: str
    blocked: bool = False  # somebody else's wish, or a how-to


@dataclass(frozen=True, slots=True)
class _Match:
    kind: str
    start: int
    end: int


def judge(sentences: Sequence[Sentence]) -> list[Seen]:
    """One `Seen` for each sentence, in order. Korean topics last over two clauses."""
    recent: list[str] = []
    seen = []
    for sentence in sentences:
        if sentence.korean:
            seen.append(_korean(sentence, recent))
        else:
            seen.append(_english(sentence))
            recent.clear()
    return seen


# Korean


def _korean(sentence: Sentence, recent: list[str]) -> Seen:
    moods = _moods(sentence.clauses)
    other = bool(ko.OTHER.search("".join(c.tight for c in sentence.clauses)))
    signs: list[Sign] = []
    change: tuple[Certainty, str] | None = None
    for clause, mood in zip(sentence.clauses, moods, strict=True):
        tight = ko.OTHERS_DATA.sub("남", ko.DECOYS.sub("·", clause.tight))
        signs += _ko_signs(tight, mood, other, "".join(recent))
        change = _stronger(change, _ko_change(tight, mood, other))
        recent.append(tight)
        del recent[:-_CARRY]
    return Seen(tuple(signs), change[0] if change else None, change[1] if change else "", other)


def _moods(clauses: Sequence[Clause]) -> list[Mood]:
    """Each clause's mood; one without its own takes that of the clause after it."""
    moods: list[Mood] = []
    after: Mood = ""
    for clause in reversed(clauses):
        own = ko_mood(clause.tight)
        if after == "howto" and own in ("request", "possible"):
            own = "howto"
        after = own or after
        moods.append(after)
    return moods[::-1]


def ko_mood(tight: str) -> Mood:
    if ko.HOWTO.search(tight):
        return "howto"
    if ko.HYPO.search(tight):
        return "question"
    if ko.REQUEST.search(tight):
        return "request"
    if ko.POSSIBLE.search(tight):
        return "possible"
    return "question" if ko.QUESTION.search(tight) else ""


def _ko_signs(tight: str, mood: Mood, other: bool, before: str) -> Iterator[Sign]:
    for rule in ko.RULES:
        match = _ko_match(rule, tight, before)
        if match is not None:
            certainty, why = _ko_weigh(rule, tight, match, mood, other)
            yield Sign(rule.kind, certainty, why)


def _ko_match(rule: ko.Rule, tight: str, before: str) -> re.Match[str] | None:
    action = rule.action.search(tight)
    if action is None or (rule.not_with and rule.not_with.search(tight)):
        return None
    if rule.kind == "access" and ko.ACCESS_OUT.search(tight):
        return None
    if rule.topic is None or rule.topic.search(tight):
        return _last_live(rule, tight, action)
    carried = rule.carry.search(tight) if rule.carry else None
    return carried if carried and rule.topic.search(before) else None


def _last_live(rule: ko.Rule, tight: str, first: re.Match[str]) -> re.Match[str]:
    """Of several actions in the clause the last decides: Korean says at the end what it means."""
    match = first
    for match in rule.action.finditer(tight, first.start()):  # noqa: B007
        pass
    dead = tail_of(tight[first.end() :])
    return first if dead in ("negated", "called off", "supposed", "reported") else match


def tail_of(rest: str) -> str:
    return next((name for name, pattern in ko.TAILS if pattern.match(rest)), "")


def _ko_weigh(
    rule: ko.Rule, tight: str, match: re.Match[str], mood: Mood, other: bool
) -> tuple[Certainty, str]:
    rest = tight[match.end() :]
    tail = tail_of(rest)
    if tail == "past" and ko.FOLLOW_UP.search(tight[match.start() :]):
        return "likely", "follow-up"
    if tail in ko.SOFT_TAILS:
        return "likely", tail
    if tail:
        return "no", tail
    certainty, why = by_mood(mood, rule.possible)
    if not why and (rule.bare and ko.NOUN_END.match(rest) and rule.kind != "membership_withdrawal"):
        certainty, why = "sure", "bare"
    if other and certainty == "sure":
        return "likely", "somebody else"
    if rule.cap == "likely" and certainty == "sure":
        return "likely", "vague"
    return certainty, why


def by_mood(mood: Mood, possible: bool) -> tuple[Certainty, str]:
    if mood == "request" or (mood in ("possible",) and possible):
        return "sure", "request"
    if mood == "howto":
        return "likely", "how to"
    if mood == "possible":
        return "likely", "possible"
    if mood == "question":
        return ("sure", "question") if possible else ("no", "question")
    return "likely", ""


def _ko_change(tight: str, mood: Mood, other: bool) -> tuple[Certainty, str] | None:
    match = None
    for match in ko.CHANGE.finditer(tight):  # noqa: B007
        pass
    if match is None:
        return None
    tail = tail_of(tight[match.end() :])
    if tail in ko.SOFT_TAILS:
        return "likely", tail
    if tail:
        return "no", tail
    certainty, why = by_mood(mood, False)
    if other and certainty == "sure":
        return "likely", "somebody else"
    return certainty, why or "statement"


def _stronger(
    one: tuple[Certainty, str] | None, two: tuple[Certainty, str] | None
) -> tuple[Certainty, str] | None:
    order = {"no": 0, "likely": 1, "sure": 2}
    if one is None or two is None:
        return one or two
    return two if order[two[0]] >= order[one[0]] else one


# English


def _english(sentence: Sentence) -> Seen:
    signs: list[Sign] = []
    change: tuple[Certainty, str] | None = None
    whole = " ".join(c.text for c in sentence.clauses)
    other = bool(en.OTHER.search(whole))
    # "I want to leave, how do I do that": the question covers the wish.
    how = bool(en.HOWTO.search(whole))
    for clause in sentence.clauses:
        for rule in en.RULES:
            match = rule.pattern.search(clause.text)
            if match and not (rule.not_with and rule.not_with.search(clause.text)):
                certainty, why = en_weigh(clause.text, match, rule.negative, rule.possible, how)
                signs.append(Sign(rule.kind, *_capped(certainty, why, other, rule.cap)))
        change = _stronger(change, _en_change(clause.text, other, how))
    return Seen(tuple(signs), change[0] if change else None, change[1] if change else "", other)


def _capped(certainty: Certainty, why: str, other: bool, cap: str) -> tuple[Certainty, str]:
    if certainty == "sure" and other:
        return "likely", "somebody else"
    if certainty == "sure" and cap == "likely":
        return "likely", "vague"
    return certainty, why


def en_weigh(
    text: str, match: re.Match[str], negative: bool, possible: bool, how: bool
) -> tuple[Certainty, str]:
    before = text[: match.start()]
    negation = en.BEFORE_NEG.search(before)
    if negation and len(negation["gap"]) < _NEG_REACH:
        return "no", "negated"
    if en.HYPO.search(text):
        return "no", "supposed"
    if en.BEFORE_PAST.search(before) or en.MATCHED_PAST.match(match[0]):
        return ("likely", "follow-up") if en.FOLLOW_UP.search(text) else ("no", "past")
    if en.PAST.search(text):
        return ("likely", "follow-up") if en.FOLLOW_UP.search(text) else ("no", "past")
    if how:
        return "likely", "how to"
    return _en_mood(text, before, negative, possible)


def _en_mood(text: str, before: str, negative: bool, possible: bool) -> tuple[Certainty, str]:
    if en.POSSIBLE.search(text) and not possible:
        return "likely", "possible"
    if en.REQUEST.search(text) or en.IMPERATIVE.match(before):
        return "sure", "request"
    if possible and (en.QUESTION.search(text) or en.POSSIBLE.search(text)):
        return "sure", "question"
    if en.QUESTION.search(text):
        return "no", "question"
    return ("sure", "statement") if negative and len(before) < 4 else ("likely", "statement")


def _en_change(text: str, other: bool, how: bool) -> tuple[Certainty, str] | None:
    match = en.CHANGE.search(text)
    if match is None:
        return None
    return _capped(*en_weigh(text, match, False, False, how), other, "sure")


def settled(signs: Iterable[Sign]) -> dict[str, Sign]:
    """The strongest sign of each kind; a kind both asked for and ruled out becomes a question."""
    best: dict[str, Sign] = {}
    ruled_out: set[str] = set()
    order = {"no": 0, "likely": 1, "sure": 2}
    for sign in signs:
        if sign.why in ("negated", "called off"):
            ruled_out.add(sign.kind)
        if sign.kind not in best or order[sign.certainty] > order[best[sign.kind].certainty]:
            best[sign.kind] = sign
    for kind in ruled_out & best.keys():
        if best[kind].certainty == "sure":
            best[kind] = Sign(kind, "likely", "asked for and ruled out")
        elif best[kind].certainty == "likely":
            best[kind] = Sign(kind, "no", "negated")
    return best
