"""Values with a form of their own (numbers, addresses of mail, dates), and whether one is the old
or the new one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHAPES: dict[str, re.Pattern[str]] = {
    "email": re.compile(
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-](?:[A-Za-z0-9._%+-]{0,63})"
        r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}"
    ),
    "phone": re.compile(

            r"(?<![\d-])(?:(?:\+|00)?82[\s.-]?(?:\(0\))?[\s.-]?0?1\d|\(?0(?:1[016-9]|2|[3-6]\d|70"
            r"|80)\)?)[\s.\-)/]{0,3}\d{3,4}[\s.\-]{0,3}\d{4}(?![\d])"
        r"|(?<!\d)\+\d{1,3}(?:[\s.-]?\(?\d{1,4}\)?){2,5}(?!\d)"
    ),
    "date": re.compile(

            r"(?<!\d)(?:\d{4}|\d{2})\s?(?:년|[./-])\s?\d{1,2}\s?(?:월|[./-])\s?\d{1,2}\s?일?(?![\d])"
            r"|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{4}(?!\d)|(?<!\d)\d{1,2}\s?월\s?\d{1,2}\s?일"
        r"|(?<!\d)(?:19|20)\d{6}(?!\d)|(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\d-])"

            r"|(?<!\d)\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
            r"|dec)[a-z]{0,6}\.?,? \d{4}"

            r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}(?:st|nd|rd"
            r"|th)?,? \d{4}",
        re.IGNORECASE,
    ),
    "account": re.compile(r"(?<![\d@.-])\d{2,6}(?:[- ]\d{2,8}){1,4}(?![\d-])|(?<![\d@.-])\d{9,16}(?!\d)"),
    "bank": re.compile(


                r"(?:[가-힣]{1,6}|KB|IBK|NH|SC|KDB|BNK)\s?(?:은행|뱅크)|카뱅|케뱅|토뱅|농협|신협|수협"
                r"|우체국|새마을금고|\b(?:KB|IBK"
            r"|NH|SC|KEB)\b|\b(?:[A-Z][A-Za-z]+ )?(?:Bank(?: of [A-Z][a-z]+)?)\b|\b(?:Kakao ?Bank"
            r"|Toss ?Bank|K ?Bank|Kookmin|Shinhan|Woori|Hana|Nonghyup)\b(?: Bank)?"
    ),
    "gender": re.compile(
        r"남성|여성|남자|여자|(?<![가-힣])[남여](?=[로가성])|\b(?:non-?binary|female|male|woman"
        r"|man)\b", re.IGNORECASE),
}  # fmt: skip
TYPED = frozenset(_SHAPES)

_OLD_AFTER = re.compile(
    r"^[\s'\"]*(?:에서|→|->|=>|~>|>|말고|아니고|대신|(?:이|가)?\s?아니라|(?:이|가)?\s?아니고"
    r"|(?:이|가)?\s?아닙|(?:이"
    r"|가)?\s?아니에|이었|였|은\s?(?:이제|더)|는\s?(?:이제|더)|(?:은|는)\s?(?:예전|옛|안\s?써|틀"
    r"|잘못|해지)|을\s?더|를\s?더|에서만)"
    r"|^[\s'\"]*(?:으로|로|이라고|라고)?\s?(?:잘못|되어|돼\s?있|돼있|등록되|등록돼|등록이|저장되"
    r"|저장돼|적혀|표기|나와|나오|나옵|떠|뜨|뜹|찍혀|쓰여"
    r"|표시|들어가|기재되|써\s?있|입력되|입력돼|보이)|^[\s'\"]*(?:이?거|이건|이게)?\s?(?:은"
    r"|는)?\s?(?:이제|더는|더\s?이상)\s?(?:안|못"
    r"|사용|쓰)"
    r"|^[\s'\")]*(?:to\s|is (?:wrong|out of date|dead|disconnected|gone|not mine|invalid|expired"
    r"|old|incorrect|no longer|outdated|my old)|isn'?t|but (?:it |the |my |should)|no longer"
    r"|should be|should read)",
    re.IGNORECASE,
)
_OLD_BEFORE = re.compile(
    r"(?:기존|예전|이전|옛날?|변경\s?전|수정\s?전|원래|지금|현재|전에\s?쓰던|쓰던"
    r"|전)\s?(?:에\s?)?(?:제\s?)?(?:등록된\s?)?(?:번호|이메일"
    r"|메일|주소|전화번호|휴대폰|계좌|연락처|계좌번호|생일|생년월일|거|것)?\s?(?:은|는|이|가|인|:"
    r"|\(|\)|\])?\s?(?:이?메일\s?)?[:]?\s?$"
    r"|(?:\bfrom|\bnot|\bold(?: \w+){0,2}(?: is| was|:)?|\bprevious(?: \w+){0,2}(?: is| was|:)?"
    r"|instead of|rather than|\breplace|listed as|registered as|recorded as|\bsays"
    r"|\bshows(?: up)?(?: as)?|(?:was|were|been|is|it|got) (?:entered|listed|saved|typed|set|put"
    r"|recorded|registered|stored|given)(?: in)?(?: as)?|currently(?: is| as)?"
    r"|\bcurrent(?: \w+){0,2}(?: is|:)?|no longer(?: use)?|isn'?t|is not|wasn'?t|aren'?t"
    r"|have me (?:born )?(?:in|on|as|down as)|\bwas|\bhave(?: it as| is)?|on file(?: is| as|:)?"
    r"|down as)\s*[\"':(]*$",
    re.IGNORECASE,
)
_NEW_AFTER = re.compile(
    r"^[\s'\"]*(?:으로|로)(?!\s?(?:잘못|되어|돼\s?있|등록되|등록돼|적혀|저장|문자|연락|전화))"
    r"|^[\s'\"]*(?:이|가)\s?(?:맞|정확|새)"
    r"|^[\s'\"]*(?:이에요|예요|입니다|에요|이예요|임|이요|이고|인데|이야|야|요)|^\W*(?:is"
    r"|as) (?:my|the) (?:new|correct"
    r"|current|right)|^,? not\b|^,? instead of",
    re.IGNORECASE,
)
_NEW_BEFORE = re.compile(


            r"(?:→|->|=>|~>|에서|변경\s?후|수정\s?후|새\S{0,6}|바뀐\s?\S{0,6}|신규\S{0,5}"
            r"|맞는\s?\S{0,4}|올바른\s?\S{0,5}"
        r"|정확한\s?\S{0,5}|[(\[](?:변경|수정|신규|후))\s?(?:은|는|:|\)|\])?\s?[:]?\s?$|(?:\bto|\bshould be"
        r"|\bnew(?: \w+){0,3}(?: is|:)?|correct (?:one|\w+) is|\bis now|\bit'?s|\bborn (?:on|in)"
        r"|\bi'?m(?: a)?|\bi am(?: a)?|\bcorrect (?:date|one|number|address) (?:is|being|:)"
        r"|\bright (?:one|date|number) is|\bcall me (?:on|at)|\breach me (?:on|at)|\bto be|\bmust be"
        r"|\bought to be|\bshould (?:actually |really )?(?:be|read|say)|\bactually|\bwith|\buse"
        r"|\binto)\s*[\"':(]*$",
    re.IGNORECASE,
)  # fmt: skip
_NO_BANK = re.compile(r"계좌|거래|정산|입금|등록|무슨|어느|다른")
_AROUND = 24
# Somewhere to write to, not a value to keep.
_REPLY_TO = re.compile(
    r"^[\s'\"]*(?:으로|로|에|에게|한테)\s?(?:답|회신|보내|연락|전화|문자|알려|전송"
    r"|부탁드립니다\s?$)|^\s*(?:로\s?인증|번\s?주문)"
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a text: where it stands, and `new`, `old` or `` (nobody says)."""

    text: str
    start: int
    end: int
    role: str


def typed(shape: str, text: str) -> list[Value]:
    """Every value of the shape, in order, with its role."""
    values = []
    for found in _SHAPES[shape].finditer(text):
        if shape == "bank" and _NO_BANK.search(found[0]):
            continue
        if shape == "account" and _is_phone(found, text):
            continue
        if not _REPLY_TO.match(text, found.end()):
            start, end = found.span()
            text_ = found[0].strip(" .,\n")
            text_ = text_.strip("()") if text_.count("(") != text_.count(")") else text_
            values.append(Value(text_, start, end, _role(text, start, end)))
    return values


def _is_phone(found: re.Match[str], text: str) -> bool:
    phone = _SHAPES["phone"].search(text, max(0, found.start() - 5), found.end())
    return phone is not None and phone.end() == found.end() and phone.start() <= found.start()


def _role(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    if _OLD_AFTER.match(after):
        return "old"
    if re.search(r"(?:→|->|=>|~>|에서|\bto)\s*[\"']?$", before) or _NEW_AFTER.match(after):
        return "old" if re.search(r"(?:\bnot|instead of) \"?$", before) else "new"
    if _OLD_BEFORE.search(before):
        return "old"
    return "new" if _NEW_BEFORE.search(before) else ""


def pick(values: Sequence[Value]) -> tuple[str, str]:
    """(new, old) of one field's values; "" where nobody can say which is which."""
    new = _last(v for v in values if v.role == "new")
    old = _last(v for v in values if v.role == "old")
    rest = [v for v in values if not v.role]
    if not new and len({v.text for v in rest}) == 1:
        new = rest[0].text
    elif new and not old and len(values) == 2 and rest:  # "replace A with B"
        old = rest[0].text
    return new, (old if old != new else "")


def _last(values: Iterable[Value]) -> str:
    text = ""
    for value in values:
        text = value.text
    return text
