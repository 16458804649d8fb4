"""A letter's bytes. Pure; the same letter gives the same bytes, so a repeated sending is one mail.

Written out by hand rather than by `email.message`: that folds long Message-IDs into encoded words,
which no client threads by, and costs some two milliseconds a letter.
"""

import hashlib
import quopri
import re
import unicodedata
from base64 import encodebytes
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from typing import Literal

from subjectline.models.errors import BadInput, PermanentSendError

AutoSubmitted = Literal["auto-replied", "auto-generated"]

REFERENCES = 20  # the first and the latest: a header may not grow for ever (RFC 5322, 3.6.4)

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,400}@[!-;=?-~]{1,400}>")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LOCAL_ABROAD = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}")  # SMTPUTF8 (RFC 6531)
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


def build_mail(
    *,
    from_address: str,
    from_name: str = "",
    to: str,
    subject: str,
    text: str,
    html: str,
    message_id: str,
    sent_at: datetime,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    reply_to: str = "",
    auto_submitted: AutoSubmitted = "auto-replied",
    language: str = "",
) -> bytes:
    """A multipart/alternative mail in UTF-8 with CRLF line ends.

    `message_id` is `<…@…>`, fixed when the letter was queued; `sent_at` is aware. Line ends in
    `subject` and `from_name` become spaces; ids of the other mails that are malformed are left out.
    Raises PermanentSendError for an address that no mail can be sent to, BadInput for a malformed
    `message_id` or a naive time (RFC 5322, RFC 2047, RFC 3834).
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise BadInput("a Message-ID is written <left@right>", field="message_id")
    if sent_at.tzinfo is None:
        raise BadInput("the time has no zone", field="sent_at")
    threading = _threading(in_reply_to, references)
    headers = [
        ("From", _mailbox(from_address, from_name)),
        ("To", safe_address(to, abroad=True)),
        ("Subject", _words("Subject", subject)),
        ("Date", format_datetime(sent_at)),
        ("Message-ID", message_id),
        *threading,
        *([("Reply-To", safe_address(reply_to))] if reply_to else []),
        *([("Content-Language", language)] if language in ("ko", "en") else []),
        ("Auto-Submitted", auto_submitted),
        ("X-Subjectline", "1"),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    # ASCII, but for an address that SMTPUTF8 alone carries (RFC 6532).
    return head.encode("utf-8") + b"".join(_alternatives(message_id, text, html))


def safe_address(address: str, *, abroad: bool = False) -> str:
    """The address as SMTP takes it: an international domain in IDNA form.

    `abroad`: a local part in letters beyond ASCII stays as it is, in NFC; such a letter needs
    SMTPUTF8 (RFC 6531). Raises PermanentSendError for what is no address at all.
    """
    local, _, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        domain = ""
    known = _LOCAL_ABROAD if abroad and not local.isascii() else _LOCAL
    if (
        not known.fullmatch(local)
        or len(local.encode()) > 64
        or not _DOMAIN.fullmatch(domain)
        or ".." in domain
    ):
        raise PermanentSendError(
            "this is not an address that mail can be sent to",
            field="recipient",
            remedy="Answer by another way.",
        )
    return f"{local}@{domain}"


def _mailbox(address: str, name: str) -> str:
    clean = _CONTROL.sub(" ", name).strip()
    if not clean:
        return safe_address(address)
    if clean.isascii():
        escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{safe_address(address)}>'
    return f"{_words('From', clean)}\r\n <{safe_address(address)}>"


def _words(header: str, value: str) -> str:
    clean = _CONTROL.sub(" ", value).strip().encode("utf-8", "replace").decode()
    charset = "us-ascii" if clean.isascii() and "=?" not in clean else "utf-8"
    return Header(clean, charset, header_name=header).encode(linesep="\r\n")


def _threading(in_reply_to: str, references: Sequence[str]) -> Iterator[tuple[str, str]]:
    parents = [known for known in (in_reply_to.strip(),) if _MESSAGE_ID.fullmatch(known)]
    known = [ref.strip() for ref in references if _MESSAGE_ID.fullmatch(ref.strip())]
    chain = list(dict.fromkeys([*known, *parents]))
    if len(chain) > REFERENCES:
        chain = [chain[0], *chain[1 - REFERENCES :]]
    if parents:
        yield "In-Reply-To", parents[0]
    if chain:
        yield "References", "\r\n ".join(chain)


def _alternatives(message_id: str, text: str, html: str) -> Iterator[bytes]:
    # "=_" can stand in no base64 and no quoted-printable text, so no body can hold the boundary.
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    yield f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode()
    for kind, body in (("plain", text), ("html", html)):
        yield f"\r\n--{boundary}\r\n".encode()
        yield from _part(kind, body)
    yield f"\r\n--{boundary}--\r\n".encode()


def _part(kind: str, body: str) -> Iterator[bytes]:
    lines = body.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    raw = lines.encode("utf-8", "replace")
    plain = sum(byte < 0x80 for byte in raw) > 0.9 * len(raw)
    encoding = "quoted-printable" if plain else "base64"
    yield f'Content-Type: text/{kind}; charset="utf-8"\r\n'.encode()
    yield f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    coded = quopri.encodestring(raw) if plain else encodebytes(raw.replace(b"\n", b"\r\n"))
    yield coded.replace(b"\n", b"\r\n")
