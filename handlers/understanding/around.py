"""Values that stand in the sentences around a wish to correct."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from subjectline.handlers.understanding import frames_en, frames_ko
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.targets import Target, cued, target_of, told_later, trim
from subjectline.handlers.understanding.values import TYPED, pick, typed
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

_NEAR = 2  # sentences after a wish in which its value may stand
_LABEL = re.compile(r"\s*(?:번호|명)?\s*[:=]")
_ORDER = re.compile(
    r"\b(?:change|correct|update|fix|amend|set|switch|make) (?:it|this|that)(?: back)? (?:to|as|into)\b"
    r"|(?:으로|로)\s?(?:좀\s?|다시\s?)?(?:바꿔|고쳐|수정|변경|정정|해)\s?[주줘부]",
    re.IGNORECASE,
)
_HOLDER = re.compile(
    r"\s*(?:명|이름|은|는|is|name)?\s*:?\s*(?P<new>[가-힣]{2,5}?|[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){0,3}?)"
    r"\s*(?:[.,)/]|$|입니다|이에요|예요|으로|로|이고|임)"
)
_WHO_WRITES = {"name", "phone", "email"}


def filled(
    targets: list[Target],
    sentences: Sequence[Sentence],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> list[Target]:
    """Targets with the values that the sentences around them tell, and their companions."""
    found = [
        _paired(target, sentences, hits, words)
        if target.new
        else _around(target, targets, sentences, hits, words)
        for target in targets
    ]
    return _companions(_bank(found, sentences, words), sentences, hits, words)


def _paired(
    target: Target, sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], words: Vocabulary
) -> Target:
    """ "It shows as A. That should be B.": what seemed the value was the old one; or the other way."""
    shape, i = words.shape(target.name), target.sentence
    ordered = _ordered(target, sentences, hits, shape)
    if ordered:
        return replace(target, new=ordered)
    if target.old:
        return target
    if shape not in TYPED:
        return _old_after(target, sentences, hits, shape)
    roles = {v.text: v.role for v in typed(shape, sentences[i].text)}
    after = typed(shape, sentences[i + 1].text) if i + 1 < len(sentences) else []
    other = any(h.name != target.name and words.shape(h.name) == shape for h in hits[i])
    better = [v.text for v in after if v.role == "new" and v.text != target.new]
    if better and not other and roles.get(target.new) != "new":
        return replace(target, new=better[-1], old=target.new, firm=True)
    beside = [*(typed(shape, sentences[i - 1].text) if i else []), *after]
    old = [v.text for v in beside if v.role == "old" and v.text != target.new]
    return replace(target, old=old[0]) if old and not other else target


def _ordered(
    target: Target, sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], shape: str
) -> str:
    """ "… Please correct it to B.": an order behind it outweighs what the sentence itself tells."""
    i = target.sentence + 1
    if shape in TYPED or i >= len(sentences) or hits[i] or not _ORDER.search(sentences[i].text):
        return ""
    new, old = cued(sentences[i], shape)
    return new if new != target.old and old != target.new else ""


def _old_after(
    target: Target, sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], shape: str
) -> Target:
    """ "It should read B. At the moment it says A." """
    i = target.sentence + 1
    if i >= len(sentences) or hits[i]:
        return target
    new, old = cued(sentences[i], shape)
    return replace(target, old=old) if old and not new and old != target.new else target


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
    if place and trim(frames_ko, place["new"], shape):
        return replace(target, new=trim(frames_ko, place["new"], shape))
    if i < target.sentence and only and not hits:
        new, old = cued(sentence, shape)
        return replace(target, new=new, old=old) if new and old else target
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


def labelled(
    sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], words: Vocabulary
) -> list[Target]:
    """ "회원정보 수정 부탁드립니다" and below it lines with labels: what they name is to change."""
    found = [
        target
        for i, sentence in enumerate(sentences)
        for target in _with_labels(i, sentence, hits[i], words)
    ]
    names = {t.name for t in found}
    # A name and a phone number under a mail say who writes.
    if not found:
        found = list(_typed_near(sentences, hits, words))
        names = {t.name for t in found}
    signed = names <= _WHO_WRITES and "name" in names
    return found if not signed or len(found) == 1 else []


def _typed_near(
    sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], words: Vocabulary
) -> Iterator[Target]:
    """ "My number is gone. Write to 010-… from now on. Please update my details." """
    for i in range(len(sentences)):
        for hit in hits[i][:1]:
            shape = words.shape(hit.name)
            near = sentences[i : i + 2] if shape in ("phone", "email") else []
            values = [v for one in near for v in typed(shape, one.text)]
            new, old = pick(values)
            if new:
                yield Target(hit.name, i, new, old, firm=True)
                return


def _with_labels(
    i: int, sentence: Sentence, hits: Sequence[Hit], words: Vocabulary
) -> Iterator[Target]:
    for n, hit in enumerate(hits):
        if not _LABEL.match(sentence.text[hit.end :]):
            continue
        end = hits[n + 1].start if n + 1 < len(hits) else len(sentence.text)
        begin = hits[n - 1].end if n else 0
        target = target_of(i, sentence, hit, (begin, end), words)
        if target and target.new:
            yield replace(target, firm=True)


def _companions(
    targets: list[Target],
    sentences: Sequence[Sentence],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> list[Target]:
    """Bank, account number and holder change together: those told beside one that is to change."""
    family = _bank_family(words)
    mine = [t for t in targets if t.name in family]
    if not mine:
        return targets
    held = {t.name for t in targets if t.new}
    at = min(t.sentence for t in mine)
    found: dict[str, Target] = {}
    for i in range(max(0, at - 1), min(len(sentences), at + 4)):
        for target in _told(i, sentences[i], hits[i], words):
            if target.name in family and target.name not in held:
                found.setdefault(target.name, target)
    rest = [t for t in targets if t.name not in found]
    return [*rest, *found.values()]


def _told(i: int, sentence: Sentence, hits: Sequence[Hit], words: Vocabulary) -> Iterator[Target]:
    for n, hit in enumerate(hits):
        end = hits[n + 1].start if n + 1 < len(hits) else len(sentence.text)
        target = target_of(i, sentence, hit, (hits[n - 1].end if n else 0, end), words)
        holder = _HOLDER.match(sentence.text, hit.end)
        kept = frames_ko.KEEP.match(sentence.text[hit.end :])
        if holder and not kept and words.shape(hit.name) == "name":
            yield Target(hit.name, i, holder["new"].rstrip("."), firm=True)
            continue
        plain = words.shape(hit.name) in TYPED or _LABEL.match(sentence.text[hit.end :])
        if target and target.new and not target.old and plain:
            yield target


def _bank_family(words: Vocabulary) -> set[str]:
    holder = re.compile(r"holder|예금주|계좌주")
    return {
        name
        for name, own in words.fields.items()
        if words.shape(name) in ("bank", "account") or holder.search(f"{name} {' '.join(own)}")
    }


def _bank(targets: list[Target], sentences: Sequence[Sentence], words: Vocabulary) -> list[Target]:
    """ "계좌를 ○○은행 123-…으로": bank and number in the same breath are both to change."""
    for one, other in (("account", "bank"), ("bank", "account")):
        given = next((t for t in targets if words.shape(t.name) == one and t.new), None)
        name = next((n for n in words.fields if words.shape(n) == other), "")
        if given and name and not any(t.name == name and t.new for t in targets):
            value = _next_to(given.new, other, sentences)
            if value:
                rest = [t for t in targets if t.name != name]
                return [*rest, Target(name, given.sentence, value, firm=True)]
    return targets


def _next_to(known: str, shape: str, sentences: Sequence[Sentence]) -> str:
    """The value of a shape that stands within a few letters of another."""
    text = next((s.text for s in sentences if known in s.text), "")
    at = text.find(known)
    for value in typed(shape, text):
        before, after = at - value.end, value.start - (at + len(known))
        if value.text not in known and (0 <= before <= 12 or 0 <= after <= 20):
            return value.text
    return ""
