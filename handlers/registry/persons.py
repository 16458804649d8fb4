"""A person as the registry knows one: the member id, and what else rows are found by."""

from collections.abc import Mapping
from types import MappingProxyType

from subjectline.models.datamap import Value

_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Person(str):
    """A canonical member id that carries what it takes to tell whose rows are whose. Empty for somebody
    who is no member but whom rows name by a contact.

    `known_by`: by kind of identity, every way in which a column may write it. `doubtful`: kinds that
    another member has as well, so that a row found by them is nobody's. `held`: for tables whose owner
    is told by another database, the values of the deciding column that are this person's.
    """

    __slots__ = ("doubtful", "held", "known_by")

    def __new__(
        cls,
        member: str,
        known_by: Mapping[str, tuple[str, ...]] = _NOTHING,
        doubtful: frozenset[str] = frozenset(),
        held: Mapping[str, tuple[Value, ...]] | None = None,
    ) -> "Person":
        made = super().__new__(cls, member)
        made.known_by, made.doubtful, made.held = known_by, doubtful, dict(held or {})
        return made

    def __deepcopy__(self, memo: object) -> str:
        """A change set keeps the id alone."""
        return str(self)

    known_by: Mapping[str, tuple[str, ...]]
    doubtful: frozenset[str]
    held: dict[str, tuple[Value, ...]]
