"""A caller that speaks for several systems, or asks in words of its own. Pure.

An API gateway shows one key for everything behind it, and a plugin that speaks AuthZEN says `can_read` of a
`record` where the data map says a purpose and fields. A file of holds says what such words mean; the
decision is made as ever, from what they mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from subjectline_client.policy import Policy

Names = tuple[str, ...]


class Word(Struct, frozen=True, forbid_unknown_fields=True, rename={"when": "if"}):
    """What a question that fits `when` asks for. Left out: the purpose is the action's name, the fields
    are those that were named."""

    when: dict[str, Any]
    purpose: str = ""
    fields: Names = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """How one caller asks. `bare`: it is told decisions and nothing else."""

    speaks_for: frozenset[str] = frozenset()
    words: tuple[Word, ...] = ()
    bare: bool = False

    def word(self, question: Mapping[str, Any]) -> Word | None:
        """The first that fits a question as it was asked, or None."""
        return next((word for word in self.words if fits(question, word.when)), None)


def fits(told: object, wanted: object) -> bool:
    """Whether `told` has everything that is wanted: of an object each member, of a list any."""
    if isinstance(wanted, dict):
        return isinstance(told, Mapping) and all(
            name in told and fits(told[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return any(fits(told, each) for each in wanted)
    return type(told) is type(wanted) and told == wanted


def strange(voice: Voice, policy: Policy) -> set[str]:
    """The names that it uses and the policy does not have."""
    meant = {word.purpose for word in voice.words if word.purpose}
    named = {field for word in voice.words for field in word.fields}
    unknown = (meant - set(policy.purposes)) | (named - set(policy.fields))
    return unknown | (voice.speaks_for - set(policy.callers))
