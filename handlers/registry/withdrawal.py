"""Change sets for withdrawals, and the list of what a law keeps after somebody left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.changes import Change
from subjectline.handlers.registry.drafts import Drafter
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
        self, schema: Schema, connection: AsyncConnection, member: str, now: datetime
    ) -> None:
        self._schema, self._connection, self._member = schema, connection, member
        self._drafter = Drafter(schema, connection, member)
        self._now = now.isoformat()

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
            time = {consent.at: self._now}
            changes += await self._drafter.setting(consent.table, time, consent.where)
        return changes

    async def membership(self, name: str) -> list[Change]:
        """What `leave` says for every table of connection `name`."""
        consents = self._schema.map.consents.values()
        changes: list[Change] = []
        for consent in consents:
            kept = self._schema.map.leave[consent.table].action == "keep"
            if kept and self._schema.connection(consent.table) == name:
                changes += await self._consent_columns(consent)
        for table, leave in self._schema.map.leave.items():
            if self._schema.connection(table) == name:
                changes += await self._left(table, leave)
        return changes

    async def _left(self, table: str, leave: Leave) -> list[Change]:
        if leave.action == "delete":
            return await self.delete(table)
        changes = await self._drafter.setting(table, leave.set, {})
        if changes and leave.at:
            changes += await self._drafter.setting(table, {leave.at: self._now}, {})
        return changes

    async def delete(self, table: str) -> list[Change]:
        """The member's rows of `table` as one delete, or nothing where there are none."""
        owned = self._schema.owned(table, self._member)
        count = select(func.count()).select_from(self._schema[table]).where(owned)
        if rows := await self._connection.scalar(count):
            name = self._schema.connection(table)
            return [Change(name, table, {}, "", rows, None, op="delete", member=self._member)]
        return []

    async def kept(self, name: str, left: date, zone: tzinfo) -> list[Kept]:
        """What stays in the tables of connection `name`, counted from the day of leaving where the
        map names no column; days are days in `zone`."""
        found: list[Kept] = []
        for table, leave in self._schema.map.leave.items():
            if leave.action == "keep" and self._schema.connection(table) == name:
                found += await self._kept(table, leave, left, zone)
        return found

    async def _kept(self, table: str, leave: Leave, left: date, zone: tzinfo) -> Sequence[Kept]:
        here, spec = self._schema[table], self._schema.map.tables[table]
        retention = self._schema.map.retention[spec.retention]
        owned = self._schema.owned(table, self._member)
        last: Any = func.max(here.c[leave.counted_from]) if leave.counted_from else func.max(None)
        row = (await self._connection.execute(select(func.count(), last).where(owned))).one()
        if not row[0] or retention.law is None or retention.period is None:
            return ()
        period, start = retention.period, _day(row[1], zone) or left
        words = Bilingual(ko=period.text("ko"), en=period.text("en"))
        until = period.after(start)
        return (Kept(table, spec.labels, retention.labels, retention.law, words, row[0], until),)


def _day(value: Value, zone: tzinfo) -> date | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(str(value))
    return (moment.astimezone(zone) if moment.tzinfo else moment).date()


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
