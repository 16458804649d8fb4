# ruff: noqa: E501 (patterns are data: one broken over lines is harder to read)
"""Rights over single fields: "what address do you have for me?", "delete my phone number"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from subjectline.handlers.understanding import rights_en as en
from subjectline.handlers.understanding import rights_ko as ko
from subjectline.handlers.understanding.clauses import Clause, Sentence
from subjectline.handlers.understanding.judge import Seen, by_mood, en_weigh, ko_mood, tail_of
from subjectline.handlers.understanding.model import Sign
from subjectline.handlers.understanding.vocabulary import Vocabulary

_MARK = "\u25c6"
_KO_DELETE = re.compile(
    rf"{_MARK}(?:을|를|좀|도|은|는|만|정보)*(?:(?:전부|완전히|그냥|싹|모두|다)*)(?:삭제|지워|지우|없애|파기|폐기|제거)"
)
_KO_SEE = re.compile(
    rf"(?:등록|저장|보관|기재|가지고|갖고|현재|제|내)[가-힣]{{0,6}}{_MARK}.{{0,14}}(?:알려|보여|확인하고싶|확인할수|확인해|뭔지|뭐예요|뭐에요|뭐로|무엇|어떻게(?:등록|되어|저장))|{_MARK}.{{0,6}}(?:뭐로|무엇으로|어떻게|뭘로)(?:등록|저장|되어|돼|적혀|기재)"
)
_KO_OUT = re.compile(
    r"변경|바꾸|바꿔|수정|정정|고쳐|틀리|틀렸|방법|광고|마케팅|(?:되|됐|했|반영)(?:는지|었는지)확인"
)
_EN_DELETE = re.compile(
    rf"\b(?:delete|erase|remove|wipe|get rid of)\b (?:.{{0,15}}\b(?:my|the)\b.{{0,12}})?{_MARK}"
)
_EN_SEE = re.compile(
    rf"\b(?:what|which)\b.{{0,20}}{_MARK}.{{0,25}}\b(?:have|hold|on file|registered|stored|keep|on record)\b|\b(?:what|which)\b.{{0,12}}\bmy (?:registered|current|stored) {_MARK}|\b(?:tell|show|send)\b.{{0,12}}\b(?:what|which|the|my)\b.{{0,12}}{_MARK}.{{0,20}}\b(?:you have|you hold|on file|registered|stored|on record)"
)
_EN_OUT = re.compile(
    rf"{en.CHANGE.pattern}|\bmailing list|\bmarketing|\bnewsletter|\bfrom (?:the|your) \w* ?list"
)


def field_signs(
    sentences: Sequence[Sentence], seen: Sequence[Seen], words: Vocabulary
) -> Iterator[Sign]:
    for sentence, judged in zip(sentences, seen, strict=True):
        for clause in sentence.clauses:
            for sign in _in_clause(sentence.korean, clause, words):
                blocked = judged.blocked and sign.certainty == "sure"
                yield replace(sign, certainty="likely") if blocked else sign


def _in_clause(korean: bool, clause: Clause, words: Vocabulary) -> Iterator[Sign]:
    text = clause.tight if korean else clause.text
    hits = words.find(text)
    out = _KO_OUT if korean else _EN_OUT
    if not hits or out.search(text):
        return
    names = tuple(dict.fromkeys(hit.name for hit in hits))
    for hit in reversed(hits):
        text = text[: hit.start] + _MARK + text[hit.end :]
    yield from _korean(text, names) if korean else _english(text, names)


def _korean(text: str, names: tuple[str, ...]) -> Iterator[Sign]:
    for kind, pattern, possible in (("erasure", _KO_DELETE, False), ("access", _KO_SEE, True)):
        match = pattern.search(text)
        if match is None:
            continue
        tail = tail_of(text[match.end() :])
        if tail:
            yield Sign(kind, "likely" if tail in ko.SOFT_TAILS else "no", tail, names)
        else:
            yield Sign(kind, *by_mood(ko_mood(text), possible), names)


def _english(text: str, names: tuple[str, ...]) -> Iterator[Sign]:
    how = bool(en.HOWTO.search(text))
    for kind, pattern, possible in (("erasure", _EN_DELETE, False), ("access", _EN_SEE, True)):
        match = pattern.search(text)
        if match:
            yield Sign(kind, *en_weigh(text, match, False, possible, how), names)
