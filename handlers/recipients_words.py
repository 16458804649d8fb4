"""What a notice to a recipient says: as JSON for a webhook, as a letter with a link.

A third party is not told why: to it every hold looks the same, whatever the member asked for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjectline.handlers import drafting, letters
from subjectline.handlers import facts as wording
from subjectline.handlers.holds import ALL
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.recipients import link_of
from subjectline.models.incoming import ID_MARK, Door
from subjectline.models.recipient_settings import Reach
from subjectline.models.tables import Request, Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LETTER = "recipient"


@dataclass(frozen=True)
class Notice:
    """One notice, opened. `member` is the member's id at the recipient; `values` the corrected ones."""

    row: Telling
    reference: str
    regime: str
    member: str
    values: Mapping[str, str]


async def gather(desk: "Desk", row: Telling) -> Notice | None:
    """What the notice says; None where the recipient does not know this member.

    Its id there is read once, through our own gate, and kept sealed. Raises RegistryAway, NotPermitted.
    """
    async with desk.db.read() as session:
        request = await session.get_one(Request, row.request_id)
    member = await _member(desk, row, request)
    if not member:
        return None
    values = json.loads(desk.vault.text(row.content)) if row.content else {}
    return Notice(row, request.reference, request.regime, member, values)


async def _member(desk: "Desk", row: Telling, request: Request) -> str:
    known_by = desk.data_map.recipients[row.recipient].known_by
    if known_by is None:
        return request.subject_id or ""
    if row.member is not None:
        return desk.vault.text(row.member)
    await drafting.ask_own_gate(desk, request)
    found = await desk.registry.read(request.subject_id or "", [known_by])
    if not (member := found[known_by] or ""):
        return ""
    row.member = desk.vault.seal(request.key_id, "telling.member", member)
    async with desk.db.write() as session:
        kept = await session.get_one(Telling, row.id)
        kept.member = row.member
        session.add(kept)
    return member


def posted(desk: "Desk", notice: Notice) -> dict[str, Any]:
    """The body of a webhook."""
    row = notice.row
    data: dict[str, Any] = {
        "registry": desk.data_map.registry,
        "recipient": row.recipient,
        "member": notice.member,
        "reference": notice.reference,
        "fields": list(row.fields),
        "purposes": list(_purposes(desk, row)),
        "revision": row.revision,
        "reminder": row.reminded,
        "acknowledge": link_of(desk, row.notice_id),
    }
    if notice.values:
        data["values"] = dict(notice.values)
    made = row.made_at.isoformat()
    return {"type": f"recipient.{row.kind}", "id": row.notice_id, "timestamp": made, "data": data}


def _purposes(desk: "Desk", row: Telling) -> tuple[str, ...]:
    outside = desk.data_map.recipients[row.recipient].kind == "third_party"
    return ALL if outside else tuple(row.purposes)


def parcel(desk: "Desk", notice: Notice, reach: Reach) -> Parcel:
    """The letter: no value stands in it, and of the member only the id."""
    row, language = notice.row, reach.language
    letter = letters.render(LETTER, language, Door.MAIL, facts(desk, notice, language))
    letter = letters.fill(letter, language, wording.local_day(desk, desk.clock()))
    return Parcel(
        door=Door.MAIL,
        recipient=reach.mail,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=message_id(desk, row),
        reply_to=desk.manner.address,
        answers=False,
    )


def facts(desk: "Desk", notice: Notice, language: str) -> dict[str, Any]:
    """The facts of the letter (`models.letter_facts.RecipientFacts`)."""
    row, known = notice.row, desk.data_map
    purposes = _purposes(desk, row)
    labels = [] if purposes == ALL else [known.purposes[p].labels.text(language) for p in purposes]
    return {
        "company": wording.company(desk, language),
        "reference": notice.reference,
        "recipient": known.recipients[row.recipient].labels.text(language),
        "notice": row.kind,
        "member": notice.member,
        "items": wording.labels(desk, row.fields, language),
        "held_purposes": labels,
        "has_values": bool(notice.values),
        "reminded": row.reminded > 0,
        "law": letters.law_on("recipients", language, notice.regime),
        "secure_link": link_of(desk, row.notice_id),
    }


def message_id(desk: "Desk", row: Telling) -> str:
    """The same at each try; a reminder has one of its own, or mailboxes would hide it as a double."""
    name = f"{row.notice_id}.{row.reminded}" if row.reminded else row.notice_id
    return f"<{name}{ID_MARK}@{desk.manner.address.rpartition('@')[2]}>"
