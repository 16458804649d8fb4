"""Which codec a charset's name means, as data: what the name's writer had in mind, not what it says.

Only codecs of this table are ever asked: `idna` and `punycode` are text codecs too, and quadratic.
Names are compared without case and punctuation (`KS_C_5601-1987`, `ks-c56011987`); code pages also
by number (`cp1251`, `win-1251`, `x-ms-cp1251`, `1251`), as the WHATWG Encoding Standard has them.
"""

import re
from functools import lru_cache

_ALIASES = {
    "utf-8": "utf8 unicode11utf8 utf8sig utf8mb4 utf8mb3 xunicode unicode20utf8 xunicode20utf8 utf8mac utf8n",
    "cp949": "ksc56011987 ksc56011989 ksc56011992 ksc5601 ksx1001 ksx10011992 korean euckr xeuckr cseuckr "
    "isoir149 uhc xuhc xkorean ks5601 ksc kr cskorean",
    "iso2022_kr": "iso2022kr csiso2022kr",
    "johab": "johab xjohab",
    "cp1252": "usascii ascii ansix34 ansix341968 ansix341986 iso88591 latin1 xansi ansi 88591 iso646us us "
    "l1 cp819 ibm819 isoir100 csisolatin1 iso885911987 7bit 8bit unknown8bit unknown xunknown default none "
    "xuserdefined iso8859 isolatin1",
    "gb18030": "gb2312 gb231280 gbk xgbk gb18030 euccn xeuccn gb2312charset gb chinese csgb2312 isoir58",
    "hz": "hzgb2312 hz",
    "iso2022_cn": "iso2022cn iso2022cnext",
    "cp950": "big5 xbig5 big5hkscs cnbig5 csbig5 big5eten xxbig5 big5tw euctw xeuctw",
    "cp932": "shiftjis sjis xsjis mskanji windows31j shiftjiscp932 csshiftjis",
    "euc_jp": "eucjp xeucjp eucjpms ujis cseucpkdfmtjapanese",
    "iso2022_jp": "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpms csiso2022jp jis jis7 "
    "jisencoding",
    "utf-16": "utf16 unicode ucs2 iso10646ucs2 csunicode utf16bom",
    "utf-16-le": "utf16le unicodefeff ucs2le",
    "utf-16-be": "utf16be unicodefffe ucs2be",
    "utf-32": "utf32 ucs4 utf32le utf32be",
    "utf-7": "utf7 unicode11utf7 unicode20utf7 xunicode20utf7 utf7imap xutf7",
    "iso8859-2": "iso88592 latin2 l2 csisolatin2 isolatin2",
    "iso8859-3": "iso88593 latin3",
    "iso8859-4": "iso88594 latin4",
    "iso8859-5": "iso88595 cyrillic csisolatincyrillic",
    "iso8859-7": "iso88597 greek iso88597greek",
    "cp1254": "iso88599 latin5 turkish",
    "iso8859-10": "iso885910 latin6",
    "iso8859-13": "iso885913 latin7",
    "iso8859-14": "iso885914 latin8",
    "iso8859-15": "iso885915 latin9 latin0",
    "iso8859-16": "iso885916 latin10",
    "cp1255": "iso88598 iso88598i iso88598e hebrew logical visual",
    "cp1256": "iso88596 iso88596i iso88596e arabic",
    "cp874": "tis620 iso885911 thai dos874",
    "koi8-r": "koi8r koi8 koi cskoi8r",
    "koi8-u": "koi8u koi8ru",
    "mac-roman": "macintosh macroman mac xmacroman csmacintosh",
    "mac-cyrillic": "xmaccyrillic maccyrillic xmacukrainian",
    "ptcp154": "ptcp154 cp154",
    "hp-roman8": "hproman8 roman8",
}  # fmt: skip
_CODECS = {name: codec for codec, names in _ALIASES.items() for name in names.split()}
# Microsoft's numbers that are not Python's; the rest are `cp` + number.
_PAGES = {
    "65001": "utf-8", "65000": "utf-7", "1200": "utf-16-le", "1201": "utf-16-be", "51949": "cp949",
    "20949": "cp949", "10003": "cp949", "5601": "cp949", "1361": "johab", "50225": "iso2022_kr",
    "50220": "iso2022_jp", "50221": "iso2022_jp", "50222": "iso2022_jp", "51932": "euc_jp",
    "20932": "euc_jp", "936": "gb18030", "54936": "gb18030", "51936": "gb18030", "20936": "gb18030",
    "52936": "hz", "20127": "cp1252", "28591": "cp1252", "28592": "iso8859-2", "28595": "iso8859-5",
    "28597": "iso8859-7", "28598": "cp1255", "28599": "cp1254", "28605": "iso8859-15",
    "20866": "koi8-r", "21866": "koi8-u", "10000": "mac-roman", "10007": "mac-cyrillic",
    "38598": "cp1255", "943": "cp932", "970": "cp949", "1363": "cp949", "1383": "gb18030",
}  # fmt: skip
_OWN_PAGES = frozenset(
    "437 737 775 850 852 855 857 858 860 861 862 863 864 865 866 869 874 932 949 950 1250 1251 1252 1253 "
    "1254 1255 1256 1257 1258".split()
)
_PAGE = re.compile(
    r"(?:x|csx?)?(?:ms)?(?:windows|win|cp|ms|ibm|dos|codepage|ccsid|oem)?0?(\d{3,5})"
)
_PUNCTUATION = re.compile(r"[^a-z0-9]")
_MAX_NAME = 100


@lru_cache(maxsize=512)
def codec_of(charset: str) -> str:
    """The codec for a charset's name as a mail declares it; "" for an unknown name or none."""
    name = _PUNCTUATION.sub("", charset[:_MAX_NAME].split("*")[0].split(";")[0].lower())
    name = name.removeprefix("charset")
    if name in _CODECS:
        return _CODECS[name]
    page = _PAGE.fullmatch(name)
    if page and page[1] in _PAGES:
        return _PAGES[page[1]]
    return f"cp{page[1]}" if page and page[1] in _OWN_PAGES else ""
