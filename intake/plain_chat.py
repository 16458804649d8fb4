"""A messenger in plain lines: what comes in, and how the desk's questions look there.

One file is all that a messenger is. A choice is a numbered line, answered by its number; nothing can be
deleted there. The conversation itself (`handlers.dialog`) knows neither this nor any other messenger.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from subjectline.handlers.inbox import Raw, RawView
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.understanding import language_of
from subjectline.models.errors import UnreadableMail
from subjectline.models.incoming import Contact, Door, Incoming
from subjectline.models.masking import mask_resident_numbers

Choice = tuple[str, str]  # its label and its data
_NO_WORDS = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}|(?<!\S)/\w+")


def raw(
    who: str, number: int, at: datetime, text: str, *, button: str = "", app: str = "ko"
) -> Raw:
    """One line as it arrived. `app` is the language of the person's program."""
    body = {"who": who, "number": number, "text": text, "button": button, "app": app}
    return Raw(Door.PLAIN, f"plain:{who}:{number}", f"plain:{who}", at, json.dumps(body).encode())


def parse(view: RawView) -> Incoming:
    """What a person wrote or chose. Raises UnreadableMail for a line that is none of ours."""
    try:
        told = json.loads(view.body)
        who, number, button = str(told["who"]), int(told["number"]), str(told["button"])
        text, found = mask_resident_numbers(str(told["text"]))
        words, app = _NO_WORDS.sub(" ", text), str(told["app"])
    except (ValueError, KeyError, TypeError):
        raise UnreadableMail("this is no line of a plain chat", field="body") from None
    return Incoming(
        door=Door.PLAIN,
        source_key=view.source_key,
        arrived_at=view.arrived_at,
        sender=Contact("plain", who),
        text=text,
        button=button,
        language=language_of(words) if any(c.isalpha() for c in words) else app,
        resident_number_found=found,
        body_hash=hashlib.sha256(text.encode()).hexdigest(),
        chat_message_id=number,
    )


@dataclass
class PlainSender:
    """The way out: keeps each line with its numbered choices. `lines` are (who, text, choices)."""

    lines: list[tuple[str, str, list[Choice]]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> None:
        """Takes one letter; raises nothing."""
        if parcel.forget:
            self.forgotten.append(parcel.forget)
        if parcel.text:
            keys = [key for row in parcel.keyboard or () for key in row]
            choices = [(key["text"], key["data"]) for key in keys if "data" in key]
            self.lines.append((parcel.recipient, parcel.text, choices))


def shown(text: str, choices: Sequence[Choice]) -> str:
    """A line with its choices numbered below it."""
    listed = [f"[{number}] {label}" for number, (label, _) in enumerate(choices, start=1)]
    return "\n".join([text, *listed])


def chosen(text: str, choices: Sequence[Choice]) -> str:
    """The data of the choice whose number was typed; an empty text where it is none of them."""
    plain = text.strip()
    if not plain.isdecimal() or not 1 <= int(plain) <= len(choices):
        return ""
    return choices[int(plain) - 1][1]
