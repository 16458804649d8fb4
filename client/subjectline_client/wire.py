"""What the feed says, as the desk writes it and a replica reads it. Pure.

A caller sees what concerns it: its own purposes and recipients, by name, and never why.
"""

from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from subjectline_client.core import Event, Hold
from subjectline_client.policy import Caller, Policy, Purpose

FEED = "/gate/v1/"
SNAPSHOT = f"{FEED}snapshot"
CHANGES = f"{FEED}changes"
STREAM = f"{FEED}stream"
USES = f"{FEED}uses"

Names = tuple[str, ...]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class SeenPurpose(Struct, frozen=True):
    """`fields` limits what a law opens; empty means every field."""

    basis: str
    fields: Names = ()


class SeenPolicy(Struct, frozen=True):
    """The policy as one caller sees it. `serves` are the recipients of its scope; empty: own use."""

    caller: str
    ids: str
    fields: Names
    purposes: dict[str, SeenPurpose]
    recipients: Names = ()
    serves: Names = ()

    @property
    def version(self) -> str:
        """Changes with anything that the caller sees: holds are then to be read anew."""
        return blake2b(msgspec.json.encode(self, order="sorted"), digest_size=12).hexdigest()

    def policy(self) -> Policy:
        """The same as the core reads it."""
        purposes = {
            name: Purpose(found.basis, fields=frozenset(found.fields))
            for name, found in self.purposes.items()
        }
        scope = Caller(tuple(self.purposes), self.serves)
        return Policy(
            self.fields, purposes, frozenset(self.recipients), {self.caller: scope}, self.ids
        )


class SeenHold(Struct, frozen=True, array_like=True):
    """A hold without its cause and its number. In each list `*` means all."""

    subject: str
    fields: Names
    purposes: Names
    recipients: Names

    def hold(self) -> Hold:
        return Hold(0, self.subject, self.fields, self.purposes, self.recipients, "")


class Change(Struct, frozen=True, array_like=True):
    """All that one revision did, as far as it concerns the caller: often nothing.

    A hold that ended is told by what it said; of several that say the same, any one ended.
    """

    revision: int
    placed: tuple[SeenHold, ...] = ()
    released: tuple[SeenHold, ...] = ()

    def event(self) -> Event:
        placed = tuple(each.hold() for each in self.placed)
        return Event(self.revision, placed, ended=tuple(each.hold() for each in self.released))


class Snapshot(Struct, frozen=True):
    """Every hold in force at `revision`.

    `mark` names this revision of this history: a database that was restored gives another one.
    `rules` are (fields, purposes, recipients), `holds` (subject, number of the rule).
    """

    revision: int
    mark: str
    bound_ms: int
    policy: SeenPolicy
    rules: tuple[tuple[Names, Names, Names], ...] = ()
    holds: tuple[tuple[str, int], ...] = ()
    ask: str = ""

    def loaded(self) -> list[Hold]:
        """The holds, of which those that say the same share their lists."""
        return [Hold(0, who, *self.rules[rule], "") for who, rule in self.holds]


class Changes(Struct, frozen=True):
    """What happened after the revision asked about, in order and up to `revision`.

    Below `head` there is more to ask for. `ask` is what the question carried: an answer to another
    question proves nothing.
    """

    revision: int
    head: int
    mark: str
    changes: tuple[Change, ...] = ()
    ask: str = ""


class Use(Struct, frozen=True, array_like=True):
    """How often a field was asked for since second `at` (Unix time, a quarter of an hour long).

    `subject` is the member id where something is held of the member, else empty.
    """

    at: Annotated[int, Meta(ge=0, le=100_000_000_000)]
    purpose: str
    field: str
    subject: str
    permits: Count
    denials: Count


class Uses(Struct, frozen=True):
    """`enforced` is false of a client that only observes: what it permitted may have been held."""

    uses: tuple[Use, ...]
    enforced: bool = True
