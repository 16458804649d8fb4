"""Many words in one pattern, as a tree of letters: a search costs the same for ten words or a thousand."""

import re
from collections.abc import Iterable
from typing import Any

_GAP = r"[\s\-_]?"
_ENDS = r"(?:e?s)?(?![a-z0-9@])"  # a Latin word may stand in the plural, and ends there


def compile_words(keys: Iterable[str]) -> re.Pattern[str]:
    """Finds the longest of some words (lower case, no spaces) in a lower-case text, with any spacing
    inside. Latin words are found whole; a Hangul word of one syllable only where a word begins.
    """
    roots: dict[str, Any] = {}
    for key in keys:
        node = roots
        for letter in key:
            node = node.setdefault(letter, {})
        node[""] = key
    branches = "|".join(_root(letter, node) for letter, node in sorted(roots.items()))
    return re.compile(branches or r"(?!)")


def _root(letter: str, node: dict[str, Any]) -> str:
    """The letter comes first, so that a search can jump to it; what stands before it is checked then."""
    before = rf"(?<![a-z0-9@]{re.escape(letter)})" if letter.isascii() else ""
    return re.escape(letter) + before + _branch(node)


def _branch(node: dict[str, Any]) -> str:
    ways = [_GAP + re.escape(c) + _branch(child) for c, child in sorted(node.items()) if c]
    if "" in node:
        key = node[""]
        alone = rf"(?<![가-힣]{re.escape(key)})" if len(key) == 1 and not key.isascii() else ""
        ways.append(_ENDS if key[-1].isascii() else alone)
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
