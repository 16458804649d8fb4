"""Corrections: which fields, from which old to which new value."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subjectline.handlers.understanding import frames_en, frames_ko
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.judge import SET, Seen
from subjectline.handlers.understanding.model import Wish
from subjectline.handlers.understanding.states import TOLD, VALUE_DECIDES, State, state_of
from subjectline.handlers.understanding.targets import (
    Target,
    hits_in,
    in_sentence,
    target_of,
    told_later,
    trim,
)
from subjectline.handlers.understanding.values import TYPED, pick, typed
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

_NEAR = 2  # sentences after a wish in which its value may stand


@dataclass(frozen=True, slots=True)
class Found:
    """What the message says about corrections."""

    wish: Wish | None
    certainty: str = "no"  # sure, likely, no
    why: str = ""


def corrections(sentences: Sequence[Sentence], seen: Sequence[Seen], words: Vocabulary) -> Found:
    """The corrections of a message as one wish; its `fields` are empty where none is named."""
    hits = hits_in(sentences, words)
    states = [state_of(s, j, h) for s, j, h in zip(sentences, seen, hits, strict=True)]
    targets = list(_targets(sentences, states, hits, words))
    certainty = _certainty(states, targets)
    if certainty == "no":
        return Found(None)
    targets = _filled(_distinct(targets), sentences, hits, words)
    if not targets and any(s.wanted == "sure" for s in states):
        targets = _labelled(sentences, hits, words)
    if not targets and not any(s.about_data for s in states if s.wanted in ("sure", "likely")):
        return Found(None)
    if {s.why for s in states if s.wanted != "no"} == {TOLD} and not any(t.new for t in targets):
        return Found(None)
    only_news = all(s.news for s in states if s.wanted == "sure")
    if certainty == "sure" and only_news and not any(t.new for t in targets):
        certainty = "likely"
    why = next((s.why for s in states if s.wanted == certainty), "value given")
    return Found(_wish(targets), certainty, why)


def _targets(
    sentences: Sequence[Sentence],
    states: Sequence[State],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Iterator[Target]:
    for i, (sentence, state) in enumerate(zip(sentences, states, strict=True)):
        if state.wanted == "no":
            continue
        here = list(in_sentence(i, sentence, hits[i], words))
        if not here and not state.about_data:
            here = list(_leaning(i, sentences, states, hits, words))
        if state.why == SET and not any(t.new for t in here):
            continue
        firm = any(t.firm or t.new for t in here)
        here = [replace(t, weight=int(t.firm and not state.news)) for t in here]
        yield from (t for t in here if t.firm or t.new or not firm)


def _leaning(
    i: int,
    sentences: Sequence[Sentence],
    states: Sequence[State],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Iterator[Target]:
    """ "고쳐 주세요" alone: what is to change stands in the sentence before, or is told by its form."""
    for shape in ("email", "phone"):
        values = typed(shape, sentences[i].text)
        names = [n for n in words.fields if words.shape(n) == shape]
        if values and names and not any(hits[i]):
            new, old = pick(values)
            yield Target(names[0], i, new, old, firm=bool(new))
            return
    if i and hits[i - 1] and len("".join(c.tight for c in sentences[i].clauses)) <= 60:
        before = list(in_sentence(i - 1, sentences[i - 1], hits[i - 1], words))
        if len(before) == 1 and states[i - 1].wanted != "sure":
            frames: Any = frames_ko if sentences[i].korean else frames_en
            yield told_later(before[0], sentences[i], frames, words.shape(before[0].name))


def _certainty(states: Sequence[State], targets: Sequence[Target]) -> str:
    """A change in life counts as a wish only with its field; otherwise the verb decides."""
    wanted = {s.wanted for s in states if not s.news or targets}
    best = "sure" if "sure" in wanted else "likely" if "likely" in wanted else "no"
    if best == "likely" and any(t.new and t.firm for t in targets):
        asked = all(s.why in VALUE_DECIDES for s in states if s.wanted == "likely")
        return "sure" if asked else best
    return best


def _distinct(targets: Sequence[Target]) -> list[Target]:
    """One target a field; the one with a new value wins, and firm ones drop the others."""
    best: dict[str, Target] = {}
    for target in targets:
        held = best.get(target.name)
        if held is None or (target.new and (not held.new or target.weight > held.weight)):
            best[target.name] = replace(target, old=target.old or (held.old if held else ""))
        elif target.old and not held.old and target.old != held.new:
            best[target.name] = replace(held, old=target.old)
    return sorted(best.values(), key=lambda t: (t.sentence, 0))


def _filled(
    targets: list[Target],
    sentences: Sequence[Sentence],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> list[Target]:
    """Values that stand in the sentences around the wish."""
    filled = []
    for target in targets:
        open_ = not target.new
        filled.append(_around(target, targets, sentences, hits, words) if open_ else target)
    return _bank(filled, sentences, words)


def _around(
    target: Target,
    targets: Sequence[Target],
    sentences: Sequence[Sentence],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Target:
    shape = words.shape(target.name)
    low, high = target.sentence + 1, min(target.sentence + 1 + _NEAR, len(sentences))
    near = [*range(low, high), *([target.sentence - 1] if target.sentence else [])]
    if shape in TYPED:
        values = [v for i in near for v in typed(shape, sentences[i].text)]
        new, old = pick(values)
        return replace(target, new=new, old=target.old or (old if old != new else ""))
    found = _lines(target, sentences, shape)
    for i in near:
        if not found.new:
            found = _beside(found, i, sentences[i], hits[i], words, len(targets) == 1)
    return found


def _beside(
    target: Target, i: int, sentence: Sentence, hits: Sequence[Hit], words: Vocabulary, only: bool
) -> Target:
    """The value of a target in another sentence, if it stands there."""
    shape = words.shape(target.name)
    own = [hit for hit in hits if hit.name == target.name]
    if own:
        found = target_of(i, sentence, own[0], (0, len(sentence.text)), words)
        new, old = (found.new, found.old) if found else ("", "")
        return replace(target, new=new, old=target.old or old) if new else target
    place = frames_ko.PLACE.match(sentence.text) if shape == "address" else None
    if place:
        return replace(target, new=trim(frames_ko, place["new"], shape))
    if i > target.sentence and only and not hits:
        frames: Any = frames_ko if sentence.korean else frames_en
        return told_later(target, sentence, frames, shape)
    return target


def _lines(target: Target, sentences: Sequence[Sentence], shape: str) -> Target:
    """Lines of a form: "변경 전: …", "new: …"."""
    new = old = ""
    for sentence in sentences:
        for frames in (frames_ko, frames_en):
            before, after = (
                frames.OLD_LINE.match(sentence.text),
                frames.NEW_LINE.match(sentence.text),
            )
            old = trim(frames, before["old"], shape) if before else old
            new = trim(frames, after["new"], shape) if after and not before else new
    return replace(target, new=new, old=target.old or old) if new else target


def _labelled(
    sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], words: Vocabulary
) -> list[Target]:
    """ "회원정보 수정 부탁드립니다" and below it lines with labels: what they name is to change."""
    found = []
    for i, sentence in enumerate(sentences):
        if len(hits[i]) != 1 or not re.match(r"\s*[:=]", sentence.text[hits[i][0].end :]):
            continue
        target = target_of(i, sentence, hits[i][0], (0, len(sentence.text)), words)
        if target and target.new:
            found.append(target)
    names = {t.name for t in found}
    # A name and a phone number under a mail say who writes.
    return found if (found and not names <= {"name", "phone", "email"}) or len(found) == 1 else []


def _bank(targets: list[Target], sentences: Sequence[Sentence], words: Vocabulary) -> list[Target]:
    """ "계좌를 ○○은행 123-…으로": the bank in the same breath is to change too."""
    account = next((t for t in targets if words.shape(t.name) == "account" and t.new), None)
    bank = next((n for n in words.fields if words.shape(n) == "bank"), "")
    if not account or not bank or any(t.name == bank and t.new for t in targets):
        return targets
    text = next((s.text for s in sentences if account.new in s.text), "")
    values = [v for v in typed("bank", text) if 0 <= text.find(account.new) - v.end <= 12]
    if not values:
        return targets
    rest = [t for t in targets if t.name != bank]
    return [*rest, Target(bank, account.sentence, values[-1].text, firm=True)]


def _wish(targets: Sequence[Target]) -> Wish:
    new: Mapping[str, str] = {t.name: t.new for t in targets if t.new}
    old = {t.name: t.old for t in targets if t.old}
    return Wish("correction", tuple(dict.fromkeys(t.name for t in targets)), new, old)
