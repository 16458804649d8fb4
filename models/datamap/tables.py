"""The tables of a data map: columns, keys, references, and whose a row is."""

from collections.abc import Iterator
from typing import Any, Literal

import pydantic

from subjectline.models.datamap.parts import Bilingual, Strict

Type = Literal[
    "text", "integer", "decimal", "boolean", "date", "datetime", "uuid", "json", "other", "unknown"
]


def code(raw: object) -> str:
    """A value of a column as the map's `values` name it; yes and no are true and false."""
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


class Column(Strict):
    """One column, or one key of a JSON column (`fields`).

    `of` names the owner column of the only person whose data it is (shared rows). `hidden` columns are
    never shown to anybody (a password's hash). `type` unknown is read from the live database, other
    is shown as text. `person` marks a key in JSON that names a person, by member id (`key`) or by a
    kind of identity: an object that names somebody else is left out. `many`: an array stands there, of
    values or of objects with `fields`. `values` says in words what a coded value means, to people only:
    {active: {ko: …, en: …}}; yes and no are written true and false. `depends_on` names the fields that
    the value is made from (a segment made from income): the gate holds it with them. Without it that
    is not known; an empty list says that it is made from none.
    """

    labels: Bilingual
    type: Type = "text"
    of: str | None = None
    hidden: bool = False
    fields: dict[str, "Column"] = pydantic.Field(default_factory=dict)
    person: str | None = None
    many: bool = False
    values: dict[str, Bilingual] = pydantic.Field(default_factory=dict)
    category: str | None = None
    depends_on: tuple[str, ...] | None = None

    @pydantic.field_validator("values", mode="before")
    @classmethod
    def _codes(cls, raw: Any) -> Any:
        return {code(key): label for key, label in raw.items()} if isinstance(raw, dict) else raw


class Table(Strict):
    """One table. Whose a row is, it says in one of these ways:

    `owners`: columns with a member id. `identities`: columns with something that a person is known by
    ({email: email}). `through`: the row belongs to whom the row belongs that this column refers to.
    `used_by`: the row belongs to the one person whose rows refer to it (["customer.address_id"]);
    what two persons use is nobody's, unless `shared` is `each`. `belongs: nobody` is a catalogue
    without personal data, `belongs: unknown` is withheld and listed.

    `references` says which column points where: {"content_id": "content.content_id"}. `table` and
    `schema` are the names in the database where they differ from the map's. `key` may be left to the
    live database. A column in a JSON column is written with points: details.customer_id.
    """

    name: str
    connection: str
    labels: Bilingual
    category: str
    key: tuple[str, ...] = ()
    columns: dict[str, Column]
    table: str = ""
    schema_name: str | None = None
    owners: tuple[str, ...] = ()
    identities: dict[str, str] = pydantic.Field(default_factory=dict)
    through: str | None = None
    used_by: tuple[str, ...] = ()
    sharing: Literal["nobody", "each"] = pydantic.Field(default="nobody", alias="shared")
    belongs: Literal["person", "nobody", "unknown"] = "person"
    why: str = ""
    references: dict[str, tuple[str, ...]] = pydantic.Field(default_factory=dict)
    purposes: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    retention: str

    @pydantic.field_validator("references", mode="before")
    @classmethod
    def _one_or_more(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return {column: [to] if isinstance(to, str) else to for column, to in raw.items()}

    @property
    def shared(self) -> bool:
        """Whether a row can belong to two persons."""
        several = len(self.owners) + len(self.identities) > 1 or self.listed
        return several or bool(self.used_by and self.sharing == "each")

    @property
    def listed(self) -> bool:
        """Whether the persons of a row stand in an array."""
        return any(self.many(path) for path in (*self.owners, *self.identities))

    def many(self, path: str) -> bool:
        """Whether there are several values at `path`: an array stands on the way."""
        return any(several for _, several in self.steps(path))

    def steps(self, path: str) -> tuple[tuple[str, bool], ...]:
        """The keys of `path`, each with whether an array stands there."""
        names = path.split(".")
        found = [self.column(".".join(names[: n + 1])) for n in range(len(names))]
        return tuple((n, bool(c and c.many)) for n, c in zip(names, found, strict=True))

    @property
    def undescribed(self) -> bool:
        """Whether several identities name persons and no column says of whom it is."""
        described = any(column.of for column in self.paths().values())
        return len(self.identities) > 1 and not described

    @property
    def ways(self) -> int:
        """In how many ways the table says whose a row is; one is right."""
        by_person = bool(self.owners or self.identities)
        return by_person + bool(self.through) + bool(self.used_by) + (self.belongs != "person")

    def target(self, column: str) -> tuple[str, str]:
        """The (table, column) that `column` refers to; the first one where there are several."""
        return split(self.references[column][0])

    def targets(self) -> Iterator[tuple[str, str, str]]:
        """Every reference as (column, table, column there)."""
        for column, places in self.references.items():
            for place in places:
                yield (column, *split(place))

    def column(self, path: str) -> Column | None:
        """The column at `path`; points lead into JSON columns."""
        first, *rest = path.split(".")
        found = self.columns.get(first)
        for name in rest:
            found = found.fields.get(name) if found else None
        return found

    def paths(self) -> dict[str, Column]:
        """Every column and every key of a JSON column, by path."""
        return dict(_paths(self.columns, ""))


def split(place: str) -> tuple[str, str]:
    """`table.column` in two; the column may itself have points."""
    table, _, column = place.partition(".")
    return table, column


def _paths(columns: dict[str, Column], before: str) -> Iterator[tuple[str, Column]]:
    for name, column in columns.items():
        yield before + name, column
        yield from _paths(column.fields, f"{before}{name}.")
