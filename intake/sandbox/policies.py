"""The two versions of the sample company's policy, in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from subjectline.models.dates import in_words

HOME = Path(__file__).parent / "moment-pick" / "policies"


@dataclass(frozen=True, slots=True)
class SamplePolicy:
    """One version: dates, text by language (Markdown: #, ##, -, paragraphs), and what changed.

    Each change is {"clause", "before", "after", "reason"}, each of them {"ko", "en"}.
    """

    name: str
    announced_on: date
    effective_on: date
    text: Mapping[str, str]
    changes: tuple[dict[str, dict[str, str]], ...]


def sample_policies(today: date) -> tuple[SamplePolicy, ...]:
    """Both versions. The second one is announced `today` and takes effect ten days later."""
    raw = yaml.safe_load((HOME / "versions.yaml").read_text(encoding="utf-8"))
    return tuple(_policy(version, today) for version in raw)


def _policy(raw: dict[str, Any], today: date) -> SamplePolicy:
    announced = date.fromisoformat(raw.get("announced_on", today.isoformat()))
    later = announced + timedelta(days=raw.get("effective_after_days", 0))
    effective = date.fromisoformat(raw.get("effective_on", later.isoformat()))
    text = {lang: _text(raw["name"], lang, announced, effective) for lang in ("ko", "en")}
    return SamplePolicy(raw["name"], announced, effective, text, tuple(raw["changes"]))


def _text(name: str, language: str, announced: date, effective: date) -> str:
    text = (HOME / f"{name}.{language}.md").read_text(encoding="utf-8")
    text = text.replace("[announced_on]", in_words(announced.isoformat(), language))
    return text.replace("[effective_on]", in_words(effective.isoformat(), language))
