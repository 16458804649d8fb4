"""What can be chosen instead of typed: rights, fields, yes and no, as labels and as buttons."""

from collections.abc import Sequence

from subjectline.handlers.words import button_label, kind_label

Keyboard = list[list[dict[str, str]]]

WITHDRAWALS = ("marketing_withdrawal", "third_party_withdrawal", "membership_withdrawal")
RIGHTS = ("access", "correction", *WITHDRAWALS)
YES_NO = frozenset({"confirm_leaving", "confirm_value", "confirm_right"})


def labels(question: str, language: str) -> list[str]:
    """The choices of a question as a letter lists them."""
    return [kind_label(kind, language) for kind in RIGHTS] if question == "which_right" else []


def keyboard(question: str, language: str) -> Keyboard | None:
    """The buttons under a question in a chat."""
    if question in YES_NO:
        return [[button(button_label(word, language), word) for word in ("yes", "no")]]
    if question == "which_right":
        return rights(RIGHTS, language)
    return None


def rights(kinds: Sequence[str], language: str) -> Keyboard:
    return [[button(kind_label(kind, language), f"right:{kind}")] for kind in kinds]


def button(label: str, data: str) -> dict[str, str]:
    """One button; `data` comes back when it is pressed (at most 64 bytes)."""
    return {"text": label, "data": data}
