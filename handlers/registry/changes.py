"""A change set and what became of it. Everything here goes into JSON and back unchanged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from subjectline.models.datamap import Value

State = Literal["applied", "already", "conflict", "away", "refused", "untouched"]


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one row (`update`), all rows of one table that are a member's (`delete`), or the
    same into the archive (`move`).

    An update names its row by the primary `key`, the value expected (`old`) and the one to write
    (`new`), as the column writes them. A delete has no column: `old` is the number of rows seen; with
    a `key` it is that one row. Of a move `old` says how many rows a law keeps, `new` until when the
    member agreed to keep them longer.
    """

    connection: str
    table: str
    key: Mapping[str, Value]
    column: str
    old: Value
    new: Value
    op: Literal["update", "delete", "move"] = "update"
    member: str = ""

    def as_json(self) -> dict[str, Any]:
        """A dict that JSON can carry."""
        return {**asdict(self), "key": dict(self.key)}

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
class ConnectionResult:
    """What one database has after an attempt.

    applied: written now. already: it was all there. conflict: a row is not as it was seen, nothing
    was written. away: unreachable, what it has is not known. refused: it did not take the
    statement. untouched: not tried, because another one failed first.
    """

    connection: str
    state: State
    changes: tuple[ChangeResult, ...] = ()
    told: str = ""

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
