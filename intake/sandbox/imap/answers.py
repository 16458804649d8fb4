"""Which mails a search finds, and what a fetch says of one."""

from collections.abc import Sequence

from subjectline.intake.sandbox.imap.store import Folder, Stored
from subjectline.intake.sandbox.imap.wire import (
    Token,
    flag_list,
    internal_date,
    numbers,
    section,
    text,
)
from subjectline.models.errors import BadInput


def matches(keys: Sequence[Token], mail: Stored, known: Sequence[int]) -> bool:
    """Whether a mail answers the search keys."""
    plain = [text(key) for key in keys if not isinstance(key, list)]
    if plain[:1] and plain[0].upper() == "CHARSET":
        plain = plain[2:]
    position = 0
    while position < len(plain):
        key = plain[position].upper()
        if key == "UID":
            position += 1
            if mail.uid not in numbers(plain[position], known):
                return False
        elif not _has(key, mail):
            return False
        position += 1
    return True


def _has(key: str, mail: Stored) -> bool:
    if key == "ALL":
        return True
    flag = system_flag("\\" + key.removeprefix("UN"))
    if flag not in {r"\Seen", r"\Deleted", r"\Flagged", r"\Answered", r"\Draft"}:
        raise BadInput("this server cannot search for that")
    return (flag in mail.flags) != key.startswith("UN")


def system_flag(flag: str) -> str:
    """A system flag as the RFC writes it."""
    return "\\" + flag[1:].capitalize()


def fetch_item(item: str, mail: Stored) -> bytes:
    """One data item of a FETCH, name and value."""
    body = section(item, mail.raw)
    if body is not None:
        answer, marks_seen = body
        if marks_seen:
            mail.flags.add(r"\Seen")
        return answer
    values = {
        "UID": lambda: b"%d" % mail.uid,
        "FLAGS": lambda: flag_list(mail.flags),
        "RFC822.SIZE": lambda: b"%d" % len(mail.raw),
        "INTERNALDATE": lambda: internal_date(mail.arrived_at),
    }
    if item not in values:
        raise BadInput("this server cannot fetch that")
    return item.encode() + b" " + values[item]()


def copied(target: Folder, mails: Sequence[Stored], copies: Sequence[Stored]) -> str:
    """The response code COPYUID (RFC 4315), or nothing."""
    if not mails:
        return ""
    old = ",".join(str(mail.uid) for mail in mails)
    new = ",".join(str(mail.uid) for mail in copies)
    return f"[COPYUID {target.uidvalidity} {old} {new}] "
