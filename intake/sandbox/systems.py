"""The company's side of the sandbox: its database as its own systems see it, and those systems.

None of this goes through the desk: rows are read by plain SQL, and the gate is asked over HTTP, each
system with its own key.
"""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from subjectline.intake.gate_api import EVALUATION
from subjectline.models.datamap import DataMap
from subjectline.models.errors import Refused

if TYPE_CHECKING:
    from subjectline.intake.sandbox.world import World

ROW = """
SELECT m.name, m.birth_date, m.gender, m.phone, m.email, m.nickname, m.status,
       p.shipping_address, p.instagram_id, p.kakao_id, p.facebook_id, p.activity_area, p.preferences,
       a.bank_name, a.account_number, a.account_holder,
       c.marketing_email, c.marketing_sms, c.third_party,
       l.member_id IS NOT NULL AS listed
FROM member m
LEFT JOIN profile p USING (member_id) LEFT JOIN payout_account a USING (member_id)
LEFT JOIN member_consent c USING (member_id) LEFT JOIN mailing_list l USING (member_id)
WHERE m.member_id = ?
"""
PARCEL = "SELECT address FROM shipping WHERE member_id = ? AND status = 'preparing'"


@dataclass(frozen=True)
class Row:
    """A member's row as it stands in the company's database now."""

    values: Mapping[str, str | None]
    marketing: bool
    third_party: bool
    listed: bool  # on the mailing list for advertising

    @property
    def complete(self) -> bool:
        """Whether the member has what every story needs."""
        needed = ("shipping_address", "instagram_id", "nickname", "activity_area")
        return self.marketing and self.third_party and all(self.values[n] for n in needed)


def row_of(company: Path, member: str) -> Row | None:
    """The member's row, read from the company's database file."""
    with closing(sqlite3.connect(f"file:{company}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(ROW, (int(member),)).fetchone()
    if found is None:
        return None
    values = {name: found[name] for name in found.keys()[:16]}
    marketing = bool(found["marketing_email"] or found["marketing_sms"])
    return Row(values, marketing, bool(found["third_party"]), bool(found["listed"]))


def parcel_address(company: Path, member: str) -> str:
    """Where the member's parcel that is being packed goes: a copy of the address in another table."""
    with closing(sqlite3.connect(f"file:{company}?mode=ro", uri=True)) as connection:
        found = connection.execute(PARCEL, (int(member),)).fetchone()
    return str(found[0]) if found else ""


def active_members(company: Path) -> list[tuple[str, str]]:
    """The address and language of every member who has not left."""
    with closing(sqlite3.connect(f"file:{company}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT email, language FROM member WHERE status = 'active'")
        return [(email, language) for email, language in rows if email]


@dataclass(frozen=True)
class System:
    """One of the company's systems: what it needs, and for what."""

    name: str
    purpose: str
    fields: tuple[str, ...]
    recipient: str | None


@dataclass(frozen=True)
class Answer:
    """What the gate told a system, and what the system could then use."""

    system: System
    permit: bool
    reasons: tuple[str, ...]
    held: tuple[str, ...]
    allowed: tuple[str, ...]
    revision: int
    values: Mapping[str, str | None]
    at: datetime
    ms: float


def systems_of(data_map: DataMap) -> dict[str, System]:
    """The callers of the data map, each with its first purpose and what that purpose needs."""
    found = {}
    for name, caller in data_map.callers.items():
        purpose = caller.purposes[0]
        fields = tuple(f for f in caller.fields if f in data_map.purposes[purpose].fields)
        found[name] = System(name, purpose, fields, caller.recipient)
    return found


class Systems:
    """The company's systems. They remember what each was told last about a member."""

    def __init__(self, world: "World", http: httpx.AsyncClient) -> None:
        self._world, self._http = world, http
        self.all = systems_of(world.desk.data_map)
        self.last: dict[tuple[str, str], Answer] = {}

    async def ask(self, name: str, member: str) -> Answer:
        """Asks the gate over HTTP with the system's own key; reads the values only if permitted.

        Raises Refused where the gate did not answer.
        """
        system, started = self.all[name], time.perf_counter()
        told = await self._http.post(
            EVALUATION,
            json=question(system, member),
            headers={"Authorization": f"Bearer {self._world.caller_keys[name]}"},
        )
        if told.status_code != 200:
            raise Refused(f"the gate answered {told.status_code}", field=name)
        ms = (time.perf_counter() - started) * 1000
        answer = self._answer(system, member, told.json(), ms)
        self.last[name, member] = answer
        return answer

    def row(self, member: str) -> Row | None:
        return row_of(self._world.company, member)

    def _answer(self, system: System, member: str, told: dict[str, object], ms: float) -> Answer:
        context = told["context"]
        assert isinstance(context, dict)
        permit = told["decision"] is True
        row = self.row(member) if permit else None
        return Answer(
            system,
            permit,
            tuple(context.get("reasons", ())),
            tuple(context.get("held_fields", ())),
            tuple(context.get("allowed_fields", ())),
            int(context["revision"]),
            {field: row.values[field] for field in system.fields} if row else {},
            self._world.clock(),
            ms,
        )


def question(system: System, member: str) -> dict[str, object]:
    """What a system sends to the gate (AuthZEN 1.0)."""
    asked: dict[str, object] = {
        "subject": {"type": "system", "id": system.name},
        "action": {"name": system.purpose},
        "resource": {
            "type": "member",
            "id": member,
            "properties": {"fields": list(system.fields)},
        },
    }
    if system.recipient:
        asked["context"] = {"recipient": system.recipient}
    return asked
