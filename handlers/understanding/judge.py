"""Weighs what stands around a right's words: is it asked for, asked about, or ruled out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from subjectline.handlers.understanding import moods_en as en
from subjectline.handlers.understanding import moods_ko as ko
from subjectline.handlers.understanding import rights_en as en_rights
from subjectline.handlers.understanding import rights_ko as ko_rights
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.followups import follow_ups
from subjectline.handlers.understanding.model import Sign
from subjectline.handlers.understanding.sieve import EVERY, HANGUL, LATIN, sifted

Certainty = Literal["sure", "likely", "no"]
Mood = Literal["request", "possible", "howto", "question", ""]

_NEG_REACH = 45  # letters between "don't" and the right it rules out
_CARRY = 2  # clauses that a topic lasts
SET = "set"  # "…로 해 주세요": a correction only beside a field and its value


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sentence says: its signs, and whether it asks for a correction."""

    signs: tuple[Sign, ...]
    change: Certainty | None
    why: str
    blocked: bool = False  # somebody else's wish, or a how-to


# All tails in one pattern, each a group; the first that fits decides.
_TAIL = re.compile("|".join(f"({pattern.pattern})" for _, pattern in ko.TAILS))
# What a look at a sentence has to show before its patterns are tried.
_EN_RULES = tuple((LATIN.add(rule.pattern), rule) for rule in en_rights.RULES)
_EN_OTHER, _EN_HOWTO, _EN_CHANGE = map(LATIN.add, (en.OTHER, en.HOWTO, en.CHANGE))
_EN_WISHES = sifted(LATIN, [en.CHANGE, *(rule.pattern for rule in en_rights.RULES)])


def _ko_topic(rule: ko_rights.Rule) -> int:
    """What must show beside the action: the topic or what leans on one."""
    either = [one for one in (rule.topic, rule.carry) if one]
    return sifted(HANGUL, either) if rule.topic else EVERY


_KO_RULES = tuple((HANGUL.add(rule.action), _ko_topic(rule), rule) for rule in ko_rights.RULES)
_KO_CHANGE, _KO_OTHER, _KO_UNDECIDED = map(HANGUL.add, (ko.CHANGE, ko.OTHER, ko.UNDECIDED))
_MOODS: tuple[tuple[re.Pattern[str], Mood], ...] = (
    (ko.HOWTO, "howto"),
    (ko.HYPO, "question"),
    (ko.REQUEST, "request"),
    (ko.POSSIBLE, "possible"),
    (ko.QUESTION, "question"),
)
_KO_MOODS = tuple((HANGUL.add(pattern), pattern, mood) for pattern, mood in _MOODS)
_KO_DISGUISES = sifted(HANGUL, [ko_rights.DECOYS, ko_rights.OTHERS_DATA])


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
    signs = follow_ups(sentences, [one.signs for one in seen])
    return [replace(one, signs=own) for one, own in zip(seen, signs, strict=True)]


# Korean


def _korean(sentence: Sentence, recent: list[str]) -> Seen:
    whole, may = sentence.whole, sentence.may
    bare = [_undisguised(clause.tight, may) for clause in sentence.clauses]
    if may & _KO_DISGUISES:
        may |= HANGUL.look("".join(bare))  # what is left stands beside other words now
    other = _about_others(whole, may)
    rules = tuple(rule for action, topic, rule in _KO_RULES if may & action and may & topic)
    if not rules and not may & _KO_CHANGE:
        recent[:] = [*recent, *bare][-_CARRY:]
        return Seen((), None, "", other)
    signs: list[Sign] = []
    change: tuple[Certainty, str] | None = None
    for tight, mood in zip(bare, moods(sentence), strict=True):
        signs += _ko_signs(tight, mood, other, "".join(recent), whole, rules)
        change = _stronger(change, _ko_change(tight, mood, other))
        recent.append(tight)
        del recent[:-_CARRY]
    return Seen(tuple(signs), change[0] if change else None, change[1] if change else "", other)


def _undisguised(tight: str, may: int) -> str:
    """The clause without what only looks like the writer's data."""
    if may & _KO_DISGUISES:
        return ko_rights.OTHERS_DATA.sub("남", ko_rights.DECOYS.sub("·", tight))
    return tight


def _about_others(whole: str, may: int) -> bool:
    """Somebody else's wish, or no choice made yet."""
    other = may & _KO_OTHER and ko.SOMEBODY.search(whole) and ko.OTHER.search(whole)
    return bool(other or (may & _KO_UNDECIDED and ko.UNDECIDED.search(whole)))


def moods(sentence: Sentence) -> list[Mood]:
    """Each clause's mood; one without its own takes that of the clause after it."""
    found: list[Mood] = []
    after: Mood = ""
    for clause in reversed(sentence.clauses):
        own = _ko_mood(clause.tight, sentence.may)
        if after == "howto" and own in ("request", "possible"):
            own = "howto"
        after = own or after
        found.append(after)
    return found[::-1]


def _ko_mood(tight: str, may: int) -> Mood:
    return next(
        (mood for bit, pattern, mood in _KO_MOODS if may & bit and pattern.search(tight)), ""
    )


def _ko_signs(
    tight: str,
    mood: Mood,
    other: bool,
    before: str,
    whole: str,
    rules: Sequence[ko_rights.Rule],
) -> Iterator[Sign]:
    third = False
    data = bool(rules and ko_rights.HAS_DATA.search(tight))
    if rules and not ko_rights.NAMED.search(tight):
        rules = [rule for rule in rules if rule.carry and before]
    for rule in rules:
        if rule.data and not data:
            continue
        if third and rule.kind == "marketing_withdrawal" and not ko_rights.BOTH.search(tight):
            continue
        match = _ko_match(rule, tight, before)
        if match is not None:
            certainty, why = _ko_weigh(rule, tight, match, mood, other)
            if why in ("past", "reported") and ko.FOLLOW_UP.search(whole):
                certainty, why = "likely", "follow-up"
            leans = rule.topic is not None and not rule.topic.search(tight)
            if leans and certainty == "sure" and rule.kind == "erasure":
                certainty, why = "likely", "leans on the clause before"
            third = third or rule.kind == "third_party_withdrawal"
            yield Sign(rule.kind, certainty, why)


def _ko_match(rule: ko_rights.Rule, tight: str, before: str) -> re.Match[str] | None:
    if rule.topic and not rule.carry and not rule.topic.search(tight):
        return None
    action = rule.action.search(tight)
    if action is None or (rule.not_with and rule.not_with.search(tight)):
        return None
    if rule.kind == "access" and _not_access(tight):
        return None
    if rule.topic is None or not rule.carry or rule.topic.search(tight):
        return _last_live(rule, tight, action)
    carried = rule.carry.search(tight)
    return carried if carried and rule.topic.search(before) else None


def _not_access(tight: str) -> bool:
    out = ko_rights.ACCESS_OUT.search(tight)
    return bool(out) and not ko_rights.ACCESS_ASKS.search(tight)


def _last_live(rule: ko_rights.Rule, tight: str, first: re.Match[str]) -> re.Match[str]:
    """Of several actions in the clause the last decides: Korean says at the end what it means."""
    match = first
    for match in rule.action.finditer(tight, first.start()):  # noqa: B007
        pass
    dead = tail_of(tight[first.end() :])
    return first if dead in ("negated", "called off", "supposed", "reported") else match


def tail_of(rest: str) -> str:
    """What the words right behind an action make of it: a name of `ko.TAILS`, or ""."""
    found = _TAIL.match(rest)
    return ko.TAILS[(found.lastindex or 1) - 1][0] if found else ""


def _ko_weigh(
    rule: ko_rights.Rule, tight: str, match: re.Match[str], mood: Mood, other: bool
) -> tuple[Certainty, str]:
    rest = tight[match.end() :]
    tail = tail_of(rest)
    if tail in ko.SOFT_TAILS and not other:
        return "likely", tail
    if tail:
        return "no", tail
    certainty, why = by_mood(mood, rule.possible)
    if not why and rule.bare and ko.NOUN_END.match(rest):
        # The bare word "탈퇴" is too little to end or destroy anything with.
        lone = rule.kind in ("membership_withdrawal", "erasure") and not rest.strip(".!~")
        certainty, why = ("likely" if lone else "sure"), "bare"
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
    if ko.BY_SELF.search(tight):
        return "no", "by themselves"
    certainty, why = by_mood(mood, False)
    if other and certainty == "sure":
        return "likely", "somebody else"
    if certainty == "sure" and match[0][0] in "으로":
        return "sure", SET
    rest = tight[match.end() :]
    bare = "bare" if ko.NOUN_END.match(rest) or ko.NO_HANGUL.match(rest) else "statement"
    return certainty, why or bare


def _stronger(
    one: tuple[Certainty, str] | None, two: tuple[Certainty, str] | None
) -> tuple[Certainty, str] | None:
    order = {"no": 0, "likely": 1, "sure": 2}
    if one is None or two is None:
        return one or two
    return two if order[two[0]] >= order[one[0]] else one


# English


def _english(sentence: Sentence) -> Seen:
    whole, may = sentence.whole, sentence.may
    other = bool(may & _EN_OTHER and en.OTHER.search(whole))
    if not may & _EN_WISHES:
        return Seen((), None, "", other)
    rules = tuple(rule for bit, rule in _EN_RULES if may & bit)
    # "I want to leave, how do I do that": the question covers the wish.
    how = bool(may & _EN_HOWTO and en.HOWTO.search(whole))
    signs: list[Sign] = []
    change: tuple[Certainty, str] | None = None
    for clause in sentence.clauses:
        signs += _en_signs(clause.text, other, how, rules)
        if may & _EN_CHANGE:
            change = _stronger(change, _en_change(clause.text, other, how))
    return Seen(tuple(signs), change[0] if change else None, change[1] if change else "", other)


def _en_signs(text: str, other: bool, how: bool, rules: Sequence[en_rights.Rule]) -> Iterator[Sign]:
    third = False
    for rule in rules if rules and en_rights.NAMED.search(text) else ():
        match = rule.pattern.search(text)
        if match is None or (rule.not_with and rule.not_with.search(text)):
            continue
        if third and rule.kind == "marketing_withdrawal" and not en_rights.BOTH.search(text):
            continue
        third = third or rule.kind == "third_party_withdrawal"
        certainty, why = en_weigh(text, match, rule.negative, rule.possible, how)
        hearsay = why == "follow-up" or (why == "statement" and rule.cap == "likely")
        if other and hearsay:
            certainty = "no"
        yield Sign(rule.kind, *_capped(certainty, why, other, rule.cap))


def _capped(certainty: Certainty, why: str, other: bool, cap: str) -> tuple[Certainty, str]:
    if certainty == "sure" and other:
        return "likely", "somebody else"
    if certainty == "sure" and cap == "likely":
        return "likely", "vague"
    return certainty, why


def en_weigh(
    text: str,
    match: re.Match[str],
    negative: bool,
    possible: bool,
    how: bool,
    turns: bool = True,
) -> tuple[Certainty, str]:
    """How sure an English right is. `turns`: a "not" or "keep" inside the match rules it out."""
    before = text[: match.start()]
    # "what I submitted" is what the person asks for, not a tale of what was done.
    told = before + text[match.end() :] if possible else text
    dead = _en_dead(told, match, before, turns)
    if dead == "past" and en.FOLLOW_UP.search(text):
        return "likely", "follow-up"
    if dead:
        return "no", dead
    if en.CANNOT.search(before):
        return "likely", "cannot"
    if how:
        return "likely", "how to"
    return _en_mood(text, before, negative, possible)


def _en_dead(text: str, match: re.Match[str], before: str, turns: bool) -> str:
    """Why the words of a right are no wish, or ""."""
    negation = en.BEFORE_NEG.search(before)
    if (negation and len(negation["gap"]) < _NEG_REACH) or (
        turns and en.INNER_NEG.search(match[0])
    ):
        return "negated"
    if en.CALLED_OFF.search(text):
        return "called off"
    if en.HYPO.search(text):
        return "supposed"
    past = en.BEFORE_PAST.search(before) or en.MATCHED_PAST.match(match[0])
    return "past" if past or en.PAST.search(text) else ""


def _en_mood(text: str, before: str, negative: bool, possible: bool) -> tuple[Certainty, str]:
    if en.POSSIBLE.search(text) and not possible:
        return "likely", "possible"
    orders = en.IMPERATIVE_SEE if possible else en.IMPERATIVE
    if en.REQUEST.search(text) or orders.match(before):
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
    certainty, why = _capped(*en_weigh(text, match, False, False, how), other, "sure")
    if certainty == "likely" and why == "statement" and en.HEADING.search(text):
        certainty = "likely" if other else "sure"
    weak = all(en.SET_VERB.match(verb[0]) for verb in en.CHANGE.finditer(text))
    return certainty, SET if weak and certainty == "sure" else why


def settled(signs: Iterable[Sign]) -> dict[str, Sign]:
    """The strongest sign of each kind; a kind both asked for and ruled out becomes a question."""
    best: dict[str, Sign] = {}
    ruled_out: set[str] = set()
    order = {"no": 0, "likely": 1, "sure": 2}
    for sign in signs:
        if sign.why in ("negated", "called off"):
            ruled_out.add(sign.kind)
        held = best.get(sign.kind)
        stronger = held is None or order[sign.certainty] > order[held.certainty]
        closer = held and sign.fields and sign.certainty == held.certainty
        if stronger or closer:
            best[sign.kind] = sign
    for kind in ruled_out & best.keys():
        if best[kind].certainty == "sure":
            best[kind] = Sign(kind, "likely", "asked for and ruled out")
        elif best[kind].certainty == "likely":
            best[kind] = Sign(kind, "no", "negated")
    return best
