"""What an access request finds: the member's rows by table, and what was withheld and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subjectline.models.datamap import Bilingual, Retention, Value

REASONS: Mapping[str, Bilingual] = {
    "another": Bilingual(ko="다른 사람의 정보", en="another person's"),
    "shared": Bilingual(
        ko="여러 사람이 함께 쓰는 정보로, 누구의 것인지 정해지지 않음",
        en="used by several persons, and the map does not say whose it is",
    ),
    "orphan": Bilingual(ko="누구의 것인지 적혀 있지 않음", en="names no owner"),
    "unknown": Bilingual(
        ko="데이터 맵에 누구의 것인지 정해져 있지 않음", en="the map does not say whose it is"
    ),
    "doubtful": Bilingual(
        ko="같은 연락처를 쓰는 회원이 여럿임", en="another member has the same contact"
    ),
    "column": Bilingual(ko="다른 사람의 항목", en="columns of another person in a shared row"),
    "nested": Bilingual(ko="다른 사람의 항목", en="parts of another person in a shared row"),
}


@dataclass(frozen=True, slots=True)
class Withheld:
    """Rows (or columns of rows) that were found but not handed out. `reason` is a key of REASONS."""

    table: str
    reason: str
    rows: int
    columns: tuple[str, ...] = ()

    def as_json(self, language: str) -> dict[str, Any]:
        """For the agent, the reason in words of `language`."""
        return {
            "table": self.table,
            "reason": self.reason,
            "told": REASONS[self.reason].text(language),
            "rows": self.rows,
            "columns": list(self.columns),
        }


@dataclass(frozen=True, slots=True)
class CollectedTable:
    """The member's rows of one table.

    `rows` hold values by column name, as the database has them; where they were streamed elsewhere it
    is empty and `total` counts them. `withheld` lists what hangs together with the member's rows but
    was not handed out; `withheld_columns` are those blanked in shared rows.
    """

    table: str
    connection: str
    label: Bilingual
    category: Bilingual
    purposes: tuple[Bilingual, ...]
    recipients: tuple[Bilingual, ...]
    retention: Retention
    columns: dict[str, Bilingual]
    rows: tuple[dict[str, Value], ...]
    withheld: tuple[Withheld, ...] = ()
    withheld_columns: tuple[str, ...] = ()
    total: int = 0

    @property
    def withheld_rows(self) -> int:
        """How many whole rows were withheld."""
        return sum(w.rows for w in self.withheld if not w.columns)

    def as_json(self, language: str) -> dict[str, Any]:
        """This table for JSON, its labels in `language`."""
        law = self.retention.law
        return {
            "table": self.table,
            "label": self.label.text(language),
            "category": self.category.text(language),
            "purposes": [purpose.text(language) for purpose in self.purposes],
            "recipients": [recipient.text(language) for recipient in self.recipients],
            "retention": self.retention.labels.text(language),
            "retention_law": law.text(language) if law else None,
            "retention_period": self.retention.period.text(language)
            if self.retention.period
            else None,
            "columns": {name: label.text(language) for name, label in self.columns.items()},
            "rows": [dict(row) for row in self.rows],
            "withheld_rows": self.withheld_rows,
            "withheld_columns": list(self.withheld_columns),
        }


@dataclass(frozen=True, slots=True)
class Collected:
    """What one access request finds. `tables` has every table of the map, also the empty ones."""

    registry: str
    member: str
    tables: tuple[CollectedTable, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, for the agent, who sees no values."""
        return {table.table: table.total for table in self.tables}

    @property
    def withheld(self) -> int:
        """Rows that were found but not handed out."""
        return sum(table.withheld_rows for table in self.tables)

    def withheld_list(self) -> tuple[Withheld, ...]:
        """Everything that was withheld, by table and reason, for the agent."""
        return tuple(withheld for table in self.tables for withheld in table.withheld)

    def as_json(self, language: str) -> dict[str, Any]:
        """The export for JSON, tables without rows left out."""
        tables = [table.as_json(language) for table in self.tables if table.rows]
        return {"registry": self.registry, "member": self.member, "tables": tables}
