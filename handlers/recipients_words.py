"""What a notice to a recipient says: as JSON for a webhook, as a letter with a link.

A third party is not told why: to it every hold looks the same, whatever the member asked for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjectline.handlers import drafting, letters
from subjectline.handlers import facts as wording
from subjectline.handlers.holds import ALL
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.recipients import Held, freed, link_of, still_held
from subjectline.models.incoming import ID_MARK, Door
from subjectline.models.recipient_settings import Reach
from subjectline.models.tables import Request, Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LETTER = "recipient"


@dataclass(frozen=True)
class Notice:
    """One notice, opened. `member` is the member's id at the recipient; `values` the corrected ones.

    `held`: what must not be used yet for all that, under other references. `free`: what else its hold
    named, where only some fields are to be destroyed.
    """

    row: Telling
    reference: str
    regime: str
    member: str
    values: Mapping[str, str]
    held: tuple[Held, ...] = ()
    free: tuple[str, ...] = ()

    @property
    def known_as(self) -> tuple[str, ...]:
        """References that it is about, the newest last."""
        return tuple(self.row.known_as) or (self.reference,)


async def gather(desk: "Desk", row: Telling) -> Notice | None:
    """What the notice says; None where the recipient does not know this member.

    Its id there is read once, through our own gate, and kept sealed. Raises RegistryAway, NotPermitted.
    """
    async with desk.db.read() as session:
        request = await session.get_one(Request, row.request_id)
        free = await freed(session, row, request)
        held = await still_held(session, desk, row, request, free)
    member = await _member(desk, row, request)
    if not member:
        return None
    values = json.loads(desk.vault.text(row.content)) if row.content else {}
    return Notice(row, request.reference, request.regime, member, values, held, free)


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
        "reference": notice.known_as[-1],
        "references": list(notice.known_as),
        "fields": list(row.fields),
        "purposes": list(_purposes(desk, row.recipient, row.purposes)),
        "sequence": row.sequence,
        "revision": row.revision,
        "reminder": row.reminded,
        "acknowledge": link_of(desk, row.notice_id),
    }
    if row.kind == "corrected":
        data["corrected"] = list(row.corrected)
    if row.kind == "erase" and notice.free:
        data["freed"] = list(notice.free)
    if notice.values:
        data["values"] = dict(notice.values)
    if notice.held:
        data["still_held"] = [_held(desk, row.recipient, one) for one in notice.held]
    made = row.made_at.isoformat()
    return {"type": f"recipient.{row.kind}", "id": row.notice_id, "timestamp": made, "data": data}


def _held(desk: "Desk", recipient: str, held: Held) -> dict[str, Any]:
    purposes = _purposes(desk, recipient, held.scope.purposes)
    return {
        "reference": held.reference,
        "fields": list(held.scope.fields),
        "purposes": list(purposes),
    }


def _purposes(desk: "Desk", recipient: str, held: Sequence[str]) -> tuple[str, ...]:
    outside = desk.data_map.recipients[recipient].kind == "third_party"
    return ALL if outside else tuple(held)


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
    labels = wording.labels
    other = [] if set(row.corrected) == set(row.fields) else row.corrected
    return {
        "company": wording.company(desk, language),
        "reference": notice.known_as[-1],
        "earlier": list(notice.known_as[:-1]),
        "recipient": known.recipients[row.recipient].labels.text(language),
        "notice": row.kind,
        "member": notice.member,
        "items": labels(desk, row.fields, language),
        "corrected": labels(desk, other, language),
        "freed": labels(desk, notice.free if row.kind == "erase" else (), language),
        "still_held": [_held_line(desk, row.recipient, one, language) for one in notice.held],
        "held_purposes": _purpose_labels(desk, row.recipient, row.purposes, language),
        "has_values": bool(notice.values),
        "reminded": row.reminded > 0,
        "law": letters.law_on("recipients", language, notice.regime),
        "secure_link": link_of(desk, row.notice_id),
    }


def _purpose_labels(desk: "Desk", recipient: str, held: Sequence[str], language: str) -> list[str]:
    """None: all. A purpose that the map has no more goes by its name."""
    purposes, known = _purposes(desk, recipient, held), desk.data_map.purposes
    if purposes == ALL:
        return []
    return [known[one].labels.text(language) if one in known else one for one in purposes]


def _held_line(desk: "Desk", recipient: str, held: Held, language: str) -> str:
    """Fields, purposes where not all, and the reference under which they are held."""
    purposes = _purpose_labels(desk, recipient, held.scope.purposes, language)
    fields = ", ".join(wording.labels(desk, held.scope.fields, language))
    return f"{fields} ({', '.join((*purposes, held.reference))})"


def message_id(desk: "Desk", row: Telling) -> str:
    """The same at each try; a reminder has one of its own, or mailboxes would hide it as a double."""
    name = f"{row.notice_id}.{row.reminded}" if row.reminded else row.notice_id
    return f"<{name}{ID_MARK}@{desk.manner.address.rpartition('@')[2]}>"
