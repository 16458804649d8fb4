"""What understanding gives back: wishes, a decision, a question. Values as the person wrote them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["apply", "ask", "none"]

KINDS = (
    "access",
    "portability",
    "correction",
    "erasure",
    "suspension",
    "marketing_withdrawal",
    "third_party_withdrawal",
    "membership_withdrawal",
    "objection",
)
UNCLEAR = "unclear"

# A later model may only take certainty away: it gets the text and a kind, True turns "sure" into
# a question.
Veto = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Wish:
    """One right. `fields` are names of the data map; values are trimmed, otherwise as written."""

    kind: str
    fields: tuple[str, ...] = ()
    new_values: Mapping[str, str] = field(default_factory=dict)
    old_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Understanding:
    """`apply`: `wishes` were asked for. `ask`: they are guesses. `none`: no right in the text.

    `question` is "", "which_right", "which_field", "which_value" or "confirm_right". `unsure` holds
    guesses beside sure wishes, which nobody should act on without asking. `reasons` are codes
    without any of the person's words, safe for a log.
    """

    language: str
    decision: Decision
    wishes: tuple[Wish, ...] = ()
    question: str = ""
    reasons: tuple[str, ...] = ()
    unsure: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to our question: yes, no, or neither (None), and a six-digit code if one is there."""

    yes: bool | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """One right seen in one clause; `sure`, `likely`, or `no` (named, but not asked for)."""

    kind: str
    certainty: Literal["sure", "likely", "no"]
    why: str
    fields: tuple[str, ...] = ()
