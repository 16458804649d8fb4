"""Which charset bytes are in when nobody says, or somebody lies: by the letters that come out.

A text in the right codec is made of its language's common letters; in a wrong one it is not. The
letters are those that make up about half of ordinary text (Han, Hangul) or three quarters (scripts
of a few dozen letters). A mail of three words can be guessed wrongly; a wrong guess is told (see
`Reading`), and the bytes stay.
"""

import re
from dataclasses import dataclass

SAMPLE = 1500  # bytes that are looked at


@dataclass(frozen=True, slots=True)
class _Language:
    codec: str
    common: frozenset[str]
    usual: float  # the share of `common` among the letters beyond ASCII in ordinary text
    first: str  # of the script
    last: str

    @property
    def single(self) -> bool:
        """A byte a letter, and not Latin."""
        return "Ͱ" <= self.first <= "๛"

    @property
    def latin(self) -> bool:
        return self.first == "\u00c0"


def _language(codec: str, common: str, usual: float, first: str, last: str) -> _Language:
    return _Language(codec, frozenset(common), usual, first, last)


_KOREAN = (
    "이다는을를에의가고하지은기한도시사로인정해주니요습입합서대나리어그일제자수부보있으면과라니까아여러분들것게안녕"
    "세요문신청처번호소메회원개보내드비전화상구만모스공동장성경우저바용무조계생신유관광당오원원지거마위체단"
)
_SIMPLIFIED = (
    "的一是不了在有人我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而"
    "能好都然没日于起还发成事只作当想看文无开手用主行方如前所本经面公同三已从动两长请电话司信息邮件您各及业务产品网站"
    "理联系服商发票代价格提供"
)
_TRADITIONAL = (
    "的一是不了在有人我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可裡後小麼心多天而"
    "能好都然沒日於起還發成事只作當想看文無開手用主行方如前所本經面公同三已從動兩長請電話司信息郵件您各及業務產品網站"
    "理聯繫服商價格提供"
)
_JAPANESE = (
    "のにはをたがでてとしれさいるすあなまもからこりうくきんっよりおせつめけそちみやわだどらえひばびへべろ"
    "ンスルトイアラリクドシレッジタフロテコニマキムメグバサオチカデウプ、。ー"
)
_LANGUAGES = (
    _language("cp949", _KOREAN, 0.5, "가", "힣"),
    _language("gb18030", _SIMPLIFIED, 0.35, "一", "龥"),
    _language("cp950", _TRADITIONAL, 0.35, "一", "龥"),
    _language("cp932", _JAPANESE, 0.55, "ぁ", "龥"),
    _language("euc_jp", _JAPANESE, 0.55, "ぁ", "龥"),
    _language("cp1251", "оеаинтсрвлкмдпуя", 0.78, "Ѐ", "ӿ"),
    _language("koi8-r", "оеаинтсрвлкмдпуя", 0.78, "Ѐ", "ӿ"),
    _language("cp866", "оеаинтсрвлкмдпуя", 0.78, "Ѐ", "ӿ"),
    _language("cp1253", "αοιετσνηυρπκμλάίόέή", 0.8, "Ͱ", "Ͽ"),
    _language("cp1255", "יוהלארתבשםמנדפע", 0.85, "א", "ת"),
    _language("cp1256", "ايلمنترويبةدعسهفقك", 0.8, "ء", "ي"),
    _language("cp874", "านรอกเงมยลวดทสตะปบคห่้ิีั", 0.8, "ก", "๛"),
    _language("cp1254", "ışğçöüİŞĞÇÖÜâî", 1.0, "\u00c0", "\u017f"),
    _language("cp1250", "áéíýěščřžůúťďňóąćęłńśźżôäöüőű", 1.1, "\u00c0", "\u017f"),
)
_PUNCTUATION = frozenset(
    "‘’“”–—…·•€£¥©®™°«»§±½¼¾´¨¡¿ºª¹²³×¢、。「」《》【】，！？：；（）～￦\u00a0\u00ad\u3000"
)
_WESTERN = frozenset("äöüßéèêëàâçîïìòôùûñáíóúãõåøæÄÖÜÉÈÀÇÅØÆÓÍÁÚÑ")
_WESTERN_USUAL = 0.9
_BEYOND = re.compile(rb"[\x80-\xff]")
_TOUCHING = re.compile("[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")
_AHEAD = 0.12  # by which Turkish and Czech must fit better than French
_SURE = 0.45  # of the usual share
_ENOUGH = 0.25  # a Hangul name and little else
_LOST = "\ufffd"


def guess(data: bytes) -> str:
    """The codec that `data` (8-bit, not UTF-8) is most likely in; "" if none fits well."""
    data = _sample(data)
    best, found = _western(data), "cp1252"
    if best > 0.98:  # none can fit better
        return found
    for language in _LANGUAGES:
        fit = _fit(data, language)
        if fit > best + (_AHEAD if language.latin else 0.02):
            best, found = fit, language.codec
    return found if best >= _SURE else _nearly_korean(data)


def _sample(data: bytes) -> bytes:
    """From the first byte beyond ASCII on."""
    found = _BEYOND.search(data)
    start = found.start() if found else 0
    return data[start : start + SAMPLE]


def _fit(data: bytes, language: _Language) -> float:
    """How usual the share of common letters is (1 and more: quite), less for what is out of place."""
    text = data.decode(language.codec, "replace")
    letters = [one for one in text if one > "\x7f" and one not in _PUNCTUATION]
    if len(set(letters)) < 2:
        return 0.0
    common = sum(one in language.common for one in letters)
    strange = sum(not language.first <= one <= language.last for one in letters)
    lost = max(0, text.count(_LOST) - 1)  # the sample may end inside a letter
    if language.single:  # no word is half of this script and half of ours
        lost += len(_TOUCHING.findall(text))
    share = (common - 0.5 * strange - 2 * lost) / len(letters)
    return min(share / language.usual, 1.0)


def _western(data: bytes) -> float:
    """Letters with marks stand alone between plain ones; bytes of another script in rows."""
    text = data.decode("cp1252", "replace")
    marks = [at for at, one in enumerate(text) if one > "\x7f"]
    alone = sum(
        (text[at] in _WESTERN and not text[at - 1 : at + 2 : 2].strip(_PLAIN))
        or text[at] in _PUNCTUATION
        for at in marks
    )
    return alone / len(marks) / _WESTERN_USUAL if marks else 0.0


_PLAIN = "".join(map(chr, range(128)))


def _nearly_korean(data: bytes) -> str:
    korean = _fit(data, _LANGUAGES[0])
    return "cp949" if korean >= _ENOUGH else ""
