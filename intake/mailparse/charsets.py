"""Bytes to text, whatever the charset's name says. Nothing here raises."""

import re

# Only these codecs are ever asked: idna and punycode are text codecs too, and quadratic.
_NAMES = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 utf-8-sig utf8mb4 cp65001 x-unicode",
    "cp949": "ks_c_5601-1987 ks_c_5601-1989 ks_c_5601 ks-c-5601-1987 ksc5601 ksc_5601 ks_x_1001 ksx1001 "
    "korean euc-kr euckr euc_kr x-euc-kr cseuckr iso-ir-149 cp949 ms949 x-windows-949 windows-949 uhc "
    "x-uhc cp-949 949 5601 ks5601 kr",
    "iso2022_kr": "iso-2022-kr iso2022-kr iso2022kr csiso2022kr",
    "johab": "johab x-johab cp1361 ms1361",
    "cp1252": "us-ascii ascii ansi_x3.4-1968 iso-8859-1 iso8859-1 iso_8859-1 latin1 latin-1 windows-1252 "
    "cp1252 cp-1252 x-ansi ansi iso-8859-15 iso8859-15 8859-1",
    "gb18030": "gb2312 gb_2312-80 gbk x-gbk gb18030 euc-cn cp936 hz-gb-2312",
    "cp950": "big5 big-5 x-big5 cp950 big5-hkscs",
    "cp932": "shift_jis shift-jis sjis x-sjis ms932 cp932 windows-31j",
    "euc_jp": "euc-jp eucjp x-euc-jp",
    "iso2022_jp_ext": "iso-2022-jp iso-2022-jp-2 iso-2022-jp-ms",
    "utf-16": "utf-16 utf16 unicode ucs-2 iso-10646-ucs-2",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-32": "utf-32",
    "utf-7": "utf-7 unicode-1-1-utf-7",
    "iso8859-2": "iso-8859-2",
    "iso8859-5": "iso-8859-5",
    "iso8859-7": "iso-8859-7",
    "iso8859-9": "iso-8859-9",
    "cp1250": "windows-1250 cp1250",
    "cp1251": "windows-1251 cp1251",
    "cp1253": "windows-1253",
    "cp1254": "windows-1254",
    "cp1255": "windows-1255 iso-8859-8 iso-8859-8-i",
    "cp1256": "windows-1256 iso-8859-6",
    "cp1257": "windows-1257",
    "cp1258": "windows-1258",
    "cp874": "windows-874 tis-620 iso-8859-11",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
}
_CODECS = {name: codec for codec, names in _NAMES.items() for name in names.split()}
_UNSURE = ("cp1252", "")  # names that mailers give to anything

_HANGUL = re.compile("[가-힣]")
_OTHER = re.compile(
    "[^\x00-\x7f가-힣ㄱ-ㆎ\u2000-\u206f\u3000-\u303f\uff00-\uffef·※★☆○●◎◇◆□■△▲▽▼→←↑↓℃㈜①-⑳]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def decode(data: bytes, charset: str = "") -> str:
    """`data` as text: by `charset` where that is true, else by what the bytes look like."""
    if data.isascii() and b"\x1b" not in data and b"\x00" not in data:
        return clean(_plain_ascii(data, charset))
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return clean(data[len(mark) :].decode(codec, "replace"))
    return clean(_by_name(data, _codec(charset)))


def _codec(charset: str) -> str:
    name = (
        charset.strip().strip("\"'").split("*")[0].split(";")[0].strip().lower().replace(" ", "-")
    )
    return _CODECS.get(name, "")


def _plain_ascii(data: bytes, charset: str) -> str:
    codec = _codec(charset)
    if codec == "utf-7" and b"+" in data:
        return data.decode("utf-7", "replace")
    if codec == "iso2022_kr" and b"\x0e" in data:
        return _iso_2022_kr(data)
    if charset.strip().lower() == "hz-gb-2312" and b"~{" in data:
        return data.decode("hz", "replace")
    return data.decode("ascii")


def _by_name(data: bytes, codec: str) -> str:
    if codec == "iso2022_kr" or data.startswith(b"\x1b$)C"):
        return _iso_2022_kr(data)
    if codec in _UNSURE:
        return _guess(data, codec or "utf-8")
    if codec.startswith(("utf-16", "utf-32")) and b"\x00" not in data:
        return _guess(data, "utf-8")  # the name lies: ASCII of that width is full of NULs
    text = _strict(data, codec)
    if codec == "utf-8":
        return text if text is not None else _not_utf8(data)
    return _unless_utf8(data, codec, text)


def _unless_utf8(data: bytes, codec: str, text: str | None) -> str:
    """Mailers that convert to UTF-8 and keep the old name are common; the other way round is not."""
    utf8 = _strict(data, "utf-8")
    if utf8 is not None and (text is None or _HANGUL.search(utf8)):
        return utf8
    if text is not None:
        return text
    return _mixed(data) if codec == "cp949" else data.decode(codec, "replace")


def _not_utf8(data: bytes) -> str:
    korean = _strict(data, "cp949")
    if korean is not None and _is_korean(korean):
        return korean
    for cut in (data[:-1], data[:-2], data[:-3]):  # the last letter was cut in half
        whole = _strict(cut, "utf-8")
        if whole:
            return whole
    utf8 = data.decode("utf-8", "replace")
    return utf8 if utf8.count("\ufffd") * 8 < len(utf8) else _mixed(data)


def _guess(data: bytes, fallback: str) -> str:
    utf8 = _strict(data, "utf-8")
    if utf8 is not None:
        return utf8
    korean = data.decode("cp949", "replace")
    if _is_korean(korean):
        return korean
    return data.decode(fallback, "replace")


def _is_korean(text: str) -> bool:
    hangul = len(_HANGUL.findall(text))
    return hangul >= 2 and hangul > 4 * len(_OTHER.findall(text))


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
    data = data.replace(b"\x1b$)C", b"")
    for number, section in enumerate(data.replace(b"\x0f", b"\x0e").split(b"\x0e")):
        high = bytes(byte | 0x80 if byte > 0x20 else byte for byte in section)
        text.append(high.decode("cp949", "replace") if number % 2 else decode_any(section))
    return "".join(text)


def decode_any(data: bytes) -> str:
    """`data` of which nothing is known: UTF-8, else Korean, else Western."""
    return data.decode("ascii") if data.isascii() else _guess(data, "cp1252")


def clean(text: str) -> str:
    """`text` without control characters and lone surrogates: no database takes them."""
    return _CONTROL.sub("", text)
