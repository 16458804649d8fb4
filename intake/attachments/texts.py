"""The words in a file, as far as they can be had without a library for its format.

Read: texts of every kind, new Office, OpenDocument and HWPX (their XML), PDF text in simple fonts, and the
plain runs of letters in old Office and HWP. Not read: pictures, and PDFs whose fonts number their glyphs.
Sources: ECMA-376, ODF 1.3, KS X 6101 (OWPML), ISO 32000-1 9.4.3.
"""

import re
import zlib
from collections.abc import Iterator
from html import unescape

from subjectline.intake.attachments.archives import Budget
from subjectline.intake.mailparse.charsets import decode_any

MOST = 2 * 1024 * 1024  # bytes of one text that are read
_STREAMS = 400  # of one PDF
_DEED = 8  # letters that showing any of them costs as much as
_TEXT_TYPES = ("text/", "message/")
_TEXT_ENDINGS = frozenset(
    "txt csv tsv htm html xhtml svg json jsonl xml yaml yml ini cfg log md eml ics vcf rtf tex sql "
    "toml conf".split()
)
_PARTS = re.compile(
    r"(?:word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)|xl/(?:sharedStrings|worksheets/[^/]+"
    r"|comments\d*)|ppt/(?:slides|notesSlides)/[^/]+|Contents/[^/]+|content|docProps/\w+)\.xml$|Preview/PrvText\.txt$"
)
_LINES = re.compile(
    r"</(?:\w+:)?(?:p|c|row|si|tc|tr|h|table-cell|table-row|text)>|<(?:\w+:)?(?:br|tab|lineBreak)\b[^<>]*>"
)
_BLOCKS = re.compile(r"</?(?:p|div|tr|br|li|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
_CELLS = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
_STREAM = re.compile(rb"stream\r?\n")
_SHOWN = re.compile(
    rb"\[((?:[^\[\]\\]|\\.){0,4000})\]\s*TJ|\(((?:[^()\\]|\\.){0,2000})\)\s*(?:Tj|'|\")|(T\*|T[dDm]|ET)\b",
    re.DOTALL,
)
_PIECE = re.compile(rb"\(((?:[^()\\]|\\.)*)\)|<([0-9A-Fa-f]{2,})>", re.DOTALL)
_ESCAPE = re.compile(rb"\\([()\\])")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00){8,}")
_NARROW = re.compile(rb"[\x20-\x7e]{8,}")
_RTF = re.compile(r"\\'([0-9a-fA-F]{2})|\\par\b ?|\\[a-z]{1,32}-?\d{0,10} ?|[{}]")


def is_text(name_ending: str, content_type: str) -> bool:
    """Whether the file is letters all through."""
    said = content_type.startswith(_TEXT_TYPES) or content_type.endswith(("json", "xml", "rtf"))
    return name_ending in _TEXT_ENDINGS or (said and "openxml" not in content_type)


def text_of(content: bytes, content_type: str) -> str:
    """A text file as text; markup without its tags, cells and lines apart."""
    text = _decoded(content[:MOST])
    if text.startswith("{\\rtf"):
        return _RTF.sub(_from_rtf, text)
    if "<" in text and re.search(r"</?[a-zA-Z]", text[:4000]):
        return unescape(_TAGS.sub("", _CELLS.sub(" ", _BLOCKS.sub("\n", text))))
    return text


def _decoded(content: bytes) -> str:
    """A file has no charset declared: two bytes a letter by their mark or their zeros, else as guessed."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if content[1:400:2].count(0) * 4 > len(content[:400]):
        return content.decode("utf-16-le", "replace")
    return decode_any(content)


def _from_rtf(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return "\n" if found[0].startswith("\\par") else ""


def is_words(name: str) -> bool:
    """Whether a member of a document that is an archive holds words."""
    return bool(_PARTS.search(name))


def words_of(name: str, content: bytes) -> str:
    """The words of such a member; cells and paragraphs stand on lines of their own."""
    if name.endswith(".txt"):
        return _decoded(content[:MOST])
    text = content[: 4 * MOST].decode("utf-8", "replace")
    return unescape(_TAGS.sub("", _LINES.sub("\n", text)))


def pdf(content: bytes, budget: Budget) -> Iterator[str]:
    """What the content streams of a PDF show in fonts of one byte a letter. Raises BadInput."""
    at = 0
    for _ in range(_STREAMS):
        found = _STREAM.search(content, at)
        if found is None:
            return
        end = content.find(b"endstream", found.end())
        end = len(content) if end < 0 else end
        shown = _shown(_inflated(content[found.end() : end], budget), budget)
        if shown.strip():
            yield shown
        at = end + 9


def _inflated(data: bytes, budget: Budget) -> bytes:
    try:
        data = zlib.decompressobj().decompress(data, min(budget.size + 1, 4 * MOST))
    except zlib.error:
        data = data[:MOST] if b"Tj" in data or b"TJ" in data else b""
    budget.spend(len(data))
    return data


def _shown(stream: bytes, budget: Budget) -> str:
    if b"T" not in stream:
        return ""
    out: list[bytes] = []
    for found in _SHOWN.finditer(stream):
        budget.read(_DEED)
        if found[1] is not None:
            out += [_bytes(one) for one in _PIECE.finditer(found[1])]
        else:
            out.append(b" " if found[3] else _plain(found[2] or b""))
    return b"".join(out).decode("latin-1")


def _bytes(piece: re.Match[bytes]) -> bytes:
    if piece[1] is not None:
        return _plain(piece[1])
    digits = piece[2]
    return bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))


def _plain(letters: bytes) -> bytes:
    return _ESCAPE.sub(rb"\1", letters) if b"\\" in letters else letters


def runs(content: bytes) -> str:
    """The plain runs of letters in a file of another kind, each on its line."""
    wide = (one[0][::2] for one in _WIDE.finditer(content[: 4 * MOST]))
    narrow = (one[0] for one in _NARROW.finditer(content[:MOST]))
    return b"\n".join((*wide, *narrow)).decode("ascii")
