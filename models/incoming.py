"""What a door hands to `handlers.requests.receive`: one message, parsed and masked, of any door."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from subjectline.models.delivery import Report
from subjectline.models.files import Apart

# Stands before the @ of a desk's own Message-IDs: servers that take off headers leave these alone.
ID_MARK = ".subjectline"


class Door(StrEnum):
    MAIL = "mail"
    TELEGRAM = "telegram"
    PLAIN = "plain"  # a chat of plain lines with numbered choices: intake/plain_chat.py
    CONSOLE = "console"
    SMS = "sms"  # a way out only
    PAGE = "page"  # a member's secure page: what comes in there joins the conversation of its link

    @property
    def is_chat(self) -> bool:
        """Whether people talk there line by line, with whatever messenger it is."""
        return self in CHATS


CHATS = frozenset({Door.TELEGRAM, Door.PLAIN})
SHARES = frozenset({Door.TELEGRAM})  # whose app hands over its owner's own number


class Tier(StrEnum):
    """How far the sender can be believed before any proof (DMARC, RFC 7489; RFC 8601)."""

    ALIGNED = "aligned"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Outcome(StrEnum):
    """What an intake rule decides about a message."""

    HANDLE = "handle"
    ATTACH = "attach"
    HOLD = "hold"  # for an agent
    DEAD = "dead"  # dead letter


@dataclass(frozen=True, slots=True)
class Contact:
    """An address on a door: kind `email`, `phone`, or a chat's door with the user's id as text."""

    kind: str
    value: str  # canonical: lower-case address, +82… number, decimal id


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str  # masked
    content_type: str  # by the content where that tells, else as declared
    content: bytes
    declared: str = ""  # the sender's word for the type
    apart: tuple[Apart, ...] = ()  # why it is not simply opened


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came in. Text is already masked; times are aware UTC.

    `source_key` names the raw row (mailbox + UIDVALIDITY + UID, or bot + update_id). `reply_token`
    is the signed token of our Reply-To address, if the message was sent to one. `happened` is what was
    done instead of something said (a key of `inbox.HAPPENED`). `button` is the data of a pressed
    button; `shared_phone` a contact shared by its owner in a private chat.
    """

    door: Door
    source_key: str
    arrived_at: datetime
    sender: Contact
    text: str
    sender_name: str = ""
    subject: str = ""
    rest: str = ""  # quoted history, signature, disclaimer: cut from `text`, kept
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    reply_token: str = ""
    tier: Tier = Tier.UNKNOWN
    evidence: dict[str, str] = field(default_factory=dict)
    rule: str = "person"
    outcome: Outcome = Outcome.HANDLE
    reason: str = ""
    language: str = "ko"  # ko or en
    resident_number_found: bool = False
    body_hash: str = ""  # SHA-256 of the normalised body, for duplicates
    attachments: tuple[Attachment, ...] = ()
    button: str = ""
    happened: str = ""
    chat_message_id: int = 0
    shared_phone: str = ""
    reports: tuple[Report, ...] = ()  # of a bounce or a complaint: what it says of our letters
