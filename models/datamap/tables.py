"""The tables of a data map: columns, keys, references, and whose a row is."""

from typing import Literal

import pydantic

from subjectline.models.datamap.parts import Bilingual, Strict

Type = Literal["text", "integer", "decimal", "boolean", "date", "datetime", "uuid"]


class Column(Strict):
    """One column. `of` names the owner column of the only person whose data it is (shared rows).

    `hidden` columns are never shown to anybody (a password's hash).
    """

    labels: Bilingual
    type: Type = "text"
    of: str | None = None
    hidden: bool = False


class Table(Strict):
    """One table. A row belongs to the persons named in its `owners` columns (ids of home rows), or,
    with `through`, to whom the row belongs that this column refers to.

    `references` says which column points where: {"content_id": "content.content_id"}. `table` and
    `schema` are the names in the database where they differ from the map's.
    """

    name: str
    connection: str
    labels: Bilingual
    category: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    table: str = ""
    schema_name: str | None = None
    owners: tuple[str, ...] = ()
    through: str | None = None
    references: dict[str, str] = pydantic.Field(default_factory=dict)
    purposes: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    retention: str

    @property
    def shared(self) -> bool:
        """Whether a row can belong to two persons."""
        return len(self.owners) > 1

    def target(self, column: str) -> tuple[str, str]:
        """The (table, column) that `column` refers to."""
        table, _, to = self.references[column].rpartition(".")
        return table, to
