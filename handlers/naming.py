"""A registered contact that a person names to be proven by: read from their words, asked of the registry.

The same words and queries whoever it belongs to.
"""

import re
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import identity
from subjectline.handlers.identity import Known
from subjectline.handlers.identity_limits import too_many
from subjectline.handlers.understanding import understand
from subjectline.models.errors import BadValue
from subjectline.models.incoming import Contact, Incoming
from subjectline.models.tables import Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
PHONE = re.compile(r"(?<![\d-])(?:\+?82[ -]?1|01)\d[ -.]?\d{3,4}[ -.]?\d{4}(?![\d-])")
MOST = 3
LONGEST = 300  # characters of a message that does nothing but name a contact


def named_in(desk: "Desk", incoming: Incoming) -> list[Contact]:
    """Addresses and, where text messages can be sent, phones that a message names.

    A phone in a message that asks for something (a new number, say) is not meant as a proof.
    """
    found = [Contact("email", each.lower()) for each in ADDRESS.findall(incoming.text)[:MOST]]
    return list(dict.fromkeys([*found, *_phones(desk, incoming)]))


def answered_with(desk: "Desk", incoming: Incoming) -> list[Contact]:
    """Of a mail: the contacts in an answer to a letter of ours that says little else."""
    if not (incoming.in_reply_to or incoming.reply_token) or len(incoming.text) > LONGEST:
        return []
    return [each for each in named_in(desk, incoming) if each != incoming.sender]


def _phones(desk: "Desk", incoming: Incoming) -> list[Contact]:
    field = desk.data_map.contact_field("phone")
    numbers = PHONE.findall(incoming.text)[:MOST] if desk.manner.sms and field else []
    if not numbers or field is None:
        return []
    if understand(incoming.text, desk.vocabulary, incoming.language).decision == "apply":
        return []
    phones = []
    for number in numbers:
        try:
            phones.append(Contact("phone", field.normalise(number)))
        except BadValue:
            continue
    return phones


async def name_contact(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    contact: Contact,
    known: Known,
) -> bool:
    """By mail: the person names a registered contact to be proven by, because the one that they write
    from is unknown, or is to be changed. The answer reads the same whoever it belongs to.

    False where nothing was done, so that an agent looks: too many codes, or the named contact is the
    one to be changed.
    """
    left = [r for r in requests if not identity.contested(desk, r, contact)]
    if not left or await too_many(session, desk, conversation):
        return False
    for request in left:
        request.group_id = left[-1].group_id
        session.add(request)
    await identity.challenge(session, desk, conversation, left, contact, known)
    identity.say_it_went(session, conversation, left)
    return True
