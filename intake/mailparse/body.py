"""Which parts are the text, which are attachments (RFC 2046, RFC 2183)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape

from subjectline.intake.attachments import look, look_inside
from subjectline.intake.attachments.archives import MEGA, Budget
from subjectline.intake.attachments.names import plain_name
from subjectline.intake.mailparse.charsets import decode, decode_any, reading
from subjectline.intake.mailparse.html import html_to_text
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.intake.mailparse.mime import SIGNED, Headers, Part, decoded
from subjectline.models.files import Apart
from subjectline.models.incoming import Attachment
from subjectline.models.masking import has_resident_number

MAX_TEXT = 1_000_000  # characters of one part that are read as text
MAX_WORDS = 4 * MEGA  # characters of one mail, its files included, that are searched for numbers
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"})
_NOT_READ = frozenset(
    "text/calendar text/css text/csv text/directory text/javascript text/rfc822-headers text/rtf text/vcard "
    "text/x-amp-html text/x-vcard text/x-watch-html text/xml text/x-patch text/x-diff".split()
)
_RICH = ("text/html", "multipart/mixed", "multipart/related")
_ENCRYPTED = frozenset({"application/pgp-encrypted", "multipart/encrypted"})
_CIPHER = re.compile(r"^[ \t]{0,8}-----BEGIN PGP MESSAGE-----", re.MULTILINE)
# The kinds of RFC 5652 (6.1) and RFC 5083 (2), as DER writes their names.
_ENVELOPED = re.compile(rb"\x2a\x86\x48\x86\xf7\x0d\x01(?:\x07\x03|\x09\x10\x01\x17)")
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_LOOKS_HTML = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<div|<p>|<table)", re.IGNORECASE)
_QP = re.compile(rb"(?:=[0-9A-F]{2}){3}")
_BASE64_BODY = re.compile(rb"[A-Za-z0-9+/\n]{60,}={0,2}\Z")
_PLACEHOLDER = re.compile(r"html", re.IGNORECASE)
_EVENT = re.compile(
    r"^(SUMMARY|DTSTART|DTEND|LOCATION|DESCRIPTION)[^:\n]{0,80}:(.*)$", re.MULTILINE
)
_TAGS = re.compile(r"<[^<>]*>")
_APART = re.compile(r"</?(?:p|div|tr|br|li|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
_ONE_LINE_END = {0x0D: "\n", 0xA0: " ", 0x85: "\n", 0x2028: "\n", 0x2029: "\n\n"}
# Up to the next tag: Outlook's fonts are rows of single digits.
_STYLES = re.compile(r"<(?:style|script)\b[^<]*(?:<!--[^<]*)?", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_TOLD = re.compile(r"\b(?:value|alt|title)=([\"'])([^\"'<>]{13,400})\1", re.IGNORECASE)
_CELL = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_ENDINGS = {
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf",
    "text/plain": "txt", "text/html": "html", "text/calendar": "ics", "message/rfc822": "eml",
    "text/rtf": "rtf", "application/rtf": "rtf",
    "application/pkcs7-signature": "p7s", "application/pgp-signature": "asc",
}  # fmt: skip


@dataclass(slots=True)
class Body:
    texts: list[str] = field(default_factory=list)  # in order
    unseen: list[str] = field(default_factory=list)  # readable, but nobody's new words
    files: list[Attachment] = field(default_factory=list)
    encrypted: bool = False
    hidden_resident_number: bool = False  # in a part that is not shown
    attached: bool = False  # of a mail that came attached to another
    kinds: set[str] = field(default_factory=set)
    words: int = MAX_WORDS  # that may yet be read

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)

    def read(self, part: Part) -> str:
        """The part's text, as far as there are words left; markup counts, too."""
        if self.words <= 0:
            part.defects.append("more text than is read")
            return ""
        text = text_of(part)[: self.words]
        self.words -= max(len(text), len(part.body) // 4)
        return text

    @contextmanager
    def budget(self) -> Iterator[Budget]:
        """What looking at a file may cost: its own limits, and of the mail's words what is left."""
        budget = Budget(words=max(self.words, 0))
        yield budget
        self.words = budget.words


def read_body(root: Part) -> Body:
    """The text and the attachments of a tree of parts."""
    body = Body()
    _take(root, body)
    if not body.texts:
        _last_resort(root, body)
    return body


def _take(part: Part, body: Body) -> None:
    body.kinds.add(part.type)
    if part.type in _ENCRYPTED or _is_enveloped(part):
        body.encrypted = True
    if part.type == "multipart/alternative":
        _choose(part, body)
    elif part.type == "multipart/report":
        _report(part, body)
    elif part.type.startswith("multipart/"):
        for child in part.children:
            _take(child, body)
    elif _is_text(part):
        _add_text(part, body)
    else:
        _add_file(part, body)
        _add_wrapped(part, body)


def _is_enveloped(part: Part) -> bool:
    """S/MIME's own word for it, or the bytes of a .p7m whose sender left that word out."""
    said = part.parameters.get("smime-type", "").lower()
    if said or not (part.type in SIGNED or part.filename.lower().endswith(".p7m")):
        return said in ("enveloped-data", "authenveloped-data")
    return bool(_ENVELOPED.search(part.content()[:60]))


def _add_wrapped(part: Part, body: Body) -> None:
    """What an opaque-signed mail or a winmail.dat holds; the text of the latter stands beside it."""
    if part.type.startswith("message/"):
        return
    told = bool(body.texts) and part.type == "application/ms-tnef"
    for child in part.children:
        if not (told and _is_text(child)):
            _take(child, body)


def _is_text(part: Part) -> bool:
    return (
        (part.type in _TEXTS or _unknown_text(part))
        and part.disposition != "attachment"
        and not part.filename
    )


def _unknown_text(part: Part) -> bool:
    """An unknown kind of text is to be shown as a plain one (RFC 2046, 4.1.4)."""
    return part.type.startswith("text/") and part.type not in _NOT_READ


def _add_text(part: Part, body: Body) -> None:
    text = body.read(part)
    if not text.strip():
        return
    if part.type == "text/html":
        _search(part, body, text)
    _ciphered(part, text, body)
    # Mailers that put both forms in a multipart/mixed would say everything twice.
    if body.texts and _same(body.texts[-1], text):
        return
    body.texts.append(text)


def _ciphered(part: Part, text: str, body: Body) -> None:
    """A text that begins as a cipher is one; further down it is told, and the words above are read."""
    found = _CIPHER.search(text)
    if found and not text[: found.start()].strip():
        body.encrypted = True
    elif found:
        part.defects.append("a piece of the text is encrypted")


def _same(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


def _choose(part: Part, body: Body) -> None:
    """Of the alternatives the plain one, unless it only says that there is another."""
    plain = next((child for child in part.children if child.type == "text/plain"), None)
    others = [
        child for child in part.children if child is not plain and child.type != "text/calendar"
    ]
    richest = max(others, key=_richness, default=None)
    if plain is None and richest is not None:
        _take(richest, body)
    elif plain is not None:
        text = body.read(plain)
        if richest is not None and _is_placeholder(text):
            _take(richest, body)
            text = "" if body.texts else text
        elif richest is not None:
            _beside(richest, body)
        if text.strip():
            body.texts.append(text)
            _ciphered(plain, text, body)
    for child in part.children:
        body.kinds.update(one.type for one in child.walk())
        if child.type == "text/calendar" and child is not plain:
            _add_file(child, body)


def _richness(part: Part) -> int:
    return _RICH.index(part.type) if part.type in _RICH else -1


def _is_placeholder(text: str) -> bool:
    text = text.strip()
    return not text or (len(text) < 300 and bool(_PLACEHOLDER.search(text)) and "\n\n" not in text)


def _beside(part: Part, body: Body) -> None:
    """The files of an alternative that is not shown, and whether it holds a resident number."""
    for one in part.walk():
        if one.type == "text/html":
            _search(one, body)
        elif not one.children and not one.type.startswith(("text/", "multipart/")):
            _add_file(one, body)


def _search(part: Part, body: Body, shown: str = "") -> None:
    """Whether HTML holds a resident number where it is not shown: hidden, in a form's field."""
    bare = _bare(part)[: body.words] if body.words > 0 else ""
    if len(_DIGIT.findall(bare)) > len(_DIGIT.findall(shown)):
        body.words -= len(bare)
        body.hidden_resident_number |= has_resident_number(bare)


def _bare(part: Part) -> str:
    """HTML without its tags, at a tenth of the price of reading it; lines and cells stay apart."""
    html = _STYLES.sub("", decode(part.content()[: MAX_TEXT * 4], part.charset))
    shown = _TAGS.sub("", _CELL.sub(" ", _APART.sub("\n", html)))
    return unescape("\n".join((shown, *(one[2] for one in _TOLD.finditer(html)))))


def _report(part: Part, body: Body) -> None:
    """A report's first part is for people; the rest is for machines (RFC 6522)."""
    for number, child in enumerate(part.children):
        if number == 0:
            _take(child, body)
            continue
        body.kinds.add(child.type)
        body.unseen.append(decode_any(child.content()[:20_000]))


def text_of(part: Part) -> str:
    """A text part as text: decoded, HTML read, line ends made one."""
    data = _undeclared(part.content()[: MAX_TEXT * 4], part.headers)
    charset = part.charset
    is_html = part.type == "text/html"
    if is_html and (not charset or charset.lower() in ("us-ascii", "utf-8")):
        declared = _META.search(data[:4000])
        charset = charset if _is_utf8(data) or not declared else declared[1].decode("ascii")
    read = reading(data, charset)
    _note(part, read.note, charset, read.codec, read.lost)
    text = read.text[:MAX_TEXT]
    if is_html or (part.type == "text/plain" and _LOOKS_HTML.match(text) and "</" in text):
        return html_to_text(text)
    if part.type in ("text/enriched", "text/richtext"):
        text = _TAGS.sub("", text)
    if part.parameters.get("format", "").lower() == "flowed":
        text = _flowed(text, part.parameters.get("delsp", "").lower() == "yes")
    return text.replace("\r\n", "\n").translate(_ONE_LINE_END).strip("\n")


def _note(part: Part, note: str, charset: str, codec: str, lost: int) -> None:
    """What an agent should know of a text that was hard to read."""
    if note:
        named = "".join(one for one in charset[:40] if one.isalnum() or one in "-_.:")
        part.defects.append(f"{note}{f' ({named})' if named else ''}, read as {codec}")
    if lost:
        part.defects.append(f"{lost} letters could not be read")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.isascii()


def _undeclared(data: bytes, headers: Headers) -> bytes:
    """A transfer encoding that was applied and not declared, if the result is sensible text."""
    if "content-transfer-encoding" in headers or not data.isascii():
        return data
    if len(_QP.findall(data[:20_000])) >= 3:
        return _if_better(data, decoded(data, b"quoted-printable", True))
    if len(data) > 60 and _BASE64_BODY.match(data.strip()):
        return _if_better(data, decoded(data, b"base64", True))
    return data


def _if_better(data: bytes, other: bytes) -> bytes:
    return other if _is_utf8(other) else data


def _flowed(text: str, delete_space: bool) -> str:
    """Soft line breaks joined again (RFC 3676)."""
    out: list[list[str]] = []
    goes_on = was_quoted = False
    for line in text.replace("\r\n", "\n").split("\n"):
        quoted, signature = line.startswith(">"), line == "-- "
        line = line.removeprefix(" ")
        soft = line.endswith(" ") and not signature
        words = line[:-1] if soft and delete_space else line
        if goes_on and quoted == was_quoted and not signature:
            out[-1].append(words.lstrip("> ") if quoted else words)
        else:
            out.append([words])
        goes_on, was_quoted = soft, quoted
    return "\n".join("".join(pieces) for pieces in out)


def _add_file(part: Part, body: Body) -> None:
    if part.type == "text/calendar" and not part.filename and not body.texts:
        return  # read as text at the end, if there is nothing else
    content = part.body if part.type.startswith("message/") else part.content()
    if not content.strip() and not part.filename:
        return
    name = file_name(part, len(body.files) + 1)
    kind = kind_of(content, part.type)
    # Of an attached mail the words alone are taken; it was looked at whole, with all that is in it.
    apart = () if body.attached else _apart(part, name, kind, content, body)
    body.files.append(Attachment(name, kind, content, declared=part.type, apart=apart))
    if part.children and part.type.startswith("message/"):
        told = _attached_mail(part.children[0], body.words)
        body.words -= len(told)
        body.unseen.append(told)


def _apart(part: Part, name: str, kind: str, content: bytes, body: Body) -> tuple[Apart, ...]:
    """Why the file is kept apart; an attached mail also for the sake of its parts."""
    with body.budget() as budget:
        # An ending that we made up says nothing about the file.
        given = part.filename or ("" if name.endswith(".bin") else name)
        apart = look(given, kind, content, budget)
        if part.children and part.type.startswith("message/"):
            mail = part.children[0]
            parts = ((one, one.content()) for one in mail.walk() if not one.children)
            told = ((one.filename, kind_of(data, one.type), data) for one, data in parts)
            apart += tuple(one for one in look_inside(told, budget) if one not in apart)
    return apart


def _attached_mail(inner: Part, words: int) -> str:
    head = [
        f"{name.title()}: {inner.headers.text(name, 300)}" for name in ("from", "date", "subject")
    ]
    below = Body(attached=True, words=words)
    _take(inner, below)
    return "\n".join([*head, "", below.text, *below.unseen])


def file_name(part: Part, number: int) -> str:
    """A name that is safe to show and to save, made up where there is none. At most 200 characters."""
    name = plain_name(part.filename)[-200:].strip(" .")
    if name:
        return name
    if part.type.startswith("message/") and part.children:
        subject = part.children[0].headers.text("subject", 80).replace("/", "").replace("\\", "")
        subject = plain_name(subject)
        return f"{subject or f'mail-{number}'}.eml"
    return f"attachment-{number}.{_ENDINGS.get(part.type, 'bin')}"


def _last_resort(root: Part, body: Body) -> None:
    """No text part: calendar, a named text, an attached mail, a preamble; in this order."""
    for part in root.walk():
        if part.type == "text/calendar":
            body.texts.append(_event(text_of(part)))
            body.files.append(Attachment(file_name(part, 1), part.type, part.content()))
            return
    named = next((p for p in root.walk() if p.type in _TEXTS and not p.children), None)
    if named is not None and text_of(named).strip():
        body.texts.append(text_of(named))
    elif root.preamble.strip() and not any(p.children for p in root.children):
        body.unseen.append(decode_any(root.preamble))


def _event(text: str) -> str:
    text = text.replace("\n ", "").replace("\\n", "\n").replace("\\,", ",")
    return "\n".join(content.strip() for _, content in _EVENT.findall(text))
