"""What the member is told when somebody acts for them, and the link with which they can stop it."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import facts as wording
from subjectline.handlers import post
from subjectline.handlers.letters import SECURE_LINK, kind_label, render
from subjectline.models.incoming import Contact, Door
from subjectline.models.tables import Mandate, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

NOBODY = "nobody"


@dataclass(frozen=True)
class Principal:
    """How the member is reached: their registered address and language; None: there is no address."""

    contact: Contact | None
    language: str


async def principal(desk: "Desk", member: str) -> Principal:
    """Asked before any transaction. Raises UnknownMember, RegistryAway."""
    held = await desk.registry.contacts(member)
    language = await desk.registry.language(member) or desk.manner.language
    email = held.get("email")
    return Principal(Contact("email", email) if email else None, language)


def tell(
    session: AsyncSession, desk: "Desk", mandate: Mandate, request: Request, to: Principal
) -> None:
    """Notes the member's letter: to a child in simple words. Says in the row how they were told."""
    session.add(mandate)
    if to.contact is None:
        mandate.told = NOBODY
        return
    mandate.told = to.contact.kind
    letter = "guardian_acts" if mandate.kind == "guardian" else "proxy_named"
    told = wording.gather(desk, [request], _facts(desk, mandate, to.language), to.language)
    post.note(
        session,
        post.Noted(
            letter,
            request.conversation_id,
            [request.id or 0],
            ready=render(letter, to.language, Door.MAIL, told),
            slots={"secure_link": {"request_id": request.id, "purpose": "proxy"}},
            to=to.contact,
        ),
    )


def _facts(desk: "Desk", mandate: Mandate, language: str) -> dict[str, object]:
    every = "*" in mandate.fields
    return {
        "proxy_name": desk.vault.text(mandate.proxy),
        "rights": [kind_label(right, language) for right in mandate.rights],
        "fields": [] if every else wording.labels(desk, mandate.fields, language),
        "expires_on": date.fromisoformat(mandate.expires_on),
        "secure_link": SECURE_LINK,
    }
