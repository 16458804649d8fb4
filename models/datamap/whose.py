"""Whose a row is, where only references say so.

A column that refers to the home key names the owner. Two of them make a shared row, which a person has
to describe: until then the table is withheld. Else a column of identity says it; else the one row that
a row hangs on; else the rows that refer to it. What stays open is `belongs: unknown`: withheld and
listed, never handed out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Flow = Literal["down", "up", "both"]
_SAYS = ("owners", "identities", "through", "used_by", "belongs")


@dataclass(frozen=True, slots=True)
class Edge:
    """`child.column` holds `parent.key`. `flow` says from where to where one may go: down to the child,
    up to the parent, or both. `many`: it holds several, in an array."""

    child: str
    column: str
    parent: str
    key: str
    flow: Flow
    many: bool = False


class Inference:
    """Fills in owners, identities, through, used_by or belongs of raw tables that say none of them."""

    def __init__(
        self,
        tables: dict[str, dict[str, Any]],
        edges: Iterable[Edge],
        home: tuple[str, str],
        identities: Mapping[str, Mapping[str, str]],
        impersonal: Collection[str] = (),
    ) -> None:
        """`home` is the table and its key, `identities` what Fides says: table -> column -> kind;
        `impersonal` tables hold nothing about a person: what rows refer to there is a catalogue."""
        self._tables, self._edges = tables, [e for e in edges if e.child != e.parent]
        self._home, self._key = home
        self._identities, self._impersonal = identities, impersonal
        self._open = [
            name
            for name, table in tables.items()
            if name != self._home and not any(table.get(way) for way in _SAYS)
        ]
        self._used: list[str] = []

    def fill(self) -> None:
        """Changes the raw tables."""
        for step in (self._by_owner, self._by_identity):
            for name in list(self._open):
                step(name)
        while self._open and (self._one(self._by_parent) or self._one(self._by_use)):
            pass
        for name in list(self._open):
            self._unknown(name, "nothing in the map leads from it to a person")
        for name in self._used:
            self._tables[name]["used_by"] = self._users(name)

    def _one(self, step: Any) -> bool:
        return any(step(name) for name in list(self._open))

    def _settle(self, name: str, way: str, value: Any) -> None:
        self._tables[name][way] = value
        self._open.remove(name)

    def _unknown(self, name: str, why: str) -> None:
        self._tables[name]["why"] = why
        self._settle(name, "belongs", "unknown")

    def _by_owner(self, name: str) -> None:
        ours = [e for e in self._up(name) if (e.parent, e.key) == (self._home, self._key)]
        # Where a column of its own names the owner, a list names others who take part.
        ours = [e for e in ours if not e.many] or ours
        columns = list(dict.fromkeys(e.column for e in ours))
        if len(columns) == 1:
            self._settle(name, "owners", columns)
        elif columns:
            told = ", ".join(columns)
            self._unknown(name, f"several columns name a member ({told}): say whose a row is")

    def _by_identity(self, name: str) -> None:
        if found := self._identities.get(name):
            self._settle(name, "identities", dict(found))

    def _by_parent(self, name: str) -> bool:
        """Through the one row that it hangs on, where that has an owner."""
        up = [e for e in self._up(name) if e.flow != "up" and not e.many and self._owned(e.parent)]
        # Who alone uses a row does not own what others hang on it, unless a file says that it does.
        up = [e for e in up if e.flow == "down" or not self._only_used(e.parent)]
        found = [e for e in up if not self._shared(e.parent)]
        if len({e.column for e in found}) > 1:
            found = [e for e in found if e.flow == "down"]
        columns = {e.column for e in found}
        if len(columns) == 1 and len({e.parent for e in found}) == 1:
            self._settle(name, "through", found[0].column)
            self._first(name, found[0])
            return True
        return False

    def _first(self, name: str, edge: Edge) -> None:
        """`through` follows the first place of its column."""
        places = self._tables[name]["references"][edge.column]
        places.sort(key=lambda place: place != f"{edge.parent}.{edge.key}")

    def _by_use(self, name: str) -> bool:
        users = [e for e in self._down(name) if e.flow != "down" and self._owned(e.child)]
        if not users or any(e.flow != "up" and self._owned(e.parent) for e in self._up(name)):
            return False
        if name in self._impersonal:
            self._settle(name, "belongs", "nobody")
            return True
        self._settle(name, "used_by", [f"{e.child}.{e.column}" for e in users])
        self._used.append(name)
        return True

    def _users(self, name: str) -> list[str]:
        """Everybody who refers to it, so that nobody's use is overlooked; but not what hangs on it."""
        found = [
            f"{e.child}.{e.column}"
            for e in self._down(name)
            if not self._hangs_on(e.child, name)
            and not self._only_hangs(e.child)
            and self._tables[e.child].get("belongs") != "nobody"
        ]
        return list(dict.fromkeys(found))

    def _hangs_on(self, name: str, on: str) -> bool:
        above, seen = [name], set[str]()
        while above:
            here = above.pop()
            if here == on:
                return True
            if here not in seen:
                seen.add(here)
                above += self._parents(here)
        return False

    def _parents(self, name: str) -> list[str]:
        table = self._tables[name]
        found = [place.partition(".")[0] for place in table.get("used_by", ())]
        if through := table.get("through"):
            found.append(table["references"][through][0].partition(".")[0])
        return found

    def _owned(self, name: str) -> bool:
        """Whether rows of it are known to be somebody's."""
        belongs = self._tables[name].get("belongs", "person")
        return name not in self._open and belongs == "person"

    def _only_used(self, name: str) -> bool:
        """Whether rows of it are somebody's only because that person's rows refer to them."""
        above = self._parents(name)
        return bool(self._tables[name].get("used_by")) or any(map(self._only_used, above[:1]))

    def _only_hangs(self, name: str) -> bool:
        """Whether a table of nobody known refers to nothing but what is somebody's by use."""
        unknown = self._tables[name].get("belongs") == "unknown"
        return unknown and all(self._only_used(e.parent) for e in self._up(name))

    def _shared(self, name: str) -> bool:
        """Whether a row of it may be of two persons, so that what hangs on it is not told by it."""
        table = self._tables[name]
        owners = table.get("owners") or ()
        several = len(owners) + len(table.get("identities") or {}) > 1
        several = several or any(e.many and e.column in owners for e in self._up(name))
        return several or (bool(table.get("used_by")) and table.get("shared") == "each")

    def _up(self, name: str) -> list[Edge]:
        return [e for e in self._edges if e.child == name]

    def _down(self, name: str) -> list[Edge]:
        return [e for e in self._edges if e.parent == name]
