"""Rights over single fields: "what address do you have for me?", "delete my phone number"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from subjectline.handlers.understanding import moods_en as en
from subjectline.handlers.understanding import moods_ko as ko
from subjectline.handlers.understanding import rights_fields as rules
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.judge import (
    Mood,
    Seen,
    by_mood,
    en_weigh,
    moods,
    tail_of,
)
from subjectline.handlers.understanding.model import Sign
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

_REACH = 1  # sentences that a field stays the topic


@dataclass(slots=True)
class _Topic:
    """The fields that were named last, and whether they were to be changed rather than dropped."""

    names: tuple[str, ...] = ()
    sentence: int = -9
    changed: bool = False
    asked: bool = False  # a clause seemed to ask what is kept of it

    def at(self, i: int) -> tuple[str, ...]:
        return () if self.changed or i - self.sentence > _REACH else self.names


def field_signs(
    sentences: Sequence[Sentence],
    seen: Sequence[Seen],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Iterator[Sign]:
    """One sign for each right over fields, with their names. A field stays the topic for the next
    sentence: "my address is still there. Please delete it."
    """
    topic = _Topic()
    for i, (sentence, judged) in enumerate(zip(sentences, seen, strict=True)):
        if not hits[i] and not topic.at(i):
            continue
        for sign in _in_sentence(i, sentence, bool(hits[i]), topic, words):
            blocked = judged.blocked and sign.certainty == "sure"
            yield replace(sign, certainty="likely") if blocked else sign
            topic.asked = sign.kind == "access" and sign.certainty == "likely"
        if hits[i]:
            topic.changed = judged.change is not None and judged.change != "no"


def _in_sentence(
    i: int, sentence: Sentence, named: bool, topic: _Topic, words: Vocabulary
) -> Iterator[Sign]:
    how = not sentence.korean and bool(en.HOWTO.search(sentence.whole))
    spoken: list[Mood] = moods(sentence) if sentence.korean else []
    for n, clause in enumerate(sentence.clauses):
        text = clause.tight if sentence.korean else clause.text
        hits = words.find(text) if named else []
        names = _names(text, hits, sentence.korean, words)
        if names:
            topic.names, topic.sentence, topic.changed, topic.asked = names, i, False, False
        if not names and not topic.at(i):
            continue
        marked = _marked(text, hits)
        tell = rules.KO_TELL if sentence.korean else rules.EN_TELL
        if not names and topic.asked and tell.search(marked):
            yield Sign("access", "sure", "taken up", topic.names)
            continue
        if sentence.korean:
            yield from _korean(marked, names or topic.at(i), bool(names), spoken[n])
        else:
            yield from _english(marked, names or topic.at(i), bool(names), how)


def _marked(text: str, hits: Sequence[Hit]) -> str:
    for hit in reversed(hits):
        text = text[: hit.start] + rules.MARK + text[hit.end :]
    return text


def _names(text: str, hits: Sequence[Hit], korean: bool, words: Vocabulary) -> tuple[str, ...]:
    """The fields of a clause but for those that are to stay as they are."""
    kept = [hit.name for hit in hits if not _contrasted(text, hit, korean)]
    if kept and rules.BANK_DETAILS.search(text):
        kept += [n for n in words.fields if words.shape(n) in ("bank", "account") or "holder" in n]
    return tuple(dict.fromkeys(kept))


def _contrasted(text: str, hit: Hit, korean: bool) -> bool:
    if korean:
        return bool(rules.KO_CONTRAST.match(text[hit.end : hit.end + 24]))
    return bool(rules.EN_CONTRAST.search(text[max(0, hit.start - 30) : hit.start]))


def _korean(text: str, names: tuple[str, ...], own: bool, mood: Mood) -> Iterator[Sign]:
    if rules.KO_OUT.search(text) or (not own and _elsewhere(text, True)):
        return
    for kind, pattern, possible in rules.KO if own else rules.KO_LEANING:
        match = _last(pattern, text)
        if match is None or (own and rules.KO_OTHER_THING.search(match[0])):
            continue
        tail = tail_of(text[match.end() :])
        if tail:
            yield Sign(kind, "likely" if tail in ko.SOFT_TAILS else "no", tail, names)
            continue
        certainty, why = by_mood(mood, possible)
        if not why and ko.NOUN_END.match(text[match.end() :]):
            certainty, why = "sure", "bare"
        if kind == "suspension" and certainty == "likely" and why == "":
            certainty = "sure" if "지마" in match[0] or "지말" in match[0] else certainty
        yield Sign(kind, certainty, why, names)
        return


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    match = None
    for match in pattern.finditer(text):  # noqa: B007
        pass
    return match


def _elsewhere(text: str, korean: bool) -> bool:
    """Nothing in the clause points back to a field that was named before."""
    if korean:
        return bool(rules.KO_OTHER_THING.search(text) or rules.KO_OLD.search(text))
    return bool(rules.EN_OTHER_THING.search(text) or rules.EN_OLD.search(text))


def _other_thing(kind: str, matched: str) -> bool:
    if kind == "access":  # "what number is my account under?"
        matched = matched.replace("account", "")
    return bool(rules.EN_OTHER_THING.search(matched))


def _english(text: str, names: tuple[str, ...], own: bool, how: bool) -> Iterator[Sign]:
    if rules.EN_OUT.search(text) or (not own and _elsewhere(text, False)):
        return
    for kind, pattern, possible in rules.EN if own else rules.EN_LEANING:
        match = pattern.search(text)
        if match is None or (own and _other_thing(kind, match[0])):
            continue
        certainty, why = en_weigh(text, match, True, possible, how, turns=False)
        yield Sign(kind, certainty, why, names)
        return
