"""What a delivery report says: which letter of ours, whose address, what became of it and why.

Read are the standard forms (RFC 3464 in RFC 6522, RFC 3886, RFC 6533; complaints: RFC 5965) and what
servers write in their own words: qmail (QSBMF), Exim, Postfix, Exchange and Outlook, Gmail, Naver,
Daum and Kakao. Parts in, `Report`s out. Nothing here raises; every step is linear, and capped.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from subjectline.intake.mailparse.addresses import message_ids
from subjectline.intake.mailparse.body import text_of
from subjectline.intake.mailparse.charsets import decode_any
from subjectline.intake.mailparse.mime import Headers, Part, read
from subjectline.models.delivery import ACTIONS, STATUS, Report, code_in, judge
from subjectline.models.masking import mask_resident_numbers

MOST = 20  # recipients of one report, ids of one letter
_READ = 60_000  # letters of text
_WORDS = 200

_STATUSES = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/tracking-status"}
)
_COPIES = frozenset({"message/rfc822", "message/global"})
_HEADS = frozenset({"text/rfc822-headers", "message/global-headers", "message/rfc822-headers"})
_FEEDBACK = "message/feedback-report"

_ADDRESS = re.compile(
    r"[A-Za-z0-9._%+=/~!#$&'*^`{|}-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_ID = re.compile(
    r"^[ \t>|*]{0,8}Message-I[dD][ \t]{0,4}:[ \t]{0,8}(?:\n[ \t]{1,8})?(<[^<>\s]{1,400}>)",
    re.IGNORECASE | re.MULTILINE,
)
_TO = re.compile(
    r"^[ \t>|*]{0,8}(?:To|받는\s?사람)[ \t]{0,4}:[ \t]{0,8}([^\n]{1,400})$",
    re.IGNORECASE | re.MULTILINE,
)
# Below such a line stands our own letter, whose words must not be read as the server's.
_COPY = re.compile(
    r"^[ \t>]{0,8}(?:-{2,20} ?(?:Below this line is a copy of the message|This is a copy of "
    r"(?:the|your) message|Original message"
    r"|The body of the message|Undelivered message|Included is a copy|Returned message"
    r"|Message header follows|원본 ?메[시세]지|원문)"
    r"|Original message headers:|Received: from |Return-Path: |The (?:header|following) (?:of "
    r"the|is (?:a copy of )?the) (?:original|message)"
    r"|원본 메[시세]지 ?헤더|\[?원본 ?메일)",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    rf"^[ \t>*]{{0,8}}<({_ADDRESS.pattern})>:|^[ "
    rf"\t>*]{{0,20}}<?(?:mailto:)?({_ADDRESS.pattern})>?:?[ \t]{{0,8}}$"
    rf"|^.{{0,80}}(?:수신자|받는\s?사람|수신\s?주소|수신인|받는\s?이|recipient"
    rf"|to)[^\n@]{{0,30}}?[: "
    rf"<(\[]({_ADDRESS.pattern})",
    re.IGNORECASE | re.MULTILINE,
)
_BLANKS = re.compile(r"[ \t\n]+")
_BLOCKS = re.compile(r"\n[ \t]*\n")
_LATE = re.compile(
    r"\b(?:has not (?:yet )?been delivered|not yet been delivered|delivery (?:is |has been "
    r")?(?:delayed|to .{1,80} has been delayed)"
    r"|(?:will|continue to|we'll) (?:keep |continue )?(?:trying|try)|warning message only|do not "
    r"need to resend|delayed mail|delivery (?:status )?notification \(delay\))"
    r"|(?:전송|발송|배달|전달)\s?(?:이|가)?\s?지연|지연되고|계속(?:해서)?\s?(?:재?시도|재전송)"
    r"|재시도\s?(?:중|할)|다시\s?보내실\s?필요",
    re.IGNORECASE,
)
_GAVE_UP = re.compile(
    r"permanent|gave up|giving up|given up|could not be delivered|undeliverable|message "
    r"has not been delivered|실패|반송|못했습니다|수 없",
    re.IGNORECASE,
)
_SMTP_WORDS = re.compile(
    r"[^\n]{0,200}(?<![\d.])(?:[45]\d\d[ \-][^\n]{0,300}|#?[45]\d\d "
    r"#?[45]\.\d{1,3}\.\d{1,3}[^\n]{0,300}|[45]\.\d{1,3}\.\d{1,3}[ :)][^\n]{0,300})"
)
_ROBOT = re.compile(
    r"(?:mailer-?daemon|postmaster|mail-?daemon|no-?reply|abuse|support|help|mdaemon)[^@]{0,20}@",
    re.IGNORECASE,
)

Fields = Mapping[str, str]


def read_reports(
    root: Part, text: str, ours: Sequence[str] = (), *, complained: bool = False
) -> tuple[Report, ...]:
    """The reports in a mail that a rule took for a bounce or a complaint; () where it says nothing.

    `text` is what the mail says to people; `ours` are the desk's own addresses, which are never the
    recipient that a report is about. `complained` where a rule took it for a complaint: some have no
    part that says so. Never raises, whatever the parts.
    """
    parts = [part for _, part in zip(range(500), root.walk(), strict=False)]
    ids = _ids(root, parts, text)
    complaint = next((part for part in parts if part.type == _FEEDBACK), None)
    if complaint is not None or complained:
        return (_complaint(complaint, ids, _copied_to(parts)),)
    told = _told(parts, text)
    by_field = [one for part in parts if part.type in _STATUSES for one in _blocks(part)]
    found = [_by_fields(one, told, ids) for one in by_field[1:] or by_field if _is_recipient(one)]
    if found:
        return tuple(found[:MOST])
    return _by_words(root, parts, told, ids, {one.lower() for one in ours})


def _ids(root: Part, parts: Sequence[Part], text: str) -> tuple[str, ...]:
    """Under which ids our letter may be meant: the returned copy's, one quoted, the threading's."""
    found: list[str] = []
    for part in parts:
        if part.type in _COPIES and part.children:
            found += message_ids(part.children[0].headers.raw("message-id"))
        elif part.type in _HEADS:
            found += message_ids(_head(part).raw("message-id"))
    found += [one[1] for one in _ID.finditer(text[:_READ])]
    for part in parts:
        if part is not root and part.type.startswith("text/") and len(found) < MOST:
            found += [one[1] for one in _ID.finditer(text_of(part)[:_READ])]
    for name in ("in-reply-to", "references", "x-original-message-id", "x-ms-exchange-message-id"):
        found += message_ids(root.headers.raw(name))
    own = set(message_ids(root.headers.raw("message-id")))
    return tuple(dict.fromkeys(one for one in found if one not in own))[:MOST]


def _head(part: Part) -> Headers:
    return read(part.content()[:_READ] + b"\n\n").headers


def _copied_to(parts: Sequence[Part]) -> str:
    """To whom the returned copy was written."""
    for part in parts:
        if part.type in _COPIES and part.children:
            value = part.children[0].headers.text("to", 400)
        elif part.type in _HEADS:
            value = _head(part).text("to", 400)
        else:
            continue
        if found := _ADDRESS.search(value):
            return found[0].lower()
    return ""


def _told(parts: Sequence[Part], text: str) -> str:
    """What the server says in words, without the copy of our letter below."""
    said = text if text.strip() else "\n".join(_texts(parts))
    said = said[:_READ]
    copy = _COPY.search(said)
    return said[: copy.start()] if copy and copy.start() > 0 else said


def _texts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts[:10]:
        if part.type in ("text/plain", "text/html") and not part.children:
            yield text_of(part)
        if part.type in _COPIES:
            return


def _blocks(part: Part) -> list[Fields]:
    """The groups of fields of a status part: the first about the message, then one a recipient."""
    raw = part.content()[:_READ]
    if not raw.strip() and part.children:  # sent under another type
        raw = part.children[0].body[:_READ]
    text = decode_any(raw).replace("\r\n", "\n").replace("\r", "\n")
    return [_fields(one) for one in _BLOCKS.split(text.strip())[: MOST + 1] if one.strip()]


def _fields(block: str) -> Fields:
    found: dict[str, str] = {}
    last = ""
    for line in block.split("\n")[:100]:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and last:
            found[last] = f"{found[last]} {line.strip()}"[:4000]
        elif colon and name.strip() and " " not in name.strip():
            last = name.strip().lower()
            found.setdefault(last, value.strip()[:4000])
    return found


def _is_recipient(fields: Fields) -> bool:
    return any(
        name in fields for name in ("final-recipient", "original-recipient", "action", "status")
    )


def _by_fields(fields: Fields, told: str, ids: tuple[str, ...]) -> Report:
    final, first = (
        _typed(fields.get("final-recipient", "")),
        _typed(fields.get("original-recipient", "")),
    )
    answer = fields.get("diagnostic-code", "")
    words = _typed_words(answer) or fields.get("x-supplementary-info", "")
    status = _finest(fields.get("status", ""), words)
    action = _action(fields.get("action", ""), status)
    verdict = judge(
        action, status, f"{words}\n{_about_words(told)}" if _says_little(words) else words
    )
    forwarded = bool(first and final and first != final)
    return Report(
        "delivery", ids, first or final, action, status, verdict, _shown(words), forwarded
    )


def _typed(value: str) -> str:
    """`rfc822; name@host` (RFC 3464, 2.3.1): the address, lower-case."""
    found = _ADDRESS.search(value.partition(";")[2] or value)
    return found[0].lower() if found else ""


def _typed_words(value: str) -> str:
    kind, semicolon, rest = value.partition(";")
    return (
        rest.strip() if semicolon and len(kind) < 20 and " " not in kind.strip() else value.strip()
    )


def _finest(status: str, words: str) -> str:
    """The code that says most: `5.0.0` and `4.0.0` yield to one in the server's own answer."""
    named = STATUS.search(status)
    answered = code_in(words)
    if named is None:
        return answered
    if named[2] == "0" and named[3] == "0" and answered:
        return answered if "." in answered or answered == "552" else named[0]
    # Some give a class of their own over a server's final answer: its answer is the truth.
    if (
        STATUS.fullmatch(answered)
        and answered[0] != named[0]
        and (named[2], named[3]) != ("4", "7")
    ):
        return answered
    return named[0]


def _action(value: str, status: str) -> str:
    word = value.strip().lower().partition(" ")[0].strip("()")
    if word in ACTIONS:
        return word
    if word == "transferred":
        return "relayed"
    return {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")


def _says_little(words: str) -> bool:
    return len(STATUS.sub("", words).strip(" 0123456789-.,:;#")) < 12


def _about_words(told: str) -> str:
    return told[:2000]


def _by_words(
    root: Part, parts: Sequence[Part], told: str, ids: tuple[str, ...], ours: set[str]
) -> tuple[Report, ...]:
    """A report without a status part, as the server put it."""
    if not told.strip() and not ids:
        return ()
    named = list(_named(root, parts, told, ours))
    late = _LATE.search(told) is not None and _GAVE_UP.search(told) is None
    action = "delayed" if late or _says_delayed(root) else "failed"
    if len(named) < 2:
        return (_in_words(told, named[0] if named else "", ids, action),)
    return tuple(_in_words(_near(told, one, named), one, ids, action) for one in named)


def _says_delayed(root: Part) -> bool:
    subject = root.headers.text("subject", 300)
    return _LATE.search(subject) is not None or "warning: message" in subject.lower()


def _in_words(told: str, recipient: str, ids: tuple[str, ...], action: str) -> Report:
    answers = [one[0].strip() for one in _SMTP_WORDS.finditer(told)][:5]
    words = " ".join(answers)
    status = code_in(words)
    verdict = judge(action, status, f"{words}\n{told[:4000]}")
    return Report("delivery", ids, recipient, action, status, verdict, _shown(words or told))


def _named(root: Part, parts: Sequence[Part], told: str, ours: set[str]) -> Iterable[str]:
    """The addresses that could not be reached, the surest sign first."""
    listed = [
        one[0].lower() for one in _ADDRESS.finditer(root.headers.text("x-failed-recipients", 2000))
    ]
    if listed:
        return dict.fromkeys(listed[:MOST])
    lines = [next(filter(None, one.groups())).lower() for one in _NAMED.finditer(told)]
    lines = [one for one in lines if one not in ours and not _ROBOT.match(one)]
    if lines:
        return dict.fromkeys(lines[:MOST])
    copied = _copied_to(parts) or _quoted_to(root)
    if copied and copied not in ours:
        return [copied]
    loose = [one[0].lower() for one in _ADDRESS.finditer(told[:8000])]
    return [one for one in loose if one not in ours and not _ROBOT.match(one)][:1]


def _quoted_to(root: Part) -> str:
    """The To line of a copy that stands in the text."""
    text = text_of(root)[:_READ] if root.type == "text/plain" else ""
    copy = _COPY.search(text)
    line = _TO.search(text, copy.start()) if copy else None
    found = _ADDRESS.search(line[1]) if line else None
    return found[0].lower() if found else ""


def _near(told: str, one: str, named: Sequence[str]) -> str:
    """Of a report about several, the lines from one address to the next."""
    low = told.lower()
    start = max(low.find(one), 0)
    others = (low.find(other, start + 1) for other in named if other != one)
    end = min((at for at in others if at > start), default=len(told))
    return told[start:end]


def _complaint(part: Part | None, ids: tuple[str, ...], copied: str) -> Report:
    """Somebody pressed "this is spam" (RFC 5965); the fields name the recipient where they do."""
    said = part.content()[:_READ] if part is not None else b""
    fields = _fields(decode_any(said).replace("\r\n", "\n"))
    whose = fields.get("original-rcpt-to", "") or fields.get("removal-recipient", "")
    recipient = _typed(whose) or copied
    verdict = judge("failed", "", "")
    kind = fields.get("feedback-type", "abuse")
    told = type(verdict)("complaint", permanent=False, dead=False, strike=False)
    return Report("complaint", ids, recipient, "complaint", "", told, _shown(kind))


def _shown(words: str) -> str:
    """A server's answer as agents may see it: short, on one line, no address, no number of a person."""
    plain = _ADDRESS.sub("…", words[:2000])
    plain, _ = mask_resident_numbers(_BLANKS.sub(" ", plain))
    return plain.strip()[:_WORDS]
