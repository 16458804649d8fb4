"""Where a resident registration number (주민등록번호, 외국인등록번호) stands in a text.

The number is 13 digits, YYMMDD and 1-8xxxxxx (5 to 8 for foreigners). It is known by its form and a
date that exists; digits are random since October 2020, so a wrong check digit proves nothing. Where the
form alone would also fit a date and an amount, something more is asked for: a right check digit, or a
word for such a number in front of it. Source: 개인정보 보호법 제24조의2; 주민등록법 시행규칙 제2조.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

LENGTH = 13
Span = tuple[int, int]
Finder = Callable[
    [str, int, int], Iterator[Span]
]  # a text, and the part of it to be looked through

_DIGIT = r"\d⓪①-⑨⓵-⓽❶-❾➀-➈➊-➒⁰¹²³⁴-⁹₀-₉⑴-⑼⒈-⒐🄀🄁-🄊"
# What is not seen: zero-width characters, combining marks, the frame of a keycap.
_GHOST = (
    "\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u034f\u061c\u180e\u202a-\u202e\u2066-\u2069"
    "\ufe00-\ufe0f\u0300-\u036f\u20d0-\u20f0"
)
_BLANK = (
    "\u0009\u000b\u000c\r\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u3164\u115f\u1160\uffa0"
)
_DASH = "\\-\u2010-\u2015\u2043\u2212\u2500\u2501\ufe58\ufe63\uff0dㅡーｰ一∼∽〜～~˗⁓−"
_JOINT = r"./_·ㆍ•‧・|│*()\[\]:;+=&#'\"“”‘’"
_COMMA = ",،，、"
_BETWEEN = rf"[{_GHOST}{_BLANK}{_DASH}{_JOINT}{_COMMA}\n>]"
_TAG = r"<[^<>\n]{1,50}>"
_WORD = (
    r"(?:이고|그리고|이며|에)?\s{0,2}"
    r"(?:(?:뒷|뒤)\s?(?:자리|번호)?\s?(?:숫자)?\s?[는은]?|다시|대시|하이픈)"
)
_GAP = rf"(?:{_BETWEEN}|{_TAG}){{0,8}}+(?:{_WORD}{_BETWEEN}{{0,4}}+)?+"
_CLUSTER = re.compile(rf"[{_DIGIT}](?:{_GAP}[{_DIGIT}]){{{LENGTH - 1},}}+[{_GHOST}]{{0,3}}")
_ONE = re.compile(rf"[{_DIGIT}]")
_RUN = re.compile(rf"[{_DIGIT}]+")
_NEAR = 64  # characters between digits of one number, tags and all
_ENOUGH = 8  # the others may be letters
_UNSEEN = re.compile(rf"[{_GHOST}]|{_TAG}")
_DASHES = re.compile(rf"[{_DASH}]|[뒷뒤다대하]")
_COMMAS = re.compile(rf"[{_COMMA}]")
_TRAILING = re.compile(rf"[{_GHOST}]{{0,3}}")

_SAID = re.compile(
    r"주민|주\s?번|민증|등록\s?번호|뒷\s?자리|외국인|신분|resident|registration|jumin|\brrn\b|\barc\b|\bssn\b",
    re.IGNORECASE,
)
# Whole nouns for numbers of another kind, and nothing but a particle or a colon up to the number: a stem
# alone (주문, 카드, case) stands in 주문자, 카드 소유자, in my case.
_TO_IT = (
    r"[ \t\u00a0]{0,2}(?:은|는|이|가)?[ \t\u00a0]{0,2}[:：]?[ \t\u00a0]{0,3}#?[ \t\u00a0]{0,2}\Z"
)
_OTHER = re.compile(
    r"(?:(?:법인(?:\s?등록)?|사업자(?:\s?등록)?|주문|송장|배송|택배|등기|계좌|통장|카드|상품|모델|승인|거래|접수|예약|영수증"
    r"|청구|결제|쿠폰|시리얼|일련|관리|문서|민원|티켓|증권|고객)\s?번호|운송장|품번|바코드|학번"
    r"|\b(?:(?:order|invoice|tracking|account|acct|serial|receipt|booking|ticket|case|product|item)"
    r"\s?(?:number|no\.?|num\.?|id|\#)|barcode|ean|isbn|sku|timestamp|epoch))" + _TO_IT,
    re.IGNORECASE,
)
# Enough where thirteen digits stand in a row.
_OTHER_BARE = re.compile(rf"\b(?:order|invoice|tracking|account|acct){_TO_IT}", re.IGNORECASE)
_OR = re.compile(
    r"(?:주민\s?(?:등록\s?)?번호|외국인\s?등록\s?번호|\brrn|resident (?:registration )?number)"
    r"\s?(?:[/·(]|또는|혹은|이?나|및|or)\s?$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\s{0,2}(?:(?:원|점|명|개|건|회|달러|엔|포인트)(?:(?![가-힣])|[이을은에정의만입])|₩"
    r"|(?:won|krw|usd|points?|km|kb|bytes?|ms)(?![a-z]))",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[₩$€£¥]\s?$")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def plausible(value: Sequence[int]) -> bool:
    """Whether 13 digits begin with a day that exists and go on with 1 to 8."""
    month, day = value[2] * 10 + value[3], value[4] * 10 + value[5]
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and 1 <= value[6] <= 8


def checks(value: Sequence[int]) -> bool:
    """Whether the check digit is right, as it is on most numbers given out before October 2020."""
    total = sum(weight * digit for weight, digit in zip(_WEIGHTS, value, strict=False))
    return value[12] == ((13 if value[6] >= 5 else 11) - total % 11) % 10


def windows(text: str) -> Iterator[Span]:
    """Where at least eight digits stand near each other: what is worth a closer look."""
    low = high = count = 0
    for run in _RUN.finditer(text):
        start, end = run.span()
        if start - high > _NEAR:
            if count >= _ENOUGH:
                yield max(0, low - LENGTH), high + LENGTH
            low, count = start, 0
        high, count = end, count + end - start
    if count >= _ENOUGH:
        yield max(0, low - LENGTH), high + LENGTH


def in_digits(text: str, start: int, end: int) -> Iterator[Span]:
    """Numbers written in digits of any script, whatever stands between them."""
    for found in _CLUSTER.finditer(text, start, end):
        yield from _Cluster(text, *found.span()).numbers()


class _Cluster:
    """Thirteen digits or more with little between them."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.at = [one.start() for one in _ONE.finditer(text, start, end)]
        self.value = [unicodedata.digit(text[place]) for place in self.at]
        known: dict[str, str] = {"": "0"}
        between = [text[one + 1 : other] for one, other in pairwise(self.at)]
        self.gaps = "".join(known.get(gap) or known.setdefault(gap, _kind(gap)) for gap in between)

    def numbers(self) -> Iterator[Span]:
        first, free = 0, True  # free: nothing that is a digit stands right before
        while first + LENGTH <= len(self.at):
            size = self._size(first, free)
            if size:
                last = self.at[first + size - 1] + 1
                yield self.at[first], _end(self.text, last)
            first, free = first + (size or 1), bool(size)

    def _size(self, first: int, free: bool) -> int:
        """How many digits from `first` on are to be masked: 13, or more where all are spaced out."""
        value = self.value[first : first + LENGTH]
        if not plausible(value):
            return 0
        form = _form(self.gaps[first : first + LENGTH - 1])
        alone = free or self.gaps[first - 1] != "0"
        if not form or not alone or not self._believed(form, first, value):
            return 0
        if form == "spaced":
            return self._to_the_end(first + LENGTH) - first
        return LENGTH if self.gaps[first + LENGTH - 1 : first + LENGTH] != "0" else 0

    def _to_the_end(self, number: int) -> int:
        """Spaced-out digits may stand in a longer row of them; up to eight that follow go too."""
        most = number + 8
        while number < min(most, len(self.at)) and self.gaps[number - 1] == " ":
            if self.gaps[number : number + 1] == "0":
                break
            number += 1
        return number

    def _believed(self, form: str, first: int, value: Sequence[int]) -> bool:
        return believed(self.text, (self.at[first], self.at[first + LENGTH - 1] + 1), form, value)


def believed(text: str, span: Span, form: str, value: Sequence[int]) -> bool:
    """Whether what stands around a number of this form, and its check digit, make it a resident's."""
    start, end = span
    before = text[max(0, start - 60) : start]
    right = checks(value)
    if _named_otherwise(before, form) and not (right and form in ("dashed", "spaced")):
        return False
    if _SAID.search(before):
        return True
    if form in ("loose", "apart") and _counted(text, start, end):
        return False
    if right and form != "bare":
        return True
    if form in ("apart", "mixed"):
        return False
    if form in ("bare", "dashed") and _in_link(text, start):
        return right and not _is_moment(value)
    if form == "bare":
        return right or not _is_barcode(value)
    return True


def _named_otherwise(before: str, form: str) -> bool:
    """Another number's name right before; not 주민번호 또는 고객번호, which leaves it open."""
    near = before[-30:]
    found = _OTHER.search(near) or (_OTHER_BARE.search(near) if form == "bare" else None)
    return found is not None and not _OR.search(before[: found.start() - len(near)])


def _counted(text: str, start: int, end: int) -> bool:
    """A date and an amount: something is counted, or money stands before."""
    money = _MONEY.search(text[max(0, start - 3) : start])
    return bool(_COUNTED.match(text, end) or money)


def _end(text: str, last: int) -> int:
    found = _TRAILING.match(text, last)
    return found.end() if found else last


def _kind(gap: str) -> str:
    """`0` nothing, a blank, `n` a line's end, `-` dashes or words for one, `,` commas, `.` other marks."""
    if not gap:
        return "0"
    seen = _UNSEEN.sub("", gap)
    if not seen:
        return "0"
    if _DASHES.search(seen):
        return "-"
    if "\n" in seen:
        return "n"
    if _COMMAS.search(seen):
        return ","
    return " " if not seen.strip(" \t\r\x0b\x0c") or seen.isspace() or _filler(seen) else "."


def _filler(seen: str) -> bool:
    return all(one.isspace() or one in "\u3164\u115f\u1160\uffa0" for one in seen)


def _form(gaps: str) -> str:
    """Which spelling 12 gaps are: `bare`, `dashed`, `spaced`, `loose` (a blank), or only to be believed
    with more evidence: `apart` (a line's end or a comma between the halves) and `mixed`. Empty: none."""
    first, joint, second = gaps[:5], gaps[5], gaps[6:]
    tight = "00000"
    halves = first == tight and second in ("000000", " 00000", "-00000", "00-000")
    if halves or (_pairs(first) and joint == "-" and second == "000000"):
        return {"0": "bare", "-": "dashed", ".": "dashed", " ": "loose"}.get(joint, "apart")
    if set(first + second) == {" "} or (first == tight and set(second) == {" "}):
        return "spaced" if joint in "- ." else "apart"
    if len(set(gaps)) == 1 and gaps[0] in "-.,n":
        return "spaced" if gaps[0] in "-." else "apart"
    if (
        joint == "-"
        and set(first + second) <= {"0", " "}
        and (first == tight or second == "000000")
    ):
        return "dashed" if _few(first) and _few(second) else "mixed"
    if set(first + second) <= {"0", " ", "."} and joint in "-." and _few(first) and _few(second):
        return "mixed"
    if _pairs(first) and joint in " .n" and second == "000000":
        return "apart"
    return (
        "mixed" if set(gaps) <= {"0", " ", "-"} and 1 <= LENGTH - 1 - gaps.count("0") <= 3 else ""
    )


def _few(gaps: str) -> bool:
    return sum(one != "0" for one in gaps) <= 3


def _pairs(first: str) -> bool:
    """91.02.03"""
    return first[0] + first[2] + first[4] == "000" and first[1] == first[3] and first[1] in "-. "


def _in_link(text: str, start: int) -> bool:
    """Inside an address or a link, where long numbers are marks of machines."""
    window = text[max(0, start - 300) : start]
    token = window.split()[-1] if window and not window[-1].isspace() else ""
    after = text[start : start + 80].split()[:1]
    whole = token + (after[0] if after else "")
    return "://" in whole or "www." in whole or "@" in whole


def _is_moment(value: Sequence[int]) -> bool:
    """Milliseconds since 1970, of the years 2010 to 2033."""
    return 1_262_300_000_000 <= int("".join(map(str, value))) < 2_000_000_000_000


def _is_barcode(value: Sequence[int]) -> bool:
    """A Korean article number (EAN-13, prefix 880) with its check digit."""
    total = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(value[:12]))
    return list(value[:3]) == [8, 8, 0] and value[12] == -total % 10
