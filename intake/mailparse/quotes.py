"""What a person newly wrote, apart from quoted history, signatures and disclaimers.

Line by line, each line looked at a bounded number of times, so that no text makes it slow. Nothing
is thrown away: what is cut off is `rest`, and a mail that is all quotation stays whole.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from subjectline.intake.mailparse.phrases import (
    ADDRESS,
    ARMOUR,
    BANNER,
    DATE_AND_ADDRESS,
    DATED,
    DATED_ABROAD,
    DISCLAIMER,
    DISCLAIMER_WORDS,
    FIELD_LINE,
    FORWARDED,
    FROM_LINE,
    LIST_FOOTER,
    NAMED,
    PHONE,
    SEPARATOR,
    THIS_MAIL_KO,
    WROTE,
    WROTE_ABROAD,
    YEAR_AND_TIME,
)

MAX_LINES = 5000
_MAX_LINE = 400  # longer lines are nobody's attribution
_LONGEST_SIGNATURE = 12

_QUOTED = re.compile(r"\s{0,3}[>＞](?!From (?!.{0,80}:\s*$))")  # >From: a mailbox file's escape
_RULE = re.compile(r"\s*[-_=*─━]{3,}\s*$")
_LONG_RULE = re.compile(r"(?:_{2,}|-{5,})\s*$")
_BLANKS = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Split:
    new: str
    rest: str
    only_quoted: bool = False  # nothing new was found: `new` is the whole text


def split(text: str) -> Split:
    """`text` in what is new and the rest. Linear in its length."""
    lines = text.split("\n", MAX_LINES)
    overflow = lines.pop() if len(lines) > MAX_LINES else ""
    is_rest = _mark(lines, armoured="-----BEGIN PGP" in text)
    new = _joined(line for line, away in zip(lines, is_rest, strict=True) if not away)
    rest = _joined(line for line, away in zip(lines, is_rest, strict=True) if away)
    if not new:
        return Split(text.strip(), "", only_quoted=bool(rest))
    return Split(new, f"{rest}\n{overflow}".strip() if overflow else rest)


def _joined(lines: Iterable[str]) -> str:
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip()


def _mark(lines: list[str], *, armoured: bool) -> list[bool]:
    """Which lines are not newly written."""
    quoted = [bool(_QUOTED.match(line)) for line in lines]
    away = quoted.copy()
    if armoured:
        _armour(lines, away)
    cut = _history(lines, quoted, away)
    _signature(lines, away, cut)
    _list_footer(lines, away, cut)
    _disclaimers(lines, away, cut)
    _last_words(lines, away, cut)
    _blanks_between(lines, away)
    return away


def _armour(lines: list[str], away: list[bool]) -> None:
    """What PGP writes around a signed text (RFC 9580, 7): its lines, hash names and the signature."""
    inside = ""
    for at, line in enumerate(lines):
        mark = line.startswith("-----") and ARMOUR.fullmatch(line)
        if mark:
            inside = line.rstrip() if "BEGIN" in line else ""
            away[at] = True
        elif inside:
            away[at] = True
            if not line.strip() and "SIGNED" in inside:
                inside = ""


def _history(lines: list[str], quoted: list[bool], away: list[bool]) -> int:
    """Marks the attributions and all that follows the first head of a history; where that begins."""
    for at, line in enumerate(lines):
        if quoted[at] or not line.strip() or len(line) > _MAX_LINE:
            continue
        start = _attribution(lines, at)
        if start is not None:
            away[start : at + 1] = [True] * (at + 1 - start)
            if not _quote_follows(lines, quoted, at):
                return _cut(away, quoted, start)
        elif _is_head(lines, at):
            return _cut(away, quoted, at)
    return len(lines)


def _cut(away: list[bool], quoted: list[bool], at: int) -> int:
    """Everything from `at` is history, except answers written between quoted lines."""
    first = next((i for i in range(at, len(away)) if quoted[i]), None)
    if first is not None and 2 * sum(quoted[first:]) > len(away) - first:
        away[at:first] = [True] * (first - at)
    else:
        away[at:] = [True] * (len(away) - at)
    return at


def _is_head(lines: list[str], at: int) -> bool:
    line = lines[at].strip()
    if line[0] in "-_=*" and SEPARATOR.fullmatch(line[:200]):
        return True
    if ":" not in line[:60]:
        return False
    if FROM_LINE.match(line):
        return sum(bool(FIELD_LINE.match(other)) for other in lines[at + 1 : at + 8]) >= 2
    return bool(FORWARDED.match(line))


def _attribution(lines: list[str], at: int) -> int | None:
    """Where the attribution that ends on line `at` begins; mailers wrap it over up to four lines."""
    end = lines[at].rstrip().replace("：", ":")
    if end.endswith((":", "wrote")) and WROTE.search(end[-60:]):
        return _wrapped(lines, at, DATED, colon=end.endswith(":"))
    if not end.endswith((":", ">")):
        return None
    if end.endswith(":") and WROTE_ABROAD.search(" ".join(lines[max(0, at - 2) : at + 1])[-600:]):
        return _wrapped_abroad(lines, at)
    return _without_a_verb(lines, at)


def _wrapped(lines: list[str], at: int, dated: re.Pattern[str], *, colon: bool) -> int | None:
    joined, weak = "", None
    for start in range(at, max(-1, at - 4), -1):
        if not lines[start].strip() or len(lines[start]) > _MAX_LINE:
            break
        joined = f"{lines[start].strip()} {joined}"
        if dated.match(joined) and (_certain(lines, at, joined) if colon else _complete(joined)):
            return start
        if weak is None and colon and NAMED.match(joined) and _certain(lines, at, joined):
            weak = start
    return weak


def _complete(joined: str) -> bool:
    """Address, date and time: an attribution even without a colon."""
    return bool(ADDRESS.search(joined) and YEAR_AND_TIME.search(joined[:300]))


def _wrapped_abroad(lines: list[str], at: int) -> int | None:
    joined, weak = "", None
    for start in range(at, max(-1, at - 3), -1):
        if not lines[start].strip() or len(lines[start]) > _MAX_LINE:
            break
        joined = f"{lines[start].strip()} {joined}".strip()
        if not WROTE_ABROAD.search(joined) or not _certain(lines, at, joined):
            continue
        if DATED_ABROAD.match(joined):
            return start
        weak = start if weak is None else weak
    return weak


def _without_a_verb(lines: list[str], at: int) -> int | None:
    """`2026-05-12 15:04 GMT+09:00 Name <address>:`, as Gmail, Yandex and Mail.ru wrote or write it."""
    joined = ""
    for start in range(at, max(-1, at - 2), -1):
        joined = f"{lines[start].strip()} {joined}".strip()
        if len(joined) > _MAX_LINE or "@" not in joined:
            return None
        if DATE_AND_ADDRESS.fullmatch(joined):
            return (
                start
                if joined.endswith(":") or not lines[at + 1 : at + 2]
                else _alone(lines, start, at)
            )
    return None


def _alone(lines: list[str], start: int, at: int) -> int | None:
    """Without a colon only in a paragraph of its own, with a date and a time."""
    before, after = lines[start - 1 : start], lines[at + 1 : at + 2]
    joined = " ".join(lines[start : at + 1])
    apart = not "".join(before).strip() and not "".join(after).strip()
    return start if apart and _complete(joined) else None


def _certain(lines: list[str], at: int, joined: str) -> bool:
    """A sentence of one's own may end in "wrote:" too; a date with a time or an address may not."""
    following = next((line for line in lines[at + 1 : at + 4] if line.strip()), "")
    return bool(
        _QUOTED.match(following) or ADDRESS.search(joined) or YEAR_AND_TIME.search(joined[:300])
    )


def _quote_follows(lines: list[str], quoted: list[bool], at: int) -> bool:
    following = next((i for i in range(at + 1, min(at + 4, len(lines))) if lines[i].strip()), None)
    return following is not None and quoted[following]


def _signature(lines: list[str], away: list[bool], cut: int) -> None:
    """From a line of two dashes (RFC 3676, 4.3) to the next quotation."""
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    for at in range(first + 1, cut):
        if away[at] or lines[at].rstrip() != "--":
            continue
        end = _signature_end(lines, away, at, cut)
        away[at:end] = [True] * (end - at)


def _signature_end(lines: list[str], away: list[bool], at: int, cut: int) -> int:
    """Where the signature that begins at `at` ends; `at` itself if it is too long to be one."""
    length = 0
    for end in range(at, cut):
        length += bool(lines[end].strip())
        if away[end]:
            return end
        if length > _LONGEST_SIGNATURE:
            return at
    return cut


def _list_footer(lines: list[str], away: list[bool], cut: int) -> None:
    """What a list server adds below a line of underscores or dashes."""
    for at in range(cut - 1, max(0, cut - 12), -1):
        if away[at] or not _LONG_RULE.match(lines[at][:100]):
            continue
        below = [line[:200] for line in lines[at + 1 : cut] if line.strip()]
        if len(below) <= 8 and any(LIST_FOOTER.search(line) for line in below):
            away[at:cut] = [True] * (cut - at)
        return


def _disclaimers(lines: list[str], away: list[bool], cut: int) -> None:
    """Paragraphs of legal small print, never the first one; and a server's banner above the mail."""
    start, number, seen = 0, 0, False
    for end in range(cut + 1):
        if end < cut and lines[end].strip() and not away[end] and not _RULE.match(lines[end][:100]):
            continue
        if end > start:
            number += 1
            seen = number > 1 and _is_disclaimer(lines[start:end], seen)
            if seen or BANNER.match(" ".join(lines[start : start + 2])[:_MAX_LINE]):
                away[start:end] = [True] * (end - start)
        start = end + 1


def _is_disclaimer(paragraph: list[str], follows_one: bool) -> bool:
    text = " ".join(line[:_MAX_LINE] for line in paragraph[:6])[:1000]
    if DISCLAIMER.match(text):
        return True
    words = len(set(DISCLAIMER_WORDS.findall(text)))
    return words >= 2 and (follows_one or bool(THIS_MAIL_KO.match(text)))


def _last_words(lines: list[str], away: list[bool], cut: int) -> None:
    """What a phone adds at the end, and the rules drawn above a quotation."""
    for at in range(cut - 1, -1, -1):
        line = lines[at].strip()
        if away[at] or not line:
            continue
        if not (_RULE.match(line[:100]) or (len(line) <= 200 and PHONE.fullmatch(line))):
            return
        away[at] = True


def _blanks_between(lines: list[str], away: list[bool]) -> None:
    """An empty line goes with the lines around it."""
    last = 0
    for at, line in enumerate(lines):
        if line.strip():
            if away[at] and away[last]:
                away[last:at] = [True] * (at - last)
            last = at
