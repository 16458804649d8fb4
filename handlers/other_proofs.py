"""Answers that prove by another contact than the one that they come from: a code that went to a new
contact, a registered contact that is named to be proven by."""

from typing import TYPE_CHECKING

from subjectline.handlers import dialog, naming, new_contact, post
from subjectline.handlers.belonging import open_of
from subjectline.handlers.challenges import Check, Verdict
from subjectline.handlers.understanding import understand
from subjectline.models.incoming import Door, Tier
from subjectline.models.tables import Request
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.answers import Came


async def new_contact_code(came: "Came") -> bool:
    """Whether it was a code that went to a contact which is to be registered, typed where the person
    asked; then what follows from it."""
    if not came.answer.code or came.incoming.tier is Tier.FAILED:
        return False
    waiting = await new_contact.awaited(came.session, came.conversation.id or 0)
    if waiting is None:
        return False
    request = await came.session.get_one(Request, waiting.request_id)
    await came.belongs_to(request)
    dialog.forget(came.session, came.conversation, came.incoming)
    check = await new_contact.check(came.session, came.desk, came.conversation, came.answer.code)
    if check.verdict is Verdict.WRONG:
        _say_wrong(came, request, check)
    elif check.verdict is Verdict.SPENT and not await new_contact.again(
        came.session, came.desk, request
    ):
        came.for_agent()
    return True


def _say_wrong(came: "Came", request: Request, check: Check) -> None:
    facts = {"question": "wrong_code", "tries_left": check.tries_left}
    letter = "dialog_code_wrong" if Door(came.conversation.door).is_chat else "question"
    noted = post.Noted(letter, came.conversation.id or 0, [request.id or 0], facts)
    post.note(came.session, noted)


async def contact_named(came: "Came") -> bool:
    """Whether a mail that answers a letter of ours names a registered contact to be proven by."""
    if came.conversation.door != Door.MAIL or came.incoming.tier is Tier.FAILED:
        return False
    found = naming.answered_with(came.desk, came.incoming)
    unproven = await _unproven(came) if found else []
    if not unproven:
        return False
    meant = understand(came.incoming.text, came.desk.vocabulary, came.incoming.language)
    if meant.decision == "apply":
        return False
    for request in unproven:
        await came.belongs_to(request)
    if not await naming.name_contact(
        came.session, came.desk, came.conversation, unproven, found[0], came.known
    ):
        came.for_agent()
    return True


async def _unproven(came: "Came") -> list[Request]:
    waiting = await open_of(came.session, came.conversation.id or 0)
    return [r for r in waiting if r.state in BEFORE_PROOF and r.kind != "unclear"]
