"""How a member id is written. Two spellings of one id would be a hold that does not hold."""

import re
import unicodedata
from uuid import UUID

from subjectline.models.errors import NotCanonical

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


def member_id(member: object, form: str, *, fold: bool = False) -> str:
    """`member` (an int, UUID or text) in the form integer, uuid or text. Raises NotCanonical."""
    if isinstance(member, bool) or not isinstance(member, int | str | UUID):
        raise _refusal(form)
    text = str(member).strip()
    if form == "integer":
        return _integer(text)
    return _uuid(text) if form == "uuid" else _text(text, fold)


def _integer(text: str) -> str:
    if not _INTEGER.fullmatch(text):
        raise _refusal("integer")
    return text


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise _refusal("uuid") from None


def _text(text: str, fold: bool) -> str:
    text = unicodedata.normalize("NFC", text)
    # Folding can undo the normal form, so it is made again.
    text = unicodedata.normalize("NFC", text.casefold()) if fold else text
    if not text or any(unicodedata.category(letter) == "Cc" for letter in text):
        raise _refusal("text")
    return text


def _refusal(form: str) -> NotCanonical:
    return NotCanonical(
        f"a member id of this registry is written as {form}",
        field="member",
        remedy="Hand over the id as the home table writes it.",
    )
