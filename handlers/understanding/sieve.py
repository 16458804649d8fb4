"""One cheap look at a text that tells which of many patterns can fit it at all.

Most sentences of a letter ask for nothing. A look for the words that the patterns need costs a few
microseconds for all of them together, and only the patterns whose words stand there are tried.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import Any

from subjectline.handlers.understanding.needs import WHOLE, needs

EVERY = -1  # a look that rules nothing out
_PLANES = 3  # sets of pieces of a pattern that are asked for
# Letters that `re.IGNORECASE` takes for an ASCII one, where `lower` does not.
_FOLDED = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s"})


def folded(text: str) -> str:
    """Small letters: what `re.IGNORECASE` would find in `text` stands there as written."""
    return (text if text.isascii() else text.translate(_FOLDED)).lower()


class Sieve:
    """The patterns of one language. `add` them at import; the first `look` builds the index."""

    def __init__(self, *, tight: bool) -> None:
        self._tight = tight
        self.patterns: list[re.Pattern[str]] = []
        self._bits: dict[str, int] | None = None
        self._always = self._width = 0
        self._pieces: re.Pattern[str] = re.compile("(?!)")

    def add(self, pattern: re.Pattern[str]) -> int:
        """The bit that stands in a look where `pattern` can fit."""
        if pattern not in self.patterns:
            self.patterns.append(pattern)
            self._bits = None
        return 1 << self.patterns.index(pattern)

    def look(self, text: str) -> int:
        """The bits of the patterns that can fit a text. Linear time."""
        bits = self._build() if self._bits is None else self._bits
        seen = self._always
        if self._tight:
            text = text.lower()
            for piece in bits.keys() & {*text, *map(add, text, text[1:])}:
                seen |= bits[piece]
        else:
            for piece in set(self._pieces.findall(folded(text))):
                seen |= bits[piece]
        width = self._width
        return seen & (seen >> width) & (seen >> 2 * width) & ((1 << width) - 1)

    def _build(self) -> Mapping[str, int]:
        self._width = len(self.patterns)
        asked: dict[str, int] = {}
        self._always = 0
        for number, pattern in enumerate(self.patterns):
            sets = needs(pattern, tight=self._tight)[:_PLANES]
            for plane in range(_PLANES):
                bit = 1 << (number + plane * self._width)
                for piece in sets[plane] if plane < len(sets) else ():
                    asked[piece] = asked.get(piece, 0) | bit
                self._always |= 0 if plane < len(sets) else bit
        self._bits = asked if self._tight else _with_beginnings(asked)
        if not self._tight:
            self._pieces = _words(asked)
        return self._bits


def _with_beginnings(asked: Mapping[str, int]) -> dict[str, int]:
    """Letters found -> what they stand for: themselves, and the shorter pieces that they begin with."""
    found: dict[str, int] = {}
    for letters in {piece.rstrip(WHOLE) for piece in asked}:
        bits = asked.get(letters, 0) | asked.get(letters + WHOLE, 0)
        for end in range(1, len(letters)):
            bits |= asked.get(letters[:end], 0)
            if not (letters[end].isalnum() or letters[end] == "_"):
                bits |= asked.get(letters[:end] + WHOLE, 0)
        found[letters] = bits
    return found


def _words(pieces: Iterable[str]) -> re.Pattern[str]:
    """Finds at the beginning of each word the longest of the pieces."""
    roots: dict[str, Any] = {}
    for piece in pieces:
        node = roots
        for letter in piece:
            node = node.setdefault(letter, {})
        node[""] = {}
    return re.compile(
        rf"\b(?=({_branch(roots)}))"
    )  # takes nothing: a piece may begin within another


def _branch(node: Mapping[str, Any]) -> str:
    """The longer ways come first; the end of a piece comes last."""
    ways = [re.escape(c) + _branch(node[c]) for c in sorted(node) if c not in ("", WHOLE)]
    ways += [""] if "" in node else [r"(?!\w)"] if WHOLE in node else []
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


LATIN = Sieve(tight=False)  # over English sentences
HANGUL = Sieve(tight=True)  # over Korean ones without spaces


def sifted(sieve: Sieve, patterns: Sequence[re.Pattern[str]]) -> int:
    """The bits of several patterns together."""
    together = 0
    for pattern in patterns:
        together |= sieve.add(pattern)
    return together


def ready() -> None:
    """Builds both indexes: some tenths of a second, once."""
    for sieve in (LATIN, HANGUL):
        sieve.look("")
