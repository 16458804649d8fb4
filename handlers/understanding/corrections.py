"""Corrections: which fields, from which old to which new value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subjectline.handlers.understanding import frames_en, frames_ko
from subjectline.handlers.understanding.around import filled, labelled
from subjectline.handlers.understanding.clauses import Sentence, tight
from subjectline.handlers.understanding.judge import SET, Seen
from subjectline.handlers.understanding.model import Wish
from subjectline.handlers.understanding.states import PAIRED, TOLD, VALUE_DECIDES, State, state_of
from subjectline.handlers.understanding.targets import (
    Target,
    in_sentence,
    told_later,
)
from subjectline.handlers.understanding.values import pick, typed
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary


@dataclass(frozen=True, slots=True)
class Found:
    """What the message says about corrections."""

    wish: Wish | None
    certainty: str = "no"  # sure, likely, no
    why: str = ""


def corrections(
    sentences: Sequence[Sentence],
    seen: Sequence[Seen],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Found:
    """The corrections of a message as one wish; its `fields` are empty where none is named."""
    states = [state_of(s, j, h) for s, j, h in zip(sentences, seen, hits, strict=True)]
    targets = list(_targets(sentences, states, hits, words))
    certainty = _certainty(states, targets)
    if certainty == "no":
        return Found(None)
    targets = filled(_distinct(targets), sentences, hits, words)
    if not targets and any(s.wanted == "sure" for s in states):
        targets = labelled(sentences, hits, words)
    only_set = all(s.why == SET for s in states if s.wanted == "sure")
    if not targets and certainty == "sure" and only_set:
        return Found(None)
    if not targets and not any(s.about_data for s in states if s.wanted in ("sure", "likely")):
        return Found(None)
    if {s.why for s in states if s.wanted != "no"} <= {TOLD, PAIRED} and not any(
        t.new for t in targets
    ):
        return Found(None)
    both = any(t.new and t.old for t in targets)
    if (
        certainty == "likely"
        and both
        and all(s.why in (TOLD, PAIRED) for s in states if s.wanted == "likely")
    ):
        certainty = "sure"
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
        if state.why == PAIRED:
            yield from (replace(t, firm=True) for t in here if t.new and t.old)
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
    if i and hits[i - 1] and _size(sentences[i]) <= 60:
        before = list(in_sentence(i - 1, sentences[i - 1], hits[i - 1], words))
        if len({t.name for t in before}) == 1 and states[i - 1].wanted != "sure":
            frames: Any = frames_ko if sentences[i].korean else frames_en
            yield told_later(before[0], sentences[i], frames, words.shape(before[0].name))


def _size(sentence: Sentence) -> int:
    """Letters of a sentence, blanks aside."""
    return sum(len(c.tight or tight(c.text)) for c in sentence.clauses)


def _certainty(states: Sequence[State], targets: Sequence[Target]) -> str:
    """A change in life counts as a wish only with its field; otherwise the verb decides."""
    wanted = {s.wanted for s in states if (not s.news or targets) and s.why != PAIRED}
    if any(t.new and t.old for t in targets):
        wanted |= {s.wanted for s in states if s.why == PAIRED}
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


def _wish(targets: Sequence[Target]) -> Wish:
    new: Mapping[str, str] = {t.name: t.new for t in targets if t.new}
    old = {t.name: t.old for t in targets if t.old}
    return Wish("correction", tuple(dict.fromkeys(t.name for t in targets)), new, old)
