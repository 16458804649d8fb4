"""What a request's page shows, as plain facts. Texts are opened; kinds, states and fields are keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from subjectline.handlers.gate_evidence import FieldUse
from subjectline.models.datamap import Bilingual
from subjectline.models.files import NOT_KEPT


@dataclass(frozen=True)
class FileView:
    """A file as it is named to agents. `scan` is empty where there was no scanner."""

    handle: str
    name: str
    content_type: str
    size: int
    apart: tuple[str, ...] = ()  # values of models.files.Apart
    scan: str = ""
    finding: str = ""

    @property
    def gone(self) -> bool:
        """Never kept, or destroyed."""
        return bool(NOT_KEPT.intersection(self.apart))

    @property
    def held(self) -> bool:
        """Whether it opens only by a deed of its own."""
        return bool(self.apart) or self.scan in ("unscanned", "failed", "infected")


@dataclass(frozen=True)
class MessageView:
    """One message of a conversation. `gone` says that its key was destroyed."""

    direction: str
    at: datetime
    door: str
    subject: str
    text: str
    rest: str
    tier: str
    letter: str
    language: str
    evidence: Mapping[str, Any]
    files: tuple[FileView, ...]
    source: bool
    linked: bool
    waits: bool
    gone: bool = False
    handle: str = ""
    sender: str = ""  # where it is not the conversation's own correspondent


@dataclass(frozen=True)
class HoldView:
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    kind: str
    started_at: datetime
    ended_at: datetime | None
    end_cause: str
    everywhere_at: datetime | None = None  # since when no form of the gate permits it


@dataclass(frozen=True)
class Step:
    """One line of the history. `who` is an agent's name, or `member` or `system`."""

    version: int
    at: datetime
    event: str
    before: str
    after: str
    who: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class ChallengeView:
    state: str
    contact_kind: str
    made_at: datetime
    expires_at: datetime
    tries: int


@dataclass(frozen=True)
class Signature:
    agent_id: int
    name: str
    at: datetime


@dataclass(frozen=True)
class ProposalView:
    """The bytes that would leave, opened from their envelope, and who signed them."""

    sha256: str
    outcome: str
    drafted_by: str
    touched: bool
    needs: int
    made_at: datetime
    state: str
    too_old: bool
    envelope: Mapping[str, Any]
    signatures: tuple[Signature, ...]

    def signed_by(self, agent_id: int) -> bool:
        return any(one.agent_id == agent_id for one in self.signatures)


@dataclass(frozen=True)
class AttemptView:
    """One try to write into the company's databases. `detail` may have `places`: after a failure,
    which table and column of which connection holds the old value, the new one, another or none."""

    at: datetime
    outcome: str
    detail: Mapping[str, Any]

    @property
    def states(self) -> dict[str, Any]:
        """What each connection answered."""
        apart = ("places", "told")
        return {name: value for name, value in self.detail.items() if name not in apart}

    @property
    def told(self) -> str:
        """Why it did not end well: a key of the console's words, or a sentence."""
        return str(self.detail.get("told", ""))

    @property
    def places(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.detail.get("places", ()))


@dataclass(frozen=True)
class CopyView:
    """A copy out of the desk's reach, and who corrected it."""

    number: int
    field: str
    place: str
    labels: Mapping[str, str]
    done_at: datetime | None
    done_by: str


@dataclass(frozen=True)
class TellingView:
    """One notice to a recipient of the data. `newest`: nothing later is said to it of the request."""

    notice: str
    recipient: str
    label: Bilingual
    kind: str
    fields: tuple[str, ...]
    way: str
    outcome: str
    reason: str
    made_at: datetime
    sent_at: datetime | None
    reminded: int
    acknowledged_at: datetime | None
    acknowledged_by: str
    late: bool
    newest: bool
    again: bool  # the settings say how it can be sent once more

    @property
    def open(self) -> bool:
        """Whether somebody still has to say that it is done."""
        return self.newest and self.outcome in ("due", "sent", "hand", "failed")

    @property
    def why(self) -> str:
        """The key of the words for `reason`, which is the sender's own; "other" for what has none."""
        found = (key for start, key in _WHY_NOT_TOLD if self.reason.startswith(start))
        return next(found, "other")


_WHY_NOT_TOLD = (
    ("the webhook answered", "answered"),
    ("the webhook did not answer", "slow"),
    ("the webhook cannot be reached", "away"),
    ("the mail came back", "returned"),
    ("the registry is away", "registry"),
    ("its id at the recipient", "no_id"),
    ("the settings do not say", "no_way"),
)


@dataclass(frozen=True)
class LetterView:
    letter: str
    door: str
    outcome: str
    attempts: int
    made_at: datetime
    sent_at: datetime | None
    reason: str
    returned: str = ""  # late, temporary, permanent, delivered, complaint
    returned_code: str = ""
    returned_cause: str = ""
    returned_at: datetime | None = None


@dataclass(frozen=True)
class Case:
    """One request as its page shows it. Names of fields and kinds are keys; labels are the page's."""

    id: int
    reference: str
    kind: str
    state: str
    version: int
    language: str
    regime: str
    door: str
    correspondent: str
    conversation: str  # its handle
    registry: str | None
    member: str | None
    level: str
    fields: tuple[str, ...]
    wish_new: Mapping[str, str]
    wish_old: Mapping[str, str]
    arrived_at: datetime
    due_at: datetime
    due_on: str
    days_left: int
    derivation: tuple[str, ...]
    ground: str
    taken_by: int | None
    taken_name: str
    closed_at: datetime | None
    follows: str
    siblings: tuple[tuple[str, str, str], ...]  # reference, kind, state of the same message's
    moves: frozenset[str]  # the events that are legal now
    messages: tuple[MessageView, ...]
    holds: tuple[HoldView, ...]
    history: tuple[Step, ...]
    challenges: tuple[ChallengeView, ...]
    proposal: ProposalView | None
    attempts: tuple[AttemptView, ...]
    letters: tuple[LetterView, ...]
    copies: tuple[CopyView, ...] = ()
    uses: tuple[FieldUse, ...] = ()  # of held fields, by other systems
    tellings: tuple[TellingView, ...] = ()
    views_away: tuple[str, ...] = ()  # databases whose masking views show nothing now
    beside: tuple[MessageView, ...] = ()  # answers to our letters by somebody else
    shut: tuple[str, ...] = ()  # why the gate does not open the data: nothing of it is here

    @property
    def copies_left(self) -> int:
        return sum(copy.done_at is None for copy in self.copies)

    @property
    def silent(self) -> bool:
        """Whether a recipient of the data waits for an agent."""
        waits = [one for one in self.tellings if one.open]
        return any(one.late or one.outcome in ("failed", "hand") for one in waits)

    @property
    def sources(self) -> tuple[MessageView, ...]:
        """The messages that started it; the first incoming one where none is marked."""
        marked = tuple(m for m in self.messages if m.source)
        return marked or tuple(m for m in self.messages if m.direction == "in")[:1]

    @property
    def wants_eyes(self) -> bool:
        """Whether a message came that no rule dealt with."""
        return any(message.waits for message in self.messages)

    @property
    def held(self) -> tuple[HoldView, ...]:
        return tuple(hold for hold in self.holds if hold.ended_at is None)


@dataclass(frozen=True)
class Talk:
    """One conversation, for sorting."""

    id: int
    handle: str
    door: str
    language: str
    state: str
    correspondent: str
    member: str | None
    last_at: datetime
    messages: tuple[MessageView, ...]
    requests: tuple[tuple[str, str, str], ...]  # reference, kind, state
    waits: tuple[str, ...] = ()  # why an agent must sort it, keys of `handlers.waiting`
    shut: tuple[str, ...] = ()  # why only what waits is shown


@dataclass(frozen=True)
class OpenedFile:
    name: str
    content: bytes
    apart: bool = False
