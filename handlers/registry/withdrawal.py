"""Change sets for withdrawals, and the list of what a law keeps after somebody left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.bound import bound
from subjectline.handlers.registry.changes import NOW, Change
from subjectline.handlers.registry.drafts import Drafter
from subjectline.handlers.registry.moving import Leaving, LeavingRow, Longer, doubted, named
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Bilingual, Consent, Leave, Value
from subjectline.models.errors import RegistryError

CONSENT_OF = {"marketing_withdrawal": "marketing", "third_party_withdrawal": "third_party"}


@dataclass(frozen=True, slots=True)
class Kept:
    """Records that stay after a membership ended: what, by which law, how long, until when.

    `until` is the day on which the last of the `rows` may be destroyed.
    """

    table: str
    label: Bilingual
    record: Bilingual
    law: Bilingual
    period: Bilingual
    rows: int
    until: date

    def as_json(self, language: str) -> dict[str, Any]:
        """These records for a letter, in `language`."""
        return {
            "table": self.table,
            "label": self.label.text(language),
            "record": self.record.text(language),
            "law": self.law.text(language),
            "period": self.period.text(language),
            "rows": self.rows,
            "until": self.until.isoformat(),
        }


class Withdrawals:
    """What a withdrawal changes in one connection."""

    def __init__(
        self,
        schema: Schema,
        connection: AsyncConnection,
        member: str,
        leave: Mapping[str, Leave],
    ) -> None:
        self._schema, self._connection, self._member = schema, connection, member
        self._leave = leave
        self._drafter = Drafter(schema, connection, member)

    async def consent(self, consent: Consent, name: str) -> list[Change]:
        """The consent's columns withdrawn with the time, its tables emptied. `name`: connection."""
        changes: list[Change] = []
        if self._schema.connection(consent.table) == name:
            changes = await self._consent_columns(consent)
        for table in consent.drops:
            if self._schema.connection(table) == name:
                changes += await self.delete(table)
        return changes

    async def _consent_columns(self, consent: Consent) -> list[Change]:
        wanted = {column: value.withdrawn for column, value in consent.columns.items()}
        changes = await self._drafter.setting(consent.table, wanted, consent.where)
        if changes and consent.at:
            changes += await self._timed(consent.table, consent.at, consent.where)
        return changes

    async def membership(self, name: str, *, moving: bool = False) -> list[Change]:
        """What `leave` says for every table of connection `name`. Raises RegistryError where it still
        asks about rows of the member.

        With `moving` the kept tables are left out: `moving.Mover` takes them apart.
        """
        consents = () if moving else self._schema.map.consents.values()
        changes: list[Change] = []
        for consent in consents:
            said = self._leave.get(consent.table)
            kept = said is not None and said.action == "keep"
            if kept and self._schema.connection(consent.table) == name:
                changes += await self._consent_columns(consent)
        for table, leave in self._leave.items():
            apart = moving and leave.action == "keep"
            if self._schema.connection(table) == name and not apart:
                changes += await self._left(table, leave)
        return changes

    async def _left(self, table: str, leave: Leave) -> list[Change]:
        if leave.action == "ask":
            if not await self._rows(table):
                return []
            raise RegistryError(
                f"the data map does not say what leaving does with {table!r}",
                field=f"leave.{table}",
                remedy="An agent chooses; or write delete, keep or anonymise there.",
            )
        if leave.action == "delete":
            return await self.delete(table)
        changes = await self._drafter.setting(table, leave.set, {})
        if changes and leave.at:
            changes += await self._timed(table, leave.at, {})
        return changes

    async def _timed(self, table: str, column: str, where: Mapping[str, Value]) -> list[Change]:
        """The time of the deed into a column: the proposal names it, the deed fills it."""
        changes = await self._drafter.setting(table, {column: NOW}, where)
        return [replace(change, timed=True) for change in changes]

    async def delete(self, table: str) -> list[Change]:
        """The member's rows of `table` as one delete, or nothing where there are none."""
        if rows := await self._rows(table):
            if self._schema.told_by_use(table) and not self._schema.map.tables[table].key:
                raise RegistryError(
                    f"neither the data map nor the database names a key of {table!r}",
                    field=table,
                    remedy="Delete its rows by hand in the company's own system.",
                )
            name = self._schema.connection(table)
            known = bound(self._schema, self._member, table)
            member = str(self._member)
            return [Change(name, table, {}, "", rows, None, "delete", member, known)]
        return []

    async def _rows(self, table: str) -> int:
        owned = self._schema.owned(table, self._member)
        count = select(func.count()).select_from(self._schema[table]).where(owned)
        return int(await self._connection.scalar(count) or 0)


def kept_of(
    schema: Schema, table: str, rows: Sequence[LeavingRow], agreed: date | None = None
) -> list[Kept]:
    """What a law keeps of the rows of a table, in one line; nothing where it keeps none.

    `agreed`: the day until which the member agreed to keep them; it is named where it is the last.
    """
    days = [row.until for row in rows if row.until is not None]
    spec = schema.map.tables[table]
    retention = schema.map.retention[spec.retention]
    if not days or retention.law is None or retention.period is None:
        return []
    words = Bilingual(ko=retention.period.text("ko"), en=retention.period.text("en"))
    last = max(days)
    undated = any(row.undated and row.until is not None for row in rows)
    law = doubted(named(retention.law, last, agreed), undated=undated)
    return [Kept(table, spec.labels, retention.labels, law, words, len(days), last)]


async def kept_after(
    leaving: Leaving, schema: Schema, member: str, leaves: Mapping[str, Leave], longer: Longer
) -> list[Kept]:
    """What a law keeps of the member's records once `leaves` is done, table by table."""
    found: list[Kept] = []
    for table, leave in leaves.items():
        if leave.action == "keep":
            agreed = longer.get(schema.map.tables[table].retention)
            rows = await leaving.rows(table, member, agreed)
            found += kept_of(schema, table, rows, agreed)
    return found


def consent_of(schema: Schema, kind: str) -> Consent:
    """The consent that a right of `kind` withdraws. Raises RegistryError if the map has none."""
    consent = schema.map.consents.get(CONSENT_OF.get(kind, ""))
    if consent is None:
        raise RegistryError(
            f"the data map has no consent that {kind!r} would withdraw",
            field="consents",
            remedy="Add the consent to the map; until then an agent answers by hand.",
        )
    return consent
