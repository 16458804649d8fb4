"""Bytes to text, whatever the charset's name says. Nothing here raises."""

import re
from dataclasses import dataclass

from subjectline.intake.mailparse.codecs import codec_of
from subjectline.intake.mailparse.guessing import guess

_UNSURE = ("cp1252", "")  # names that mailers give to anything

_HANGUL = re.compile("[가-힣]")
_BEYOND = re.compile("[^\x00-\x7f]")
_JAMO = re.compile("[ㄱ-ㆎ]")
_COMMON_HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
_TWO_BYTES = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_OTHER = re.compile(
    "[^\x00-\x7f가-힣ㄱ-ㆎ\u2000-\u206f\u3000-\u303f\uff00-\uffef·※★☆○●◎◇◆□■△▲▽▼→←↑↓℃㈜①-⑳]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_C1 = re.compile("[\x80-\x9f]")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class Reading:
    """Text out of bytes, and how it was come by."""

    text: str
    codec: str  # the one that the text was read with
    note: str = ""  # what was wrong with the declared name; "" for nothing

    @property
    def lost(self) -> int:
        """The number of places that could not be read."""
        return self.text.count(_LOST)


def decode(data: bytes, charset: str = "") -> str:
    """`data` as text: by `charset` where that is true, else by what the bytes look like."""
    return reading(data, charset).text


def reading(data: bytes, charset: str = "") -> Reading:
    """As `decode`, with the codec that was used and a note where the declared name was of no use."""
    codec = codec_of(charset)
    text, used = _read(data, codec)
    note = ""
    if charset.strip() and not codec:
        note = "unknown charset"
    elif not used.startswith(codec) and codec and not data.isascii():
        note = "not in the declared charset"
    elif not charset.strip() and not data.isascii():
        note = "no charset declared"
    return Reading(clean(text), used, note)


def _read(data: bytes, codec: str) -> tuple[str, str]:
    if data.isascii() and b"\x1b" not in data and b"\x00" not in data:
        return _plain_ascii(data, codec)
    for mark, bom in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(bom, "replace"), bom
    if codec == "iso2022_kr" or b"\x1b$)C" in data[:200]:
        return _iso_2022_kr(data), "iso2022_kr"
    if codec == "iso2022_jp" or (b"\x1b$" in data and data.isascii()):
        return _japanese(data)
    return _eight_bit(data, codec)


def _plain_ascii(data: bytes, codec: str) -> tuple[str, str]:
    if codec == "utf-7" and b"+" in data:
        return data.decode("utf-7", "replace"), codec
    if codec == "iso2022_kr" and b"\x0e" in data:
        return _iso_2022_kr(data), codec
    if codec == "hz" and b"~{" in data:
        return data.decode("hz", "replace"), codec
    return data.decode("ascii"), codec or "us-ascii"


def _eight_bit(data: bytes, codec: str) -> tuple[str, str]:
    if codec in _UNSURE:
        return _guess(data, codec or "utf-8")
    if codec.startswith(("utf-16", "utf-32")):
        return _wide(data, codec)
    text = _strict(data, codec)
    if codec == "utf-8":
        return (text, codec) if text is not None else _not_utf8(data)
    return _unless_utf8(data, codec, text)


def _wide(data: bytes, codec: str) -> tuple[str, str]:
    """UTF-16 or UTF-32, unless the name lies: ASCII of that width is full of NULs."""
    if b"\x00" in data:
        if codec == "utf-16" and data[:200:2].count(0) > data[1:200:2].count(0):
            codec = "utf-16-be"
        return data.decode(codec, "replace"), codec
    text = data.decode(codec, "replace")
    if _strict(data, "utf-8") is None and len(_HANGUL.findall(text)) * 2 > len(text):
        return text, codec
    return _guess(data, "utf-8")


def _unless_utf8(data: bytes, codec: str, text: str | None) -> tuple[str, str]:
    """Mailers that convert to UTF-8 and keep the old name are common; the other way round is not."""
    utf8 = _strict(data, "utf-8")
    if utf8 is not None and (text is None or _HANGUL.search(utf8) or _many(data)):
        return utf8, "utf-8"
    if codec == "gb18030" and _korean_instead(data):
        return data.decode("cp949", "replace"), "cp949"
    if text is not None:
        return (text, codec) if not _C1.search(text) else _in_windows(data, codec, text)
    if codec == "cp949":
        return _mixed(data), codec
    replaced = _widened(data, codec)
    return (replaced, codec) if _readable(replaced) else _guess(data, codec)


def _korean_instead(data: bytes) -> bool:
    """Chinese programs keep their own name on a Korean answer. Its syllables are the first half of the
    Chinese table, which no dozen Chinese letters keep to: 是 and 我, 在 and 中 are in the second."""
    pairs = _TWO_BYTES.findall(data[:3000])
    letters = sum(pair[0] >= 0xB0 for pair in pairs)
    korean = sum(_COMMON_HANGUL.fullmatch(pair) is not None for pair in pairs)
    return letters >= 12 and korean == letters and guess(data) == "cp949"


def _many(data: bytes) -> bool:
    """More bytes beyond ASCII than make UTF-8 by chance."""
    return sum(byte > 0x7F for byte in data[:2000]) > 8


def _in_windows(data: bytes, codec: str, text: str) -> tuple[str, str]:
    """Control characters where Windows has its quotation marks: an ISO name for a Windows text."""
    pages = {
        "iso8859-2": "cp1250",
        "iso8859-5": "cp1251",
        "iso8859-7": "cp1253",
        "iso8859-13": "cp1257",
    }
    if not codec.startswith("iso8859"):
        return text, codec
    page = pages.get(codec, "cp1252")
    return data.decode(page, "replace"), page


def _widened(data: bytes, codec: str) -> str:
    """By the codec that knows most of a family's letters."""
    wider = {"cp950": "big5hkscs", "euc_jp": "euc_jis_2004", "cp932": "shift_jis_2004"}.get(
        codec, codec
    )
    text, other = data.decode(codec, "replace"), data.decode(wider, "replace")
    return other if other.count(_LOST) < text.count(_LOST) else text


def _readable(text: str) -> bool:
    return text.count(_LOST) * 8 < len(_BEYOND.findall(text))


def _not_utf8(data: bytes) -> tuple[str, str]:
    korean = _strict(data, "cp949")
    if korean is not None and _is_korean(korean, data):
        return korean, "cp949"
    for cut in (data[:-1], data[:-2], data[:-3]):  # the last letter was cut in half
        whole = _strict(cut, "utf-8")
        if whole:
            return whole, "utf-8"
    utf8 = data.decode("utf-8", "replace")
    if _nearly_utf8(utf8, 1) or (_readable(utf8) and not guess(data)):
        return utf8, "utf-8"
    other = guess(data)
    if other and other != "cp949" and _mostly_one(data):
        return data.decode(other, "replace"), other
    return _mixed(data), "utf-8, cp949"


def _nearly_utf8(text: str, times: int) -> bool:
    """Letters beyond ASCII do not come out of other bytes by chance, so a few errors are errors."""
    lost = text.count(_LOST)
    return len(_BEYOND.findall(text)) - lost > max(2, times * lost)


def _mostly_one(data: bytes) -> bool:
    """Whether hardly a line is UTF-8: a forwarded body may carry two charsets."""
    lines = [line for line in data.split(b"\n", 400) if not line.isascii()]
    return sum(_strict(line, "utf-8") is not None for line in lines) * 4 <= len(lines)


def _guess(data: bytes, fallback: str) -> tuple[str, str]:
    utf8 = _strict(data, "utf-8")
    if utf8 is not None:
        return utf8, "utf-8"
    utf8 = data.decode("utf-8", "replace")
    if _nearly_utf8(utf8, 2):
        return utf8, "utf-8"
    korean = data.decode("cp949", "replace")
    if _is_korean(korean, data):
        return korean, "cp949"
    other = guess(data) or fallback
    text = data.decode(other, "replace")
    if text.count(_LOST) and other == "utf-8" and not _readable(text):
        other = "cp1252"  # a letter with a mark is better read wrongly than not at all
        text = data.decode(other, "replace")
    return text, other


def _is_korean(text: str, data: bytes) -> bool:
    hangul = len(_HANGUL.findall(text))
    if hangul < 2 or hangul <= 4 * len(_OTHER.findall(text)):
        return False
    if len(_JAMO.findall(text)) > hangul:  # where EUC-JP has its kana
        return False
    # The syllables of KS X 1001; those of the extension alone are a Western text's marks.
    return 2 * len(_COMMON_HANGUL.findall(data)) >= hangul


def _mixed(data: bytes) -> str:
    """Line by line: a forwarded body may carry two charsets under one name."""
    lines = []
    for line in data.split(b"\n"):
        utf8 = _strict(line, "utf-8")
        lines.append(line.decode("cp949", "replace") if utf8 is None else utf8)
    return "\n".join(lines)


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError):
        return None


def _iso_2022_kr(data: bytes) -> str:
    """Shift-out sections carry KS X 1001 with the high bit off: put it on and read cp949.

    Python's own codec stops at the first missing designator, and knows no 똠.
    """
    text = []
    data = data.replace(b"\x1b$)C", b"").removeprefix(b"$)C")  # a relay may have taken the escape
    for number, section in enumerate(data.replace(b"\x0f", b"\x0e").split(b"\x0e")):
        high = bytes(byte | 0x80 if byte > 0x20 else byte for byte in section)
        text.append(high.decode("cp949", "replace") if number % 2 else decode_any(section))
    return "".join(text)


def _japanese(data: bytes) -> tuple[str, str]:
    if data.isascii() or b"\x1b$" in data:
        return _iso_2022_jp(data), "iso2022_jp"
    for codec in ("utf-8", "euc_jp", "cp932"):  # the name is Japanese and the bytes are 8-bit
        text = _strict(data, codec)
        if text is not None:
            return text, codec
    return _guess(data, "cp932")


_ESCAPE = re.compile(rb"(\x1b\$\([A-Z@]|\x1b\$[A-Z@]|\x1b\([A-Z@]|\x0e|\x0f|\n)")
_ASCII = b"\x1b(B"


def _iso_2022_jp(data: bytes) -> str:
    """Each section by its escape sequence, JIS X 0208 as cp932 reads it (RFC 1468, CP50221).

    Python's own codec stops at ①, ㈱ and half-width kana, which Windows writes.
    """
    text, mode = [], _ASCII
    for piece in _ESCAPE.split(data):
        if piece[:1] in (b"\x1b", b"\x0e", b"\x0f"):
            mode = piece
        elif piece == b"\n":
            text.append("\n")
            mode = _ASCII
        else:
            text.append(_section(piece, mode))
    return "".join(text)


def _section(piece: bytes, mode: bytes) -> str:
    if mode in (b"\x1b$@", b"\x1b$B", b"\x1b$(@", b"\x1b$(B"):
        return _jis(piece).decode("cp932", "replace")
    if mode == b"\x1b$(D":
        return (mode + piece).decode("iso2022_jp_ext", "replace")
    codec = {b"\x1b(I": "cp932", b"\x0e": "cp932", b"\x1b$A": "gb18030", b"\x1b$(C": "cp949"}.get(
        mode
    )
    if codec:
        return bytes(byte | 0x80 for byte in piece).decode(codec, "replace")
    return decode_any(piece.replace(b"\x1b", b""))


def _jis(section: bytes) -> bytes:
    """JIS X 0208 pairs as Shift_JIS ones."""
    out = bytearray()
    for row, cell in zip(section[::2], section[1::2], strict=False):
        row, cell = row & 0x7F, cell & 0x7F
        if row < 0x21 or cell < 0x21:
            out += b"?"
            continue
        out.append(((row - 0x21) >> 1) + (0x81 if row < 0x5F else 0xC1))
        out.append(cell + (0x1F if row % 2 and cell < 0x60 else 0x20 if row % 2 else 0x7E))
    return bytes(out)


def decode_any(data: bytes, hint: str = "") -> str:
    """`data` of which nothing is known but perhaps `hint`, the charset of the text beside it."""
    if data.isascii():
        return _iso_2022_jp(data) if b"\x1b$" in data[:400] else data.decode("ascii")
    utf8 = _strict(data, "utf-8")
    if utf8 is not None:
        return utf8
    codec = codec_of(hint) if hint else ""
    if codec not in (*_UNSURE, "utf-8") and not codec.startswith(("utf-", "iso2022", "hz")):
        text = data.decode(codec, "replace")
        if _readable(text):
            return text
    return _guess(data, "cp1252")[0]


def clean(text: str) -> str:
    """`text` without control characters and lone surrogates: no database takes them."""
    return _CONTROL.sub("", text)
