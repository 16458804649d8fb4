"""Which parts are the text, which are attachments (RFC 2046, RFC 2183)."""

import re
from dataclasses import dataclass, field
from html import unescape

from subjectline.intake.attachments import look, look_inside
from subjectline.intake.attachments.names import plain_name
from subjectline.intake.mailparse.charsets import decode, decode_any, reading
from subjectline.intake.mailparse.html import html_to_text
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.intake.mailparse.mime import Headers, Part, decoded
from subjectline.models.files import Apart
from subjectline.models.incoming import Attachment
from subjectline.models.masking import has_resident_number

MAX_TEXT = 1_000_000  # characters of one part that are read as text
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"})
_NOT_READ = frozenset(
    "text/calendar text/css text/csv text/directory text/javascript text/rfc822-headers text/rtf text/vcard "
    "text/x-amp-html text/x-vcard text/x-watch-html text/xml text/x-patch text/x-diff".split()
)
_RICH = ("text/html", "multipart/mixed", "multipart/related")
_ENCRYPTED = frozenset({"application/pgp-encrypted", "multipart/encrypted"})
_CIPHER = re.compile(r"-----BEGIN PGP MESSAGE-----")
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
_CELL = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_ENDINGS = {
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf",
    "text/plain": "txt", "text/html": "html", "text/calendar": "ics", "message/rfc822": "eml",
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

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)


def read_body(root: Part) -> Body:
    """The text and the attachments of a tree of parts."""
    body = Body()
    _take(root, body)
    if not body.texts:
        _last_resort(root, body)
    return body


def _take(part: Part, body: Body) -> None:
    body.kinds.add(part.type)
    if part.type in _ENCRYPTED or part.parameters.get("smime-type") == "enveloped-data":
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
    text = text_of(part)
    if not text.strip():
        return
    body.encrypted = body.encrypted or bool(_CIPHER.match(text.lstrip()))
    # Mailers that put both forms in a multipart/mixed would say everything twice.
    if body.texts and _same(body.texts[-1], text):
        return
    body.texts.append(text)


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
        text = text_of(plain)
        if richest is not None and _is_placeholder(text):
            _take(richest, body)
            text = "" if body.texts else text
        elif richest is not None:
            _beside(richest, body)
        if text.strip():
            body.texts.append(text)
            body.encrypted = body.encrypted or bool(_CIPHER.match(text.lstrip()))
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
            body.hidden_resident_number |= has_resident_number(_bare(one))
        elif not one.children and not one.type.startswith(("text/", "multipart/")):
            _add_file(one, body)


def _bare(part: Part) -> str:
    """HTML without its tags, at a tenth of the price of reading it; lines and cells stay apart."""
    html = _APART.sub("\n", decode(part.content()[: MAX_TEXT * 4], part.charset))
    return unescape(_TAGS.sub("", _CELL.sub(" ", html)))


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
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").strip("\n")


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
    apart = () if body.attached else look(part.filename or name, kind, content)
    if part.children and part.type.startswith("message/") and not body.attached:
        apart += tuple(one for one in _apart_in(part.children[0]) if one not in apart)
    body.files.append(Attachment(name, kind, content, declared=part.type, apart=apart))
    if part.children and part.type.startswith("message/"):
        body.unseen.append(_attached_mail(part.children[0]))


def _apart_in(mail: Part) -> tuple[Apart, ...]:
    """What is to be said of an attached mail for the sake of its parts."""
    parts = ((one, one.content()) for one in mail.walk() if not one.children)
    return look_inside((one.filename, kind_of(data, one.type), data) for one, data in parts)


def _attached_mail(inner: Part) -> str:
    head = [
        f"{name.title()}: {inner.headers.text(name, 300)}" for name in ("from", "date", "subject")
    ]
    below = Body(attached=True)
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
