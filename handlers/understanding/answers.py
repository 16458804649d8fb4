"""Reads a short answer to our own question: yes, no, or a code."""

import re

from subjectline.handlers.understanding.clauses import clean
from subjectline.handlers.understanding.model import Answer

_CAP = 2_000
_CODE = re.compile(
    r"(?<![\dA-Za-z.,-])(?<!\d[ ])\d(?:[ .-]?\d){5}(?![ -]?\d)(?![.,]\d)(?![A-Za-z])"
)
_NO = re.compile(
    r"^\W*(?:(?:아니(?:요|오|에요|예요|야|다)?|아뇨|아냐|아녀|안\s?할|안\s?해|하지\s?(?:마|말)|싫"
    r"|노노?|ㄴㄴ|취소|그만|됐어|됐습|괜찮|틀렸|틀려|틀립|다릅)"
    r"|(?:no|nope|nah|not|don'?t|do not|cancel|stop|never|wrong|incorrect|negative)\b)"
)
_YES = re.compile(
    r"^\W*(?:(?:네에?|넵|넹|넴|네네|예|예예|옙|응|응응|ㅇㅇ|ㅇㅋ|ㅇ|그래요?|그럼요|당연|오케이"
    r"|좋아요?|좋습니다|맞아요?|맞습니다|맞음|맞네요|확인했?습니다|"
    r"동의합니다|진행|그렇게|그렇습니다|해\s?주세요|부탁|탈퇴할게요|탈퇴하겠습니다)"
    r"|(?:yes|yep|yeah|yup|yea|ya|y|ok|okay|sure|confirm(?:ed)?|correct|right|agreed?|i agree|i confirm|"
    r"please do|go ahead|proceed|that'?s (?:right|correct|it)|absolutely|of course|definitely|do it)\b)"
)
_AGAINST = re.compile(
    r"아니|아뇨|않|말아|마세요|마십|지\s?마|취소|안\s?(?:할|해|하|돼|되|받)|모르|잠(?:깐|시)|나중"
    r"|보류|생각|틀리|틀렸|다르|다릅"
    r"|\bno\b|\bnot\b|n't\b|\bdont\b|cancel|\bwait\b|\blater\b|\bbut\b|\bunless\b|\bunsure\b|\bhold on\b|\?"
)
_NOT_AN_ANSWER = re.compile(
    r"^\W*(?:no problem|not sure|아니\s?(?:근데|그게)|예전|예약|예를|네이버|네임)"
)
_LONG = 160  # a longer first line is a message, not an answer


def read_answer(text: str) -> Answer:
    """Reads `네`, `no`, `my code is 123 456`. A yes that is hedged or taken back is no yes.

    A negation wins over a yes in the same line; a longer text gives no yes or no at all.
    """
    plain = clean(text[:_CAP]).lower()
    lines = [line.strip() for line in plain.split("\n") if line.strip()]
    lines = [line for line in lines if not line.startswith(">")]
    code = _code(" \n ".join(lines))
    return Answer(_yes(lines[0]) if lines else None, code)


def _code(text: str) -> str | None:
    codes = {re.sub(r"\D", "", found[0]) for found in _CODE.finditer(text)}
    return codes.pop() if len(codes) == 1 else None


def _yes(line: str) -> bool | None:
    if len(line) > _LONG or _NOT_AN_ANSWER.match(line):
        return None
    if _NO.match(line):
        return False
    yes = _YES.match(line)
    if not yes or _follows_word(line, yes.end()):
        return None
    return None if _AGAINST.search(line, yes.end()) else True


def _follows_word(line: str, end: int) -> bool:
    """`예` of `예상`: the word goes on, so it was not the answer."""
    rest = line[end : end + 1]
    one = len(re.sub(r"\W", "", line[:end])) == 1
    return one and "가" <= rest <= "힣"
