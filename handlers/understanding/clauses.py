"""Cleans a text and cuts it into sentences and clauses; linear in the length of the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from subjectline.handlers.understanding.asks_en import in_order
from subjectline.handlers.understanding.language import language_of
from subjectline.handlers.understanding.sieve import EVERY, HANGUL, LATIN, folded

CAP = 20_000  # characters that are read
_LINE = 2_000  # no clause is longer: bounds every pattern

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u3000\u2002\u2003\u2009\t"), " ")
_GONE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u2060\u00ad"))
_QUOTES = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x300C: '"', 0x300D: '"'}
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_TABLE = _FULL_WIDTH | _SPACES | _GONE | _QUOTES | _DASHES | {ord("\u2192"): "\u2192"}

# Same-length repairs of spellings that chats are full of, so that positions stay.
_TYPOS = {
    "새요": "세요", "세여": "세요", "세용": "세요", "쎄요": "세요", "셰요": "세요", "셔요": "세요",
    "해쥬": "해주", "헤주": "해주", "헤줘": "해줘", "바까": "바꿔", "바꺼": "바꿔", "바꽈": "바꿔",
    "바꼈": "바뀌", "바꼇": "바뀌", "고처": "고쳐", "번경": "변경", "벼경": "변경", "탈퇘": "탈퇴",
    "탈퉤": "탈퇴", "탈태": "탈퇴", "탈뢰": "탈퇴", "삭재": "삭제", "어여": "어요", "싶다": "싶다",
    "해여": "해요", "돼여": "돼요", "줘여": "줘요", "니당": "니다", "림니": "립니", "함니": "합니",
    "싶슴": "싶습", "해줭": "해줘", "줴요": "줘요", "나여": "나요", "까여": "까요", "게여": "게요",
    "동이철": "동의철", "수신거브": "수신거부", "마켓팅": "마케팅", "마캐팅": "마케팅", "열랍": "열람",
    "께요": "게요", "먄": "면", "데이타": "데이터", "옴겨": "옮겨", "옴기": "옮기", "있나여": "있나요",
    "업뎃": "변경",
    "업댓": "변경", "께여": "게요", "할께": "할게", "됬": "됐", "바꿀께": "바꿀게",
    "니댜": "니다", "슴니다": "습니다", "주셈": "주세", "해죠": "해줘", "줘영": "줘요", "세염": "세요",
    "줘용": "줘요", "가능한가여": "가능한가요", "되여": "돼요", "실어여": "싫어요", "시러요": "싫어요",
    "시러여": "싫어요", "시름": "싫음", "시퍼": "싶어", "시포": "싶어", "시픈": "싶은", "실어요": "싫어요",
}  # fmt: skip
# What mail programs put below a letter.
_SIGNATURE = re.compile(
    r"^[ ]*(?:sent from (?:my )?\w.*|get outlook for .*|(?:나의|내) \w+에서 (?:보냄|보낸.*))$",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE_WORDS = ("sent from ", "get outlook for ", "에서 보")
_TYPO = re.compile("|".join(map(re.escape, _TYPOS)))

_NOISE = re.compile(
    r"https?://\S+"
    r"|^[ ]*>.*$"
    r"|\(광고\)|무료\s?수신\s?거부\s?[\d-]*"
    r"|^\s*to unsubscribe[^.\n]{0,80}|(?:if you (?:no longer )?wish to (?:unsubscribe|receive))[^.\n]{0,80}"
    r"|\bunsubscribe (?:here|link)\b",
    re.MULTILINE | re.IGNORECASE,
)
# One of these stands wherever there is noise.
_NOISE_WORDS = ("http", ">", "(광고)", "무료", "unsubscribe", "wish to ")
# Words of somebody else: a quotation that is a sentence, or that a verb of saying follows.
_QUOTED = re.compile(r'"([^"\n]{2,200})"|(?<![\w])\'([^\'\n]{4,200})\'(?![A-Za-z])', re.IGNORECASE)
_SAID_AFTER = re.compile(
    r"\s?(?:(?:이?라고|이?라는|이?란|하고|라며|라던|라네)|메뉴|버튼|탭|화면|링크|페이지|기능"
    r"|(?:button|menu|tab|page|link|option"
    r"|setting)\b)(?!\s?(?:바꿔|변경|수정|고쳐|등록|정정|해\s?주|되|돼))"
)
_SAID_BEFORE = re.compile(
    r"(?:said|says|saying|told\s\w+|wrote|writes|reads|asks?|asked|that says|called|titled|message|"
    r"email|mail|sentence|button|link|subject)[\s,:]{1,3}$",
    re.IGNORECASE,
)
_SENTENCE_LIKE = re.compile(
    r"(?:요|니다|줘|죠|까|[.!?])\s*$|\b(?:please|i want|i would|i'd|my)\b", re.IGNORECASE
)

# The first letter tells which way it is, so that `re` skips to such letters.
_MARKS = r".!?\u3002~\u2026ㅠㅜㅋㅎ;\"')"
_BREAKS = (
    r"\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # \s but the space
)
_SENTENCE_END = re.compile(
    rf"[{_MARKS}{_BREAKS}주니해바고부싶까요](?:"
    r"(?<=[.!?\u3002])(?P<dot>[.!?\u3002]*[\"')]*(?=\s|$|[가-힣]))"
    r"|(?<=\n)(?P<line>\s*)"
    r"|(?P<mark>(?:(?<=[~\u2026ㅠㅜㅋㅎ])[~\u2026ㅠㅜㅋㅎ]*|(?<=;);+|(?<=[가-힣];))\s+)"
    r"|(?:(?<=[가-힣]주)(?:세요|십시오)|(?<=[가-힣]니)다|(?<=[가-힣]해)\s?줘|(?<=[가-힣]바)(?:꿔줘|람)"
    r"|(?<=[가-힣]고)쳐줘|(?<=[가-힣]부)탁드림|(?<=[가-힣]싶)음|(?<=[가-힣]까)"
    rf"|(?<=[가-힣][{_MARKS}{_BREAKS}])요|(?<=[가-힣][^필중주소수개\s{_MARKS}]요))"
    r"(?P<run>\s+)(?![가-힣]{0,3}싶))"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:St|Rd|Ave|Apt|Blvd|Dr|Mr|Mrs|Ms|No|Bldg|Fl|Ste|Ln|e\.g|i\.e|etc|vs|[A-Z])\.$"
)
# "1) … 2) …" in one line: each point is a sentence.
_NUMBERED = re.compile(r"(?:^|\s)1[.)]\s?[^\n]{2,400}\s2[.)]\s?\S")
_POINT = re.compile(r"(?<=\S)[ ](?=[1-9][.)]\s?[^\d\s])")
_WRAPPED_LATIN, _WRAPPED_HANGUL = 60, 36

_KO_CLAUSE = re.compile(
    r"(?:(?<![광신참최재사보권원창중갖다라자냐말려])고(?!\s?(?:싶|있|계|나서|나면|자|요|객|\S?쳐"
    r"|\S?치|지\s)))[,\s]+"
    r"|(?:며|(?<![는은인])지만|거지|(?:은|는|한|인|던|운)데|니까|구요|고요|거든요|하므로|므로)(?:요)?[,\s]+"
    r"|(?:아|어|여|해|라|워|와|려)서[,\s]+"
    r"|(?:^|\s)(?:그리고|또한|그런데|근데|하지만|다만|아울러|그러나)[,\s]+|^\s*대신에?[,\s]+"
    r"|(?<=[다요]),\s+|(?:삭제|변경|수정|철회|해지|탈퇴|거부|취소|정지|중지|정정),\s+"
)
_EN_MARK = (
    r"\s*[;:]\s+|\s+-\s+|,\s+(?=(?:and|just|please|pls|so|then|also|i|i'd|i'm|can|could|would|my|you"
    r"|it|only|instead|what|how|do|stop|that|which)\b)"
)
_EN_WORD = (
    r",?\s+but\s+|\s+and\s+(?=(?:please|also|then|i|i'd|you"
    r"|stop|can|could|how|what|my(?=[^,;]{0,40}\b(?:is|are|was|has|have|should|to|needs?"
    r"|isn'?t)\b))\b)"
    r"|\s+(?=(?:because|since|although|though|however|while|until|till)\b)"
    r"|(?P<verb>,?\s+(?:and\s+|then\s+|&\s+|plus\s+){1,3}|,\s+)(?=(?:delete|erase|remove|wipe|drop"
    r"|change|update|correct|fix|"
    r"close|cancel|send|show|give|unsubscribe|withdraw|revoke|terminate|take|make|set|put|no more"
    r"|get rid|switch|amend|replace|"
    r"stop|tell|let me|freeze|suspend|restrict|export|transfer|opt|end|leave my|use)\b)"
)
_EN_CLAUSE = re.compile(f"{_EN_MARK}|{_EN_WORD}", re.IGNORECASE)
_EN_CUT = LATIN.add(re.compile(_EN_WORD, re.IGNORECASE))
_EN_MARKS = re.compile(r"[;:,]|\s-")
# A verb behind "and" starts a clause of its own, unless these govern it too.
_EN_GOVERNED = re.compile(
    r"n't\b|\bnot\b|\bnever\b|\bwithout\b|\bif\b|\bwhen\b|\bhow\b|\bbefore\b|\bafter\b|\binstead\b|\bwhy\b"
    r"|\bwhether\b|\bwould\b(?! (?:you|like))|\bdont\b|\bsaid\b|\btold\b|\bthink|\bconsider"
    r"|\brather\b|\bmaybe\b|\bcannot\b"
    r"|\bdid\b|\balready\b"
)
_HANGUL = re.compile(r"[가-힣]")
_LATIN = re.compile(r"[a-zA-Z]")
_BLANKS = re.compile(r"[\s\"'*_()\[\]]+")


@dataclass(frozen=True, slots=True)
class Clause:
    text: str  # lower case, other people's words blanked
    tight: str  # the same without spaces; only of Korean


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    text: str  # as written, for values
    korean: bool
    clauses: tuple[Clause, ...]
    whole: str  # the clauses as one, in the form that their language's patterns read
    may: int  # which patterns can fit there: the look of `sieve`
    may_as_written: int  # the same of `text`


_EMPTY_LINES = re.compile(r"\n{3,}")  # a page of them would be looked through again and again


def clean(text: str) -> str:
    """The first `CAP` characters with one kind of digits, spaces, quotes and dashes."""
    plain = text[:CAP].translate(_TABLE).replace("\r\n", "\n").replace("\r", "\n")
    return _EMPTY_LINES.sub("\n\n", plain) if "\n\n\n" in plain else plain


def sentences(
    text: str, language: str, cut: dict[tuple[str, str, str], Sentence] | None = None
) -> list[Sentence]:
    """Sentences of a cleaned text, in order. One that comes again in `cut` is not cut again."""
    cut = {} if cut is None else cut
    if _any_in(_SIGNATURE_WORDS, folded(text)):
        text = _SIGNATURE.sub(_blank, text)
    mended = text if text.isascii() else _TYPO.sub(lambda m: _TYPOS[m[0]], text)
    if _any_in(("2.", "2)"), mended) and _NUMBERED.search(mended):
        mended = _POINT.sub("\n", mended)
    masked = _mask(mended.lower())
    if len(masked) != len(text):  # a letter whose lower case is longer (İ): keep positions
        masked = text
    found = []
    for start, end in _spans(mended):
        for low in range(start, end, _LINE):
            high = min(low + _LINE, end)
            key = text[low:high], masked[low:high], language
            one = cut.get(key)
            if one is None:
                one = cut[key] = _sentence(*key)
            found.append(one)
    return found


def _sentence(text: str, masked: str, language: str) -> Sentence:
    korean = _is_korean(masked, language)
    as_written = text.lower() == masked
    text = text.strip()
    if korean:
        clauses = tuple(Clause(piece, tight(piece)) for piece in _pieces(masked, _KO_CLAUSE))
        whole = "".join(clause.tight for clause in clauses)
        may = HANGUL.look(whole)
        return Sentence(text, True, clauses, whole, may, may if as_written else EVERY)
    may = may_as_written = LATIN.look(masked)
    if not as_written:
        may_as_written = LATIN.look(text)
    cut = may & _EN_CUT or _EN_MARKS.search(masked)
    pieces = list(_pieces(masked, _EN_CLAUSE)) if cut else [masked.strip()]
    ordered = [in_order(piece, may) for piece in pieces]
    whole = " ".join(ordered)
    if ordered != pieces:
        may |= LATIN.look(whole)
    clauses = tuple(Clause(piece, "") for piece in ordered)
    return Sentence(text, False, clauses, whole, may, may_as_written)


def tight(text: str) -> str:
    """The text without its blanks and quotes."""
    return _BLANKS.sub("", text)


def _pieces(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    return filter(None, (text[a:b].strip() for a, b in _cuts(text, pattern)))


def _is_korean(text: str, language: str) -> bool:
    if not _HANGUL.search(text):
        return False
    return not _LATIN.search(text) or language_of(text) == "ko"


def _cuts(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for match in pattern.finditer(text):
        if (
            pattern is _EN_CLAUSE
            and match["verb"]
            and _EN_GOVERNED.search(text, start, match.start())
        ):
            continue
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def _any_in(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _mask(text: str) -> str:
    if _any_in(_NOISE_WORDS, folded(text)):
        text = _NOISE.sub(_blank, text)
    if '"' not in text and "'" not in text:
        return text

    def quoted(match: re.Match[str]) -> str:
        said = _SAID_AFTER.match(text, match.end())
        before = _SAID_BEFORE.search(text[max(0, match.start() - 24) : match.start()])
        inner = match[1] or match[2]
        spoken = said or before or _SENTENCE_LIKE.search(inner)
        return _blank(match) if spoken else match[0]

    return _QUOTED.sub(quoted, text)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if not _ends_here(text, start, match):
            continue
        if text[start : match.end()].strip():
            yield start, match.end()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _ends_here(text: str, start: int, match: re.Match[str]) -> bool:
    before, after = text[start : match.start()], text[match.end() : match.end() + 8].lstrip()
    if match["dot"] is not None:
        numbered = before[-1:].isdigit() and after[:1].isdigit() and match[0] == "."
        numbered = numbered or (after[:1].isdigit() and before[-3:].lower() == " no")
        return not (numbered or _ABBREVIATION.search(before[-6:] + "."))
    if match["line"] is not None:
        return match[0].count("\n") > 1 or not _wrapped(before.rstrip(), after)
    return True


def _wrapped(before: str, after: str) -> bool:
    """A mail program broke a long line here; the sentence goes on."""
    line = before.rsplit("\n", 1)[-1]
    hangul = any("가" <= c <= "힣" for c in line)
    long = len(line) >= (_WRAPPED_HANGUL if hangul else _WRAPPED_LATIN)
    return long and not re.match(r"[-*\u2022\d]|\S{1,8}\s?:", after)
