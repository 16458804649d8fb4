"""Which language a text is in, by its letters."""

import re

_HANGUL = re.compile(r"[\uac00-\ud7a3\u3131-\u318e]")
_LATIN = re.compile(r"[A-Za-z]")
_NOISE = re.compile(r"https?://\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,80}|@\w{1,40}")
# Endings and particles that only a Korean sentence has; an English one may quote a Korean address.
_GRAMMAR = re.compile(r"[요다죠까줘함음][\s.!?~]|[요다죠까줘]$|[을를은는][ ]|부탁|해주|바꿔|싶")
_FEW, _MANY = 0.08, 0.6


def language_of(text: str) -> str:
    """`ko` or `en`: by the share of Hangul letters, and by Korean grammar where both are mixed."""
    plain = _NOISE.sub(" ", text)
    hangul = len(_HANGUL.findall(plain))
    if not hangul:
        return "en" if _LATIN.search(text) else "ko"
    share = hangul / (hangul + len(_LATIN.findall(plain)))
    if share >= _MANY or share < _FEW:
        return "ko" if share >= _MANY else "en"
    return "ko" if _GRAMMAR.search(plain) else "en"
