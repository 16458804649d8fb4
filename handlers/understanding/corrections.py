"""Corrections: which fields, from which old to which new value."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subjectline.handlers.understanding import frames_en, frames_ko
from subjectline.handlers.understanding import rights_en as en
from subjectline.handlers.understanding import rights_ko as ko
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.judge import Seen
from subjectline.handlers.understanding.model import Wish
from subjectline.handlers.understanding.values import TYPED, Value, pick, typed
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

_HITS = 40  # field words that are looked at in one message: bounds the work
_NEAR = 2  # sentences after a wish in which its value may stand
_LEAST = {"name": 40, "nick": 40, "handle": 60, "text": 80, "address": 160}


@dataclass(frozen=True, slots=True)
class Target:
    """One field of a correction. `firm`: the sentence says that this field is to change."""

    name: str
    sentence: int
    new: str = ""
    old: str = ""
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the message says about corrections."""

    wish: Wish | None
    certainty: str = "no"  # sure, likely, no
    why: str = ""


def corrections(sentences: Sequence[Sentence], seen: Sequence[Seen], words: Vocabulary) -> Found:
    """The corrections of a message as one wish; its `fields` are empty where none is named."""
    hits = _hits(sentences, words)
    states = [_state(s, j, h) for s, j, h in zip(sentences, seen, hits, strict=True)]
    targets = list(_targets(sentences, states, hits, words))
    certainty = _certainty(states, targets)
    if certainty == "no":
        return Found(None)
    targets = _filled(_distinct(targets), sentences, hits, words)
    if not targets and any(s.wanted == "sure" for s in states):
        targets = _labelled(sentences, hits, words)
    if not targets and not any(s.about_data for s in states if s.wanted in ("sure", "likely")):
        return Found(None)
    return Found(_wish(targets), certainty, next(s.why for s in states if s.wanted == certainty))


@dataclass(frozen=True, slots=True)
class _State:
    """A sentence as a wish to correct: how sure, and why."""

    wanted: str  # sure, likely, no
    why: str
    news: bool = False  # only tells of a change in the writer's life
    about_data: bool = False


_SAFE_WHY = {"how to", "possible"}


def _state(sentence: Sentence, seen: Seen, hits: Sequence[Hit]) -> _State:
    text = sentence.clauses and " ".join(c.text for c in sentence.clauses) or ""
    tight = "".join(c.tight for c in sentence.clauses)
    lexicon: Any = ko if sentence.korean else en
    subject = tight if sentence.korean else text
    data = bool(lexicon.DATA_WORD.search(subject))
    if sentence.korean and ko.OTHERS_DATA.search(tight):
        return _State("no", "somebody else's data")
    wrong, news = bool(lexicon.WRONG.search(subject)), bool(lexicon.NEWS.search(subject))
    asks_value = seen.change == "likely" and seen.why in _SAFE_WHY
    if seen.change == "sure" or (seen.change == "likely" and not asks_value and (wrong or news)):
        return _State("likely" if seen.blocked else "sure", seen.why, about_data=data)
    if seen.change == "likely":
        return _State("likely", seen.why, about_data=data)
    if (wrong or news) and (hits or data):
        return _stated(sentence, seen, subject, wrong, data)
    return _State("no", "")


_DONE = re.compile(r"이미|아까|방금|어제|지난|앱에서|직접|감사|고맙|주셔서|됐네|되었네|\balready\b|\bthank|\byesterday|\blast (?:week|month)")
_ASKING = re.compile(r"\?|나요$|까요$|는지$|는지(?:확인|알려|궁금)|왜|면(?:어떻게|어떡)|\bif\b|\bwhy\b|만약")


def _stated(sentence: Sentence, seen: Seen, subject: str, wrong: bool, data: bool) -> _State:
    """No verb of changing, but "it is wrong" or "I have moved"."""
    if _ASKING.search(subject):
        return _State("likely" if wrong and not re.search(r"면|\bif\b", subject) else "no", "question")
    if wrong:
        blocked = seen.blocked or bool(re.search(r"\b(?:login|log in|password)\b|로그인|인증|비밀번호", subject))
        return _State("likely" if blocked else "sure", "wrong value", about_data=data)
    if _DONE.search(subject) or seen.change == "no":
        return _State("no", "told")
    return _State("likely" if seen.blocked else "sure", "news", news=True, about_data=data)


def _hits(sentences: Sequence[Sentence], words: Vocabulary) -> list[list[Hit]]:
    left = _HITS
    found = []
    for sentence in sentences:
        hits = _spoken(sentence, words.find(sentence.text))[:left]
        left -= len(hits)
        found.append(hits)
    return found


_FIELD_AS_WAY = re.compile(r"^(?:으)?로\s?(?:보내|답|회신|연락|알려|문의|전송|받|요청|신청)|^\s?(?:드립|드려|드렸|주세|보내|보냈|받|왔|확인|답)")
_VALUE_PART = re.compile(r"[A-Za-z0-9._%+-]{0,40}@$")


def _spoken(sentence: Sentence, hits: Sequence[Hit]) -> list[Hit]:
    """Without the words that are a way to write ("메일 드립니다") or part of a mail address."""
    text = sentence.text
    return [
        hit
        for hit in hits
        if not _FIELD_AS_WAY.match(text[hit.end : hit.end + 12])
        and not _VALUE_PART.search(text[max(0, hit.start - 41) : hit.start])
        and not re.match(r"[\w.+-]*@", text[hit.end : hit.end + 40])
    ]


def _targets(
    sentences: Sequence[Sentence],
    states: Sequence[_State],
    hits: Sequence[Sequence[Hit]],
    words: Vocabulary,
) -> Iterator[Target]:
    for i, (sentence, state) in enumerate(zip(sentences, states, strict=True)):
        if state.wanted == "no":
            continue
        here = list(_in_sentence(i, sentence, hits[i], words))
        if not here and not state.about_data:
            here = list(_leaning(i, sentences, states, hits, words))
        firm = any(t.firm or t.new for t in here)
        yield from (t for t in here if t.firm or t.new or not firm)


def _in_sentence(
    i: int, sentence: Sentence, hits: Sequence[Hit], words: Vocabulary
) -> Iterator[Target]:
    after: Target | None = None
    for n in range(len(hits) - 1, -1, -1):
        end = hits[n + 1].start if n + 1 < len(hits) else len(sentence.text)
        begin = hits[n - 1].end if n else 0
        target = _target(i, sentence, hits[n], (begin, end), words)
        gap = sentence.text[hits[n].end : end]
        frames: Any = frames_ko if sentence.korean else frames_en
        if target and after and frames.JOIN.match(gap) and after.firm:
            target = replace(target, firm=True)
        after = target
        if target:
            yield target


def _target(
    i: int, sentence: Sentence, hit: Hit, span: tuple[int, int], words: Vocabulary
) -> Target | None:
    frames: Any = frames_ko if sentence.korean else frames_en
    before, rest = sentence.text[span[0] : hit.start], sentence.text[hit.end : span[1]]
    whole_rest = sentence.text[hit.end : hit.end + 320]
    if frames.KEEP.match(whole_rest):
        return None
    shape = words.shape(hit.name)
    if shape in TYPED:
        new, old = _typed(shape, sentence.text, hit, words)
    else:
        new, old = _free(frames, before, rest, whole_rest, shape)
    marked = bool(frames.NEW_MARK.search(before) and new)
    firm = marked or _is_object(sentence, frames, before, whole_rest, bool(new))
    if new and not firm and frames.IDENT.match(rest):
        return Target(hit.name, i, new, old)
    return Target(hit.name, i, new, old, firm or bool(old))


def _is_object(sentence: Sentence, frames: Any, before: str, rest: str, new: bool) -> bool:
    if sentence.korean:
        return bool(frames.OBJECT.match(rest)) or (new and bool(_RO_VERB.search(rest)))
    return bool(frames.OBJECT_BEFORE.search(before)) or bool(frames.OBJECT_AFTER.match(rest))


_RO_VERB = re.compile(r"(?:으로|로)\s*\S{0,3}\s*(?:변경|바꾸|바꿔|수정|정정|고쳐|업데이트|등록|해\s?주|해\s?줘|부탁|교체|옮겨)")


def _typed(shape: str, text: str, hit: Hit, words: Vocabulary) -> tuple[str, str]:
    values = typed(shape, text)
    if shape == "account":  # a phone number beside a bank account is no account
        phones = [(v.start, v.end) for v in typed("phone", text)]
        values = [v for v in values if not any(a <= v.start < b for a, b in phones)]
    if shape == "bank":
        values = [v for v in values if not hit.start <= v.start < hit.end]
    return pick(values)


def _free(frames: Any, before: str, rest: str, whole: str, shape: str) -> tuple[str, str]:
    """New and old value of a field without a form of its own."""
    text = rest if len(rest) > 3 else whole
    for pattern in frames.AFTER:
        match = pattern.match(text[:320])
        if match:
            groups = match.groupdict()
            new, old = (_trim(frames, groups.get(k) or "", shape) for k in ("new", "old"))
            if new or old:
                return new, old
    if frames.NEW_MARK.search(before) or frames.LABEL.match(rest):
        match = frames.STATED.match(text[:320])
        if match:
            return _trim(frames, match["new"], shape), ""
    match = frames.BEFORE.search(before)
    if match:
        groups = match.groupdict()
        return _trim(frames, groups.get("new") or groups.get("new2") or "", shape), ""
    return "", ""


def _trim(frames: Any, value: str, shape: str) -> str:
    value = frames.LEAD.sub("", value.strip(" \t\"',.:;!~()[]"))
    if frames is frames_en:
        value = frames_en.TAIL.sub("", value)
    value = value.strip(" \t\"',:;!~")
    if frames.NOT_A_VALUE.match(value) or len(value) > _LEAST.get(shape, 160):
        return ""
    if shape == "handle":
        return value if re.fullmatch(r"@?[\w.\-]{2,40}", value) else ""
    if shape in ("name", "nick") and re.search(r"[?]|요\s|습니다|\b(?:please|my|wrong|but)\b", value):
        return ""
    return value


def _leaning(
    i: int,
    sentences: Sequence[Sentence],
    states: Sequence[_State],
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
        before = list(_in_sentence(i - 1, sentences[i - 1], hits[i - 1], words))
        if len(before) == 1 and states[i - 1].wanted != "sure":
            frames: Any = frames_ko if sentences[i].korean else frames_en
            yield _told_later(before[0], sentences[i], frames, words.shape(before[0].name))


def _certainty(states: Sequence[_State], targets: Sequence[Target]) -> str:
    """A change in life counts as a wish only with its field; otherwise the verb decides."""
    wanted = {s.wanted for s in states if not s.news or targets}
    best = "sure" if "sure" in wanted else "likely" if "likely" in wanted else "no"
    if best == "likely" and any(t.new and t.firm for t in targets):
        asked = all(s.why in _SAFE_WHY for s in states if s.wanted == "likely")
        return "sure" if asked else best
    return best


def _distinct(targets: Sequence[Target]) -> list[Target]:
    """One target a field; the one with a new value wins, and firm ones drop the others."""
    best: dict[str, Target] = {}
    for target in targets:
        held = best.get(target.name)
        if held is None or (target.new and not held.new):
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
    lined = _lines(target, sentences, shape)
    if lined.new:
        return lined
    for i in near:
        frames: Any = frames_ko if sentences[i].korean else frames_en
        own = [hit for hit in hits[i] if hit.name == target.name]
        if own:
            found = _target(i, sentences[i], own[0], (0, len(sentences[i].text)), words)
            if found and found.new:
                return replace(target, new=found.new, old=target.old or found.old)
        elif i > target.sentence and len(targets) == 1 and not hits[i]:
            told = _told_later(target, sentences[i], frames, shape)
            if told.new:
                return told
    return target


def _told_later(target: Target, sentence: Sentence, frames: Any, shape: str) -> Target:
    for pattern in frames.NEXT:
        match = pattern.match(sentence.text[:320])
        if match:
            groups = match.groupdict()
            new = _trim(frames, groups.get("new") or "", shape)
            old = _trim(frames, groups.get("old") or "", shape)
            if new and (shape not in TYPED):
                return replace(target, new=new, old=target.old or old, firm=True)
    return target


def _lines(target: Target, sentences: Sequence[Sentence], shape: str) -> Target:
    """Lines of a form: "변경 전: …", "new: …"."""
    new = old = ""
    for sentence in sentences:
        for frames in (frames_ko, frames_en):
            before, after = frames.OLD_LINE.match(sentence.text), frames.NEW_LINE.match(sentence.text)
            old = _trim(frames, before["old"], shape) if before else old
            new = _trim(frames, after["new"], shape) if after and not before else new
    return replace(target, new=new, old=target.old or old) if new else target


def _labelled(
    sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]], words: Vocabulary
) -> list[Target]:
    """ "회원정보 수정 부탁드립니다" and below it lines with labels: what they name is to change."""
    found = []
    for i, sentence in enumerate(sentences):
        if len(hits[i]) != 1 or not re.match(r"\s*[:=]", sentence.text[hits[i][0].end :]):
            continue
        target = _target(i, sentence, hits[i][0], (0, len(sentence.text)), words)
        if target and target.new:
            found.append(target)
    names = {t.name for t in found}
    # A name and a phone number under a mail say who writes.
    return found if found and not names <= {"name", "phone", "email"} or len(found) == 1 else []


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
    return [*rest, Target(bank, account.sentence, _value(values[-1]), firm=True)]


def _value(value: Value) -> str:
    return value.text


def _wish(targets: Sequence[Target]) -> Wish:
    new: Mapping[str, str] = {t.name: t.new for t in targets if t.new}
    old = {t.name: t.old for t in targets if t.old}
    return Wish("correction", tuple(dict.fromkeys(t.name for t in targets)), new, old)
