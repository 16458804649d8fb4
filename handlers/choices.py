"""What can be chosen instead of typed: rights, fields, yes and no, as labels and as buttons.

A button's `data` comes back when it is pressed, at most 64 bytes: `word:what`. That of a question names
its request and step (`yes:SL-…:7`), so that an old button answers nothing else.
"""

from collections.abc import Sequence

from subjectline.handlers.words import button_label, kind_label, word
from subjectline.models.datamap import DataMap
from subjectline.models.tables import Request

Keyboard = list[list[dict[str, str]]]

WITHDRAWALS = ("marketing_withdrawal", "third_party_withdrawal", "membership_withdrawal")
RIGHTS = ("access", "correction", *WITHDRAWALS)
MENU = ("access", "portability", "correction", "erasure", "suspension")
CHOSEN = frozenset({*MENU, *WITHDRAWALS})  # rights that a button can name
BY_FIELD = ("correction", "erasure", "suspension")  # whose field is chosen first
YES_NO = frozenset({"confirm_leaving", "confirm_value", "confirm_right"})
VALUES = frozenset({"which_value", "bad_value"})
PAPERS = frozenset({"paper", "other_proof"})
BOUND = frozenset({"yes", "no", "page", "papers", "stop"})
LANGUAGES = {"ko": "한국어", "en": "English"}
ACROSS = 2  # buttons in a row
LONGEST_DATA = 64  # bytes (Bot API, InlineKeyboardButton.callback_data)


def labels(question: str, language: str) -> list[str]:
    """The choices of a question as a letter lists them."""
    return [kind_label(kind, language) for kind in RIGHTS] if question == "which_right" else []


def keyboard(question: str, language: str) -> Keyboard | None:
    """The buttons under a question in a chat."""
    if question in YES_NO:
        return [[_named(name, language) for name in ("yes", "no")]]
    if question in VALUES:
        return [[_named("page", language)], [_named("stop", language)]]
    if question in PAPERS:
        return [[_named("papers", language)], [_named("stop", language)]]
    if question == "which_right":
        return rights((*MENU, *WITHDRAWALS), language)
    return None


def bound(keys: Keyboard | None, reference: str, version: int) -> Keyboard | None:
    """The same buttons, good for this request at this step only."""
    if keys is None:
        return None
    return [
        [
            {**key, "data": f"{key['data']}:{reference}:{version}"}
            if key.get("data") in BOUND
            else key
            for key in row
        ]
        for row in keys
    ]


def menu(language: str) -> Keyboard:
    """What can be asked for, and how it stands."""
    do = [_does(name, language) for name in ("withdraw", "status", "privacy", "language")]
    return across([*(_right(kind, language) for kind in MENU), *do])


def rights(kinds: Sequence[str], language: str) -> Keyboard:
    return across([_right(kind, language) for kind in kinds])


def fields(data_map: DataMap, kind: str, language: str) -> Keyboard:
    """The fields that a right can be about: all that can be corrected, or erased, or stopped."""
    known = data_map.fields.items()
    named = [
        button(field.labels.text(language), f"field:{kind}:{name}")
        for name, field in known
        if field.correctable or kind != "correction"
    ]
    if kind != "correction":
        named.append(button(word("frame", "all_data", language), f"field:{kind}:*"))
    return across([key for key in named if len(key["data"].encode()) <= LONGEST_DATA])


def tongues() -> Keyboard:
    """The languages, each in its own name."""
    return [[button(name, f"language:{code}") for code, name in LANGUAGES.items()]]


def proof(language: str) -> Keyboard:
    """Ways on for somebody who is asked who they are, or for their code."""
    return across([_who(name, language) for name in ("no_mail", "lost")])


def without_address(language: str, *, share: bool = False) -> Keyboard:
    """Ways on for somebody who has no address to name; `share`: their app may tell their number."""
    return across([_who(name, language) for name in (["share_contact"] * share + ["lost"])])


def sharing(language: str) -> Keyboard:
    """A button by which the app itself hands over its owner's number."""
    return [[{"text": button_label("share_contact", language), "share": "phone"}]]


def other_ways(language: str) -> Keyboard:
    """Another address, or none at all."""
    return across([_who(name, language) for name in ("use_email", "lost")])


def papers(language: str) -> Keyboard:
    return across([_who(name, language) for name in ("papers", "use_email")])


def taking_back(request: Request) -> dict[str, str]:
    """The button that withdraws one request."""
    return button(button_label("stop", request.language), f"cancel:{request.reference}")


def across(keys: Sequence[dict[str, str]]) -> Keyboard:
    """Buttons in rows of two; a long label stands alone."""
    rows: Keyboard = []
    for key in keys:
        long = len(key["text"]) > 16
        if rows and not long and len(rows[-1]) < ACROSS and len(rows[-1][0]["text"]) <= 16:
            rows[-1].append(key)
        else:
            rows.append([key])
    return rows


def button(label: str, data: str) -> dict[str, str]:
    """One button; `data` comes back when it is pressed (at most 64 bytes)."""
    return {"text": label, "data": data}


def _right(kind: str, language: str) -> dict[str, str]:
    return button(kind_label(kind, language), f"right:{kind}")


def _does(name: str, language: str) -> dict[str, str]:
    return button(button_label(name, language), f"do:{name}")


def _who(name: str, language: str) -> dict[str, str]:
    return button(button_label(name, language), f"who:{name}")


def _named(name: str, language: str) -> dict[str, str]:
    return button(button_label(name, language), name)
