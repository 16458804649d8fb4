"""A change set and what became of it. Everything here goes into JSON and back unchanged."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from subjectline.models.datamap import Value

State = Literal["applied", "already", "conflict", "away", "refused", "untouched"]
Found = Literal["old", "new", "other", "missing", "unknown"]
Op = Literal["update", "delete", "move"]
NOW = "now"  # the `new` of a timed change


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one row (`update`), all rows of one table that are a member's (`delete`), or the
    same into the archive (`move`).

    An update names its row by the primary `key`, the value expected (`old`) and the one to write
    (`new`), as the column writes them; where it is `timed`, the time of the deed, which
    no proposal knows. A delete has no column: `old` is the number of rows seen; with
    a `key` it is that one row. Of a move `old` says how many rows a law keeps, `new` until when the
    member agreed to keep them longer. `known` has what tells the member's rows where the id alone
    does not (`bound`).
    """

    connection: str
    table: str
    key: Mapping[str, Value]
    column: str
    old: Value
    new: Value
    op: Op = "update"
    member: str = ""
    known: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False

    def as_json(self) -> dict[str, Any]:
        """A dict that JSON can carry."""
        said = {**asdict(self), "key": dict(self.key), "member": str(self.member)}
        if not self.known:
            del said["known"]
        if not self.timed:
            del said["timed"]
        return said

    def at(self, when: datetime) -> "Change":
        """The change with `when` for its new value, if it is timed."""
        return replace(self, new=when.isoformat()) if self.timed else self

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Change":
        """The change that `as_json` wrote."""
        return cls(**raw)


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of one change: `after` is read back after the commit."""

    change: Change
    state: Literal["applied", "already"]
    after: Value


@dataclass(frozen=True, slots=True)
class Place:
    """What a table holds after a failed attempt, in one column or, for a delete or a move, at all.

    old: as it was seen. new: as it should be. other: neither. missing: the row is gone, which of a
    delete or a move is right. unknown: the database does not answer. No value stands here.
    """

    table: str
    column: str
    op: str
    state: Found
    rows: int = 1


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """What one database has after an attempt.

    applied: written now. already: it was all there. conflict: a row is not as it was seen, nothing
    was written. away: unreachable, what it has is not known. refused: it did not take the
    statement. untouched: not tried, because another one failed first. Where an attempt failed,
    `places` say which table has which value, in every connection.
    """

    connection: str
    state: State
    changes: tuple[ChangeResult, ...] = ()
    told: str = ""
    places: tuple[Place, ...] = ()

    @property
    def done(self) -> bool:
        return self.state in ("applied", "already")

    def as_json(self) -> dict[str, Any]:
        """A dict that JSON can carry."""
        changes = [
            {"change": r.change.as_json(), "state": r.state, "after": r.after} for r in self.changes
        ]
        return {
            "connection": self.connection,
            "state": self.state,
            "changes": changes,
            "told": self.told,
            **({"places": [asdict(place) for place in self.places]} if self.places else {}),
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """An attempt in which every connection has every change."""

    connections: tuple[ConnectionResult, ...]

    @property
    def already(self) -> bool:
        """Whether nothing was left to write: an earlier attempt had done it all."""
        return all(result.state == "already" for result in self.connections)

    def as_json(self) -> list[dict[str, Any]]:
        """One dict a connection, for the sealed proof."""
        return [result.as_json() for result in self.connections]


def whereabouts(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The `places` of a failed attempt's results, each with its connection; empty where there are none.

    Tables, columns and states, never a value: it may stand where an agent's page reads it.
    """
    places = [
        {"connection": str(result["connection"]), **place}
        for result in results
        for place in result.get("places", ())
    ]
    return {"places": places} if places else {}
