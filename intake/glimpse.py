"""A few words of what could not be handled, through the mask, for agents. Pure; never raises."""

from datetime import UTC, datetime

from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mailparse.charsets import clean, decode_any
from subjectline.models.errors import UnreadableMail
from subjectline.models.masking import mask_identifying

MOST = 20_000  # characters
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def glimpse(door: str, raw: bytes) -> str:
    """What can be read of `raw`: subject and text of a mail, else the letters in it. Numbers that
    identify are covered."""
    words = _of_mail(raw) if door == "mail" else ""
    if not words.strip():
        words = clean(decode_any(raw[: MOST * 4]))
    return mask_identifying(words[:MOST])


def _of_mail(raw: bytes) -> str:
    try:
        mail = parse_mail(raw, source_key="", arrived_at=_NO_TIME, policy=MailPolicy())
    except UnreadableMail:
        return ""
    return "\n\n".join(one for one in (mail.subject, mail.text, mail.rest) if one.strip())
