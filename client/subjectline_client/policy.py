"""What the gate knows besides holds: fields, purposes and their basis, recipients, callers, ids.

Plain data. Nothing here reads a file or a socket.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

EVERY = "*"
OWN_USE = "self"  # in a caller's recipients: the company's own use, asked for without a recipient

# What a member takes back is what they gave: PIPA article 37(1).
CONSENT_CAUSES = frozenset({"marketing_withdrawal", "third_party_withdrawal"})


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose of use. `basis` is consent, contract, law or legitimate.

    `consents` names the consents it stands on. `fields` limits what a law may override a hold for;
    empty means every field.
    """

    basis: str
    consents: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that asks, with the purposes and recipients it may name. `("*",)` means all.

    Without recipients it may ask for the company's own use only. A `partner` (a third party, or who
    serves one) is never told that a consent was withdrawn.
    """

    purposes: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    partner: bool = False

    def may(self, purpose: str, recipient: str | None) -> bool:
        """Whether this caller is scoped to ask for that purpose and recipient (None: own use)."""
        return _among(purpose, self.purposes) and _among(
            recipient or OWN_USE, self.recipients or (OWN_USE,)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that is known, by name. `ids` is the form of a member id (see `ID_FORMS`)."""

    fields: tuple[str, ...]
    purposes: Mapping[str, Purpose]
    recipients: frozenset[str] = frozenset()
    callers: Mapping[str, Caller] = field(default_factory=dict)
    ids: str = "text"

    def purposes_of(self, names: Iterable[str]) -> frozenset[str]:
        """The known purposes that a hold's list means.

        A name means itself, `*` all, `basis:<basis>` those on that basis, `consent:<name>` those on
        that consent. So a purpose that joins the data map later is held too. `!name` leaves one out,
        whatever else means it.
        """
        wanted = tuple(names)
        return frozenset(n for n, p in self.purposes.items() if _means(wanted, n, p))


def _among(name: str, names: tuple[str, ...]) -> bool:
    return name in names or EVERY in names


def _means(wanted: tuple[str, ...], name: str, purpose: Purpose) -> bool:
    if f"!{name}" in wanted:
        return False
    ways = {name, EVERY, f"basis:{purpose.basis}"}
    ways.update(f"consent:{consent}" for consent in purpose.consents)
    return not ways.isdisjoint(wanted)


_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}").fullmatch
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def _integer(member: object) -> bool:
    return isinstance(member, str) and _INTEGER(member) is not None


def _uuid(member: object) -> bool:
    return isinstance(member, str) and _UUID(member) is not None


def _text(member: object) -> bool:
    """NFC, trimmed, printable: two ids that look alike must not be two members."""
    if not isinstance(member, str) or not member or member != member.strip():
        return False
    return member.isprintable() and (member.isascii() or unicodedata.is_normalized("NFC", member))


def _folded(member: object) -> bool:
    return _text(member) and member == unicodedata.normalize("NFC", str(member).casefold())


ID_FORMS: Mapping[str, Callable[[object], bool]] = {
    "integer": _integer,
    "uuid": _uuid,
    "text": _text,
    "text-folded": _folded,
}
# The same of what is a string, without a call of our own where there is none to make: true or not.
# Of anything else it may raise TypeError.
QUICK_FORMS: Mapping[str, Callable[[str], object]] = {
    **ID_FORMS,
    "integer": _INTEGER,
    "uuid": _UUID,
}
