"""Which field a sentence talks about, and from which old to which new value."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subjectline.handlers.understanding import cues, frames_en, frames_ko
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.sieve import HANGUL, LATIN
from subjectline.handlers.understanding.values import TYPED, pick, typed
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

_ON_MY = re.compile(
    r"\s(?:on|of|for|in|with|at|attached to|linked to) (?:my|the|this|our)\s?", re.IGNORECASE
)
_IMPLIED = {
    True: (
        (
            "gender",
            re.compile(
                r"(?P<at>)(?<![가-힣])(?:남|여)(?:자|성)(?:으)?(?:로|라고"
                r"|이라고)\s?(?:잘못\s?)?(?:되어|돼|등록|나와|나오|나옵|표시"
                r"|뜨|뜹|저장|적혀)"
            ),
        ),
        (
            "address",
            re.compile(
                rf"(?:^|[\s,])(?P<at>)(?:{frames_ko.REGIONS})[가-힣]*\s[^\n]{{4,80}}?(?:으로|로)\s?(?:보내"
                r"|배송|부쳐|받을게|받고|받겠|주문한)"
            ),
        ),
    ),
    False: (
        (
            "gender",
            re.compile(
                r"\b(?:me|i'?m|i am|i was|i'?d|i want|i would|profile|it|account"
                r"|records?)\b.{0,30}\b(?:as|says"
                r"|shows)(?: an?| i'm| i am)?(?P<at>) (?:male|female|man|woman)\b",
                re.IGNORECASE,
            ),
        ),
        (
            "address",
            re.compile(
                r"\b(?:moved|relocated|moving)(?: house| home)?(?P<at>) to (?=\d|(?:flat|apt"
                r"|apartment|unit|room|suite)\b)",
                re.IGNORECASE,
            ),
        ),
        (
            "address",
            re.compile(
                r"\bnew (?:place|home|house|flat|apartment|apt)(?P<at>) (?:is|:)", re.IGNORECASE
            ),
        ),
        (
            "address",
            re.compile(
                r"\b(?:i'?m|i am|we'?re|we are|i|we) (?:now |currently )?(?:living|live|reside|residing"
                r"|staying)(?: now)?(?P<at>) (?:at|in)\b",
                re.IGNORECASE,
            ),
        ),
        ("date", re.compile(r"\b(?:i was|i'?m|me|was) (?P<at>)born (?:in|on)\b", re.IGNORECASE)),
        (
            "account",
            re.compile(
                r"\b(?:payouts?|earnings|settlements?|money|payments?|pay me)\b[^.]{0,30}\b(?:to"
                r"|into)\b[^.]{0,25}?(?P<at>)\b(?:account|bank)\b",
                re.IGNORECASE,
            ),
        ),
        (
            "address",
            re.compile(
                r"\b(?:parcels?|packages?|deliver(?:y|ies)|orders?|mail|post|things|stuff"
                r"|shipments?|everything|prints?|albums?)\b[^.]{0,30}"
                r"\b(?:go|be sent|be delivered|be shipped|come|sent|delivered|shipped"
                r"|reach me)(?: out)?(?P<at>) (?:to|at)\b(?! (?:me|you|us|my)\b)"
                r"|\b(?:send|ship|deliver)\b (?:\w+ ){0,4}(?:parcels?|packages?|orders?|deliveries"
                r"|mail|post|things|stuff|everything|prints?)"
                r"(?: from now on)?(?P<at2>) to (?!me\b|my\b|you\b)",
                re.IGNORECASE,
            ),
        ),
    ),
}
_IMPLYING = {
    korean: tuple(((HANGUL if korean else LATIN).add(one), shape, one) for shape, one in rows)
    for korean, rows in _IMPLIED.items()
}
_HOLDER = re.compile(r"holder|owner")
_HITS = 40  # field words that are looked at in one message: bounds the work
_LEAST = {"name": 40, "nick": 40, "handle": 60, "text": 80, "address": 160}
_FIELD_AS_WAY = re.compile(
    r"^(?:으)?로\s?(?:해|부탁|하|좀|보내|답|회신|연락|알려|문의|전송|받|요청|신청)|^\s?(?:드립"
    r"|드려|드렸|주세|보내|보냈|받|왔|확인|답)"
)
_NOT_MINE = re.compile(
    r"\b(?:your|his|her|their|our|its|seller'?s|company'?s)\s(?:\w+\s)?$|(?:귀사|회사|고객센터"
    r"|매장|사무실|본사|그쪽"
    r"|업체|판매자|담당자)(?:의)?\s?(?:대표)?\s?$",
    re.IGNORECASE,
)
# "address search", "name of my album": the word is not the member's field.
_NOT_FIELD = re.compile(
    r"^\s?(?:검색|인증|라벨|필터|중복|공유|로그인|점검|찾기|별로|별\s|순서|순으로|노출|표기법"
    r"|추천\s?(?:좀|해))"
    r"|^\s(?:labels?|bar|filter|search|verification|picture|photo|code|sharing|login|button|lookup"
    r"|format|tags?|plates?)\b"
    r"|^ of (?:my|the|this|that|an?|our) (?:\w+ )?(?:albums?|photos?|pictures?|folders?|files?"
    r"|collections?|videos?|listing|shop|store|company"
    r"|product|posts?|gallery|series|book|order|people|person|model|song|event)\b",
    re.IGNORECASE,
)
_OF_THING = re.compile(
    r"(?:앨범|사진첩|폴더|작품|파일|상품|컬렉션|게시물|영상|주문자|입금자|받는\s?사람|수령인"
    r"|수신인|포토북|사진|모델|매장|가게|상점|전시)(?:의)?\s?$"
    r"|\b(?:album|folder|file|product|shop|store|photo|video|collection|gallery|model|recipient'?s?"
    r"|someone else'?s|people'?s)\s$",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"@?[A-Za-z0-9_.\-]{2,40}")
_VALUE_PART = re.compile(r"[A-Za-z0-9._%+-]{0,40}@$")
_RO_VERB = re.compile(
    r"(?:으로|로)\s*\S{0,3}\s*(?:변경|바꾸|바꿔|수정|정정|고쳐|업데이트|등록|해\s?주|해\s?줘|부탁"
    r"|교체|옮겨|넣어|정정)|(?:으로|로)요[.!~]*\s*$"
)


@dataclass(frozen=True, slots=True)
class Target:
    """One field of a correction. `firm`: the sentence says that this field is to change."""

    name: str
    sentence: int
    new: str = ""
    old: str = ""
    firm: bool = False
    weight: int = 0  # a verb of changing outweighs a tale of moving house


def hits_in(
    sentences: Sequence[Sentence], words: Vocabulary, known: dict[Sentence, list[Hit]]
) -> list[list[Hit]]:
    """The fields named in each sentence; `known` keeps those of a sentence that comes again."""
    left = _HITS
    found = []
    for sentence in sentences:
        own = known.get(sentence)
        if own is None:
            own = known[sentence] = _spoken(sentence, words.find(sentence.text))
        hits = own[:left]
        hits = _qualified(sentence.text, hits, words) or implied(sentence, words)
        left -= len(hits)
        found.append(hits)
    return found


def _qualified(text: str, hits: Sequence[Hit], words: Vocabulary) -> list[Hit]:
    """ "The holder on my account": the second field only says which holder."""
    kept: list[Hit] = []
    for n, hit in enumerate(hits):
        if not n or not _ON_MY.fullmatch(text, hits[n - 1].end, hit.start):
            kept.append(hit)
    return _of_account(text, kept, words)


def _of_account(text: str, hits: list[Hit], words: Vocabulary) -> list[Hit]:
    """Behind a bank or an account holder, "number" and "name" are the account's."""
    found: list[Hit] = []
    for hit in hits:
        shapes = {words.shape(held.name) for held in found}
        word = text[hit.start : hit.end].lower()
        if word == "번호" and _is_its_number(text, found, hit, words):
            found[-1] = replace(found[-1], end=hit.end)
            continue
        if word == "번호" and "bank" in shapes:
            account = next((n for n in words.fields if words.shape(n) == "account"), hit.name)
            hit = replace(hit, name=account)
        named = word in ("이름", "name") and any(_HOLDER.search(held.name) for held in found)
        if not named:
            found.append(hit)
    return found


def _is_its_number(text: str, found: Sequence[Hit], hit: Hit, words: Vocabulary) -> bool:
    """ "정산 계좌번호": the word stands right behind the account it belongs to."""
    if not found or words.shape(found[-1].name) != "account":
        return False
    return not text[found[-1].end : hit.start].strip()


def implied(sentence: Sentence, words: Vocabulary) -> list[Hit]:
    """Fields that a sentence is about without naming them: "I'm down as male", "send parcels to …"."""
    may = sentence.may_as_written
    for bit, shape, pattern in _IMPLYING[sentence.korean]:
        match = pattern.search(sentence.text[:400]) if may & bit else None
        name = next((n for n in words.fields if words.shape(n) == shape), "") if match else ""
        if match and name:
            at = max(match.end(group) for group in match.groupdict())
            return [Hit(name, at, at)]
    return []


def _spoken(sentence: Sentence, hits: Sequence[Hit]) -> list[Hit]:
    """Without the words that are a way to write ("메일 드립니다") or part of a mail address."""
    text = sentence.text
    return [
        hit
        for hit in hits
        if not _FIELD_AS_WAY.match(text[hit.end : hit.end + 12])
        and not _VALUE_PART.search(text[max(0, hit.start - 41) : hit.start])
        and not _NOT_FIELD.match(text[hit.end : hit.end + 40])
        and not _OF_THING.search(text[max(0, hit.start - 24) : hit.start])
        and not _NOT_MINE.search(text[max(0, hit.start - 24) : hit.start])
        and not re.match(r"[\w.+-]*@", text[hit.end : hit.end + 40])
    ]


def in_sentence(
    i: int, sentence: Sentence, hits: Sequence[Hit], words: Vocabulary
) -> Iterator[Target]:
    after: Target | None = None
    for n in range(len(hits) - 1, -1, -1):
        end = hits[n + 1].start if n + 1 < len(hits) else len(sentence.text)
        begin = hits[n - 1].end if n else 0
        target = target_of(i, sentence, hits[n], (begin, end), words)
        gap = sentence.text[hits[n].end : end]
        frames: Any = frames_ko if sentence.korean else frames_en
        if target and after and frames.JOIN.match(gap) and after.firm:
            target = replace(target, firm=True)
        after = target
        if target:
            yield target


def target_of(
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
    if new and not old and frames.OLD_MARK.search(before) and frames.LABEL.match(rest):
        new, old = "", new.split(" / ")[0]
    marked = bool(frames.NEW_MARK.search(before) and new)
    firm = marked or _is_object(sentence, frames, before, whole_rest, bool(new))
    if new and not old and not firm and frames.IDENT.match(rest):
        return Target(hit.name, i, new, old)
    return Target(hit.name, i, new, old, firm or bool(old))


def _is_object(sentence: Sentence, frames: Any, before: str, rest: str, new: bool) -> bool:
    if sentence.korean:
        return bool(frames.OBJECT.match(rest)) or (new and bool(_RO_VERB.search(rest)))
    return bool(frames.OBJECT_BEFORE.search(before)) or bool(frames.OBJECT_AFTER.match(rest))


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
    cued = _cued(frames, before, text[:320], shape)
    framed = _framed(frames, before, rest, text, shape)
    if not framed[0] and not cued[0]:
        return "", framed[1] or cued[1]
    if not cued[0] or (framed[0] == cued[0] and framed[1] and not cued[1]):
        return framed
    return cued


def _framed(frames: Any, before: str, rest: str, text: str, shape: str) -> tuple[str, str]:
    """By the shape of the whole sentence."""
    for pattern in frames.AFTER:
        match = pattern.match(text[:320])
        if match:
            groups = match.groupdict()
            new, old = (trim(frames, groups.get(k) or "", shape) for k in ("new", "old"))
            if new or old:
                return new, old
    if frames.NEW_MARK.search(before) or frames.LABEL.match(rest):
        match = frames.STATED.match(text[:320])
        if match:
            return trim(frames, match["new"], shape), ""
    match = frames.BEFORE.search(before)
    if match:
        groups = match.groupdict()
        return trim(frames, groups.get("new") or groups.get("new2") or "", shape), ""
    return "", ""


def _cued(frames: Any, before: str, text: str, shape: str, whole: bool = False) -> tuple[str, str]:
    """By the words that stand beside a value and say what it is; the first of each kind."""
    korean = frames is frames_ko
    best = {"new": "", "old": ""}
    for role, value in cues.korean(text) if korean else cues.english(text, before, whole):
        best[role] = best[role] or trim(frames, value, shape)
    return best["new"], best["old"] if best["old"] != best["new"] else ""


def trim(frames: Any, value: str, shape: str) -> str:
    value = frames.BEFORE_VALUE.sub("", value.strip(" \t\"',.:;!~()[]"))
    value = frames.LEAD.sub("", value.strip(" \t\"',"))
    value = frames.TAIL.sub("", value)
    value = value.strip(" \t\"',:;!~")
    if shape == "handle":
        return _handle(value)
    if frames.NOT_A_VALUE.match(value) or len(value) > _LEAST.get(shape, 160):
        return ""
    if shape in ("name", "nick") and re.search(
        r"[?]|요\s|습니다|\b(?:please|my|wrong|but)\b", value
    ):
        return ""
    return value


def _handle(value: str) -> str:
    """The word of a value that can be an identifier of a network."""
    words = [word.rstrip(".") for word in value.split()]
    fit = [word for word in words if _HANDLE.fullmatch(word)]
    marked = [word for word in fit if re.search(r"[0-9._@\-]", word)]
    if marked:
        return marked[-1]
    return fit[0] if len(words) == 1 and fit else ""


def cued(sentence: Sentence, shape: str) -> tuple[str, str]:
    """New and old value of a sentence that names no field."""
    frames: Any = frames_ko if sentence.korean else frames_en
    return _cued(frames, "", " " + sentence.text[:320], shape, whole=True)


def told_later(target: Target, sentence: Sentence, frames: Any, shape: str) -> Target:
    """A target with the value that a sentence without a field's word tells."""
    if shape not in TYPED:
        new, old = _cued(frames, "", " " + sentence.text[:320], shape, whole=True)
        if new:
            return replace(target, new=new, old=target.old or old, firm=True)
    for pattern in frames.NEXT:
        match = pattern.match(sentence.text[:320])
        if match:
            groups = match.groupdict()
            new = trim(frames, groups.get("new") or "", shape)
            old = trim(frames, groups.get("old") or "", shape)
            if new and (shape not in TYPED):
                return replace(target, new=new, old=target.old or old, firm=True)
    return target
