"""Which words a text must have for a pattern to fit it, read off the pattern itself.

A pattern becomes a few sets of pieces; where it fits, one piece of each set stands in the text. What is
not understood asks for nothing, so that a look for the pieces never loses a match.
"""

import importlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

# The parser of `re`, private by its name: a copy of it would drift from what `re` compiles.
_parser: Any = importlib.import_module("re._parser")
WHOLE = "\0"  # behind a piece that ends where its word ends
_MOST = 12  # spellings of one piece
_LOST = re.compile(r"[\s\"'*_()\[\]]")  # what a text without spaces does not have
_COMMON = frozenset(
    "a i me my you u the it is are was be been to of on in at for from with and or not no do any all "
    "has have had this that what out off up as by so if".split()
)
_EVERYDAY = frozenset("이다는을를가하해고지서로의에은요세습니도기나한주시어아있면제내")


class Needs(NamedTuple):
    """`sets`: one piece of each must stand there. `edge`: a word can only begin right behind."""

    sets: tuple[frozenset[str], ...]
    edge: bool


def needs(pattern: re.Pattern[str], *, tight: bool) -> list[frozenset[str]]:
    """The sets of pieces that a match of `pattern` needs, the rarest first; empty: nothing is known.

    `tight`: pieces may stand anywhere (Korean without spaces); else they begin where a word begins.
    Pieces are in lower case.
    """
    reader = _Reader(tight)
    found = reader.sequence(_parser.parse(pattern.pattern, pattern.flags), edge=False, ends=False)
    return sorted(found.sets, key=_often)


def _often(pieces: Iterable[str]) -> float:
    """How often some piece is likely to stand in any text."""
    return sum(_weight(piece.rstrip(WHOLE), piece.endswith(WHOLE)) for piece in pieces)


def _weight(piece: str, whole: bool) -> float:
    if piece in _COMMON:
        return 9.0
    if piece.isascii():
        return 4.0 ** -(len(piece) + whole)
    return 0.3 ** len(piece) * 4.0 ** sum(one in _EVERYDAY for one in piece)


class _Reader:
    def __init__(self, tight: bool) -> None:
        self.tight = tight

    def sequence(self, items: Iterable[tuple[Any, Any]], *, edge: bool, ends: bool) -> Needs:
        """`edge`: a word can only begin where it begins; `ends`: a word can only end where it ends."""
        todo = [(str(op), value) for op, value in items]
        sets: list[frozenset[str]] = []
        place = 0
        while place < len(todo):
            run, after = self._run(todo, place)
            if run:
                last = after == len(todo)
                sets += self._pieces(run, edge, ends if last else _boundary(todo[after]))
                edge = all(_apart(one[-1]) for one in run if one) and all(run)
                place = after
                continue
            closes = ends if place + 1 == len(todo) else _boundary(todo[place + 1])
            one = self._item(*todo[place], edge=edge, ends=closes)
            sets += one.sets
            edge = one.edge
            place += 1
        return Needs(tuple(sorted(set(sets), key=_often)[:4]), edge)

    def _run(self, todo: Sequence[tuple[str, Any]], place: int) -> tuple[list[str], int]:
        """The spellings of the letters from here on, and where they end."""
        run = [""]
        while place < len(todo):
            ways = _ways(*todo[place])
            if not ways or len(run) * len(ways) > _MOST:
                break
            run = [one + way for one in run for way in ways]
            place += 1
        return ([] if run == [""] else run), place

    def _pieces(self, run: Sequence[str], edge: bool, ends: bool) -> list[frozenset[str]]:
        if self.tight:
            found = [{_gram(one.lower(), last) for one in run} for last in (False, True)]
        else:
            found = [{_word(one.lower(), ends) for one in run}] if edge else []
        return [frozenset(pieces) for pieces in found if "" not in pieces]

    def _item(self, op: str, value: Any, *, edge: bool, ends: bool) -> Needs:
        if op == "SUBPATTERN":
            return self.sequence(value[3], edge=edge, ends=ends)
        if op == "BRANCH":
            return self._branch(value[1], edge, ends)
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(value, edge)
        if op == "ASSERT" and value[0] == 1:
            return Needs(self.sequence(value[1], edge=edge, ends=False).sets, edge)
        if op == "AT":
            begins = str(value) in ("AT_BOUNDARY", "AT_BEGINNING", "AT_BEGINNING_STRING")
            return Needs((), edge or begins)
        if op in ("ASSERT", "ASSERT_NOT"):
            return Needs((), edge)
        return Needs((), op == "IN" and _blank(value))

    def _branch(self, ways: Sequence[Any], edge: bool, ends: bool) -> Needs:
        found = [self.sequence(way, edge=edge, ends=ends) for way in ways]
        out = all(one.edge for one in found)
        if not all(one.sets for one in found):
            return Needs((), out)
        depth = max(len(one.sets) for one in found)
        sets = (
            frozenset().union(*(one.sets[min(k, len(one.sets) - 1)] for one in found))
            for k in range(depth)
        )
        return Needs(tuple(sets), out)

    def _repeat(self, value: Any, edge: bool) -> Needs:
        least, _, inner = value
        found = self.sequence(inner, edge=edge and not least, ends=False)
        again = self.sequence(inner, edge=False, ends=False)
        if not least:
            return Needs((), edge and found.edge)
        return Needs(again.sets, again.edge)


def _ways(op: str, value: Any) -> list[str]:
    """The spellings of one letter of a pattern; empty where it is no letter."""
    if op == "LITERAL":
        return [chr(value)]
    if op == "IN" and len(value) <= 6 and all(str(kind) == "LITERAL" for kind, _ in value):
        return [chr(code) for _, code in value]
    if op == "MAX_REPEAT" and value[0] == 0 and value[1] == 1 and len(value[2]) == 1:
        kind, inner = value[2][0]
        ways = _ways(str(kind), inner)
        return ["", *ways] if ways and str(kind) != "MAX_REPEAT" else []
    return []


def _gram(letters: str, last: bool) -> str:
    """The first or the last two letters that stand side by side in a text without spaces."""
    grams = [letters[i : i + 2] for i in range(len(letters) - 1)] or [letters]
    kept = [one for one in grams if not _LOST.search(one)] or [""]
    return kept[-1 if last else 0]


def _word(letters: str, ends: bool) -> str:
    if not letters or not letters[0].isalnum():
        return ""
    return letters + WHOLE if ends and letters[-1].isalnum() else letters


def _boundary(item: tuple[str, Any]) -> bool:
    """Whether a word ends before this."""
    op, value = item
    if op == "LITERAL":
        return _apart(chr(value))
    if op in ("MAX_REPEAT", "MIN_REPEAT") and value[0] and len(value[2]) == 1:
        inner, kinds = value[2][0]
        return str(inner) == "IN" and _blank(kinds)
    return (op == "AT" and str(value) == "AT_BOUNDARY") or (op == "IN" and _blank(value))


def _apart(letter: str) -> bool:
    return not letter.isalnum() and letter != "_"


def _blank(kinds: Sequence[tuple[Any, Any]]) -> bool:
    """A class of which no letter belongs to a word."""
    return all(
        (str(kind) == "CATEGORY" and str(value) in ("CATEGORY_SPACE", "CATEGORY_NOT_WORD"))
        or (str(kind) == "LITERAL" and _apart(chr(value)))
        for kind, value in kinds
    )
