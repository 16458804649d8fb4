"""Which letters by mail lead to a secure page, and what the page is for.

By chat the conversation itself offers the page where it fits (`dialog`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subjectline.models.tables import Request

_OF_QUESTION = {
    "which_field": "confirm",
    "which_value": "confirm",
    "bad_value": "confirm",
    "confirm_value": "confirm",
    "confirm_leaving": "confirm",
    "wrong_code": "code",
    "new_contact_proof": "code",
    "paper": "upload",
    "other_proof": "upload",
}


def purpose_of(letter: str, question: str, state: str) -> str:
    """The purpose of the link in a letter about a request in this state; "" where it has none."""
    if letter == "question":
        return _OF_QUESTION.get(question, "")
    if letter == "reminder":
        return "code" if state == "verifying" else "confirm"
    return {"verify": "code", "ack": "status"}.get(letter, "")


def shown(letter: str, facts: Mapping[str, Any], link: str) -> dict[str, Any]:
    """The facts of such a letter for a preview, which has no request."""
    state = "verifying" if facts.get("waiting_for") == "proof" else ""
    purpose = purpose_of(letter, str(facts.get("question", "")), state)
    return {"secure_link": link, "page": purpose} if purpose else {}


def led(
    letter: str, facts: Mapping[str, Any], request: "Request", link: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and slots that a letter gets so that it leads to its page; empty where it does not.

    `link` is the text that is filled in when it leaves.
    """
    purpose = purpose_of(letter, str(facts.get("question", "")), request.state)
    if not purpose or facts.get("secure_link"):
        return {}, {}
    slot = {"request_id": request.id, "purpose": purpose}
    return {"secure_link": link, "page": purpose}, {"secure_link": slot}
