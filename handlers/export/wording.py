"""The words of an export, in one language."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from subjectline.handlers.words import TEMPLATES

Words = Mapping[str, str]


@cache
def words(language: str) -> Words:
    """Every key of `templates/export/words.yaml` in `language` (ko, else en)."""
    text = (TEMPLATES / "export" / "words.yaml").read_text(encoding="utf-8")
    known: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    here = "ko" if language == "ko" else "en"
    return {key: both[here] for key, both in known.items()}


def localised(value: Any, language: str) -> Any:
    """The same structure with every {ko, en} pair as the text of one language."""
    if isinstance(value, Mapping):
        if value.keys() == {"ko", "en"}:
            return value["ko" if language == "ko" else "en"]
        return {key: localised(part, language) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [localised(part, language) for part in value]
    return value
