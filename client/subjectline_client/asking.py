"""One client's question, answered from what its replica knows. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from subjectline_client.core import (
    BOUND,
    HELD,
    REPLICA_BEHIND_TOKEN,
    STALE,
    SUBJECT_NOT_CANONICAL,
    Decision,
    Filtered,
    HoldState,
    steady,
)
from subjectline_client.errors import denial
from subjectline_client.policy import EVERY, OWN_USE, Policy
from subjectline_client.tally import Tally
from subjectline_client.wire import SeenPolicy

Mode = Literal["enforce", "observe"]
NOT_ENFORCED = "not enforced"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, as `decide` takes it."""

    subject: str
    fields: Sequence[str]
    purpose: str
    recipient: str | None = None
    at_least_revision: int | None = None


@dataclass(slots=True, repr=False)
class Observed(Decision):
    """A permit that nobody enforced. `reasons` say why it would have been denied, if it would."""

    enforced: ClassVar[bool] = False

    def __repr__(self) -> str:
        would = f"would deny: {', '.join(self.reasons)}" if self.reasons else "would permit"
        return f"<Decision permit, {NOT_ENFORCED}; {would}; revision {self.revision}>"


@dataclass(slots=True, repr=False)
class ObservedFiltered(Filtered):
    """Everybody in `allowed`; `held` and `unknown` are those who would not have been."""

    enforced: ClassVar[bool] = False

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        would = f"{len(self.held)} held, {len(self.unknown)} unknown"
        return f"<Filtered {len(self.allowed)} allowed, {NOT_ENFORCED}; {would}; {self.reasons}>"


@dataclass(slots=True)
class Released:
    """Who was released and may be used now. `held`: released as well, but held for something else.

    `revision` is what to ask from the next time.
    """

    allowed: list[str]
    held: list[str]
    revision: int
    valid_for_ms: int


class Asker:
    """The state, who asks, and the counts."""

    def __init__(self, mode: Mode, bound: float = BOUND) -> None:
        if mode not in ("enforce", "observe"):
            raise ValueError("mode is 'enforce' or 'observe'")
        self.enforced, self.bound, self.tally = mode == "enforce", bound, Tally()
        self.seen: SeenPolicy | None = None
        # State, caller and recipient that is meant where none is named: replaced together.
        self._known: tuple[HoldState, str, str | None]
        self.forget()

    @property
    def state(self) -> HoldState:
        return self._known[0]

    @property
    def retry_after(self) -> float:
        """Seconds after which the next pull has been tried."""
        return self.state.bound / 4

    def forget(self) -> None:
        """Know nothing again: every answer is a denial until the next snapshot."""
        self._known = (HoldState(Policy((), {}), bound=self.bound), "", None)

    def know(self, state: HoldState, seen: SeenPolicy) -> None:
        """From now on this state answers."""
        own = seen.serves[0] if len(seen.serves) == 1 else None
        self.seen = seen
        self._known = (state, seen.caller, None if own in (EVERY, OWN_USE) else own)

    def look(
        self,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        at_least_revision: int | None = None,
    ) -> Decision:
        """The answer of the state now. A plain permit is counted; all else goes on to `settle`."""
        state, caller, own = self._known
        if type(fields) is list:
            fields = tuple(fields)
        decision = state.decide(
            caller,
            subject,
            fields,
            purpose,
            own if recipient is None else recipient,
            at_least_revision,
        )
        if decision.permit and not decision.override:
            names = decision.allowed_fields
            try:
                self.tally.permits[purpose, names].add()
            except KeyError:
                self.tally.first(purpose, names)
        return decision

    def permitted(self, decision: Decision) -> Decision:
        """The same, if it is a permit; else raises Held, Stale or, for a wrong question, Denied."""
        if decision.permit:
            return decision
        raise denial(decision.reasons, self.retry_after, decision)

    def shown(self, decision: Decision) -> Decision:
        """An answer that the gate itself gave and counted."""
        return decision if self.enforced else self._observed(decision, ())

    def settle(self, decision: Decision, ask: Ask) -> Decision:
        """Counts a denial; where nothing is enforced, lets it through and says so."""
        if decision.permit:
            return self.shown(decision)
        fields = _names(ask.fields)
        whose = ask.subject if decision.held_fields else ""
        if self.enforced:
            self.tally.denied(str(ask.purpose), fields, whose, decision.reasons)
            return decision
        self.tally.let_through(str(ask.purpose), fields, whose, decision.reasons)
        return self._observed(decision, fields)

    def filter(
        self,
        subjects: Iterable[str],
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        at_least_revision: int | None = None,
    ) -> Filtered:
        """Many at once; raises Stale or Denied where nothing can be decided.

        Its time runs from before it began: a long list may have used some of it up.
        """
        state, caller, own = self._known
        synced_at, who = state.synced_at, own if recipient is None else recipient
        asked = subjects if self.enforced else list(subjects)
        answer = state.filter(caller, asked, fields, purpose, who, at_least_revision)
        left = max(0.0, state.bound - (steady() - synced_at))
        if not answer.reasons and not left:
            answer.reasons = (STALE,)
        answer.valid_for_ms = min(int(left * 1000), answer.valid_for_ms)
        if not self.enforced:
            return self._let_through(answer, asked, purpose, _names(fields))
        if answer.reasons:
            raise denial(answer.reasons, self.retry_after)
        self.tally.filtered(purpose, tuple(fields), len(answer.allowed), answer.held)
        return answer

    def behind(self, at_least_revision: int | None) -> bool:
        """Whether one pull could help a question that was shown a token."""
        state = self.state
        return at_least_revision is not None and at_least_revision > state.revision

    def _observed(self, decision: Decision, fields: tuple[str, ...]) -> Observed:
        return Observed(
            True, decision.reasons, decision.held_fields, fields or decision.allowed_fields,
            decision.revision, decision.age_ms, decision.valid_for_ms, decision.override,
        )  # fmt: skip

    def _let_through(
        self, answer: Filtered, asked: Iterable[str], purpose: str, fields: tuple[str, ...]
    ) -> ObservedFiltered:
        everybody = list(asked)
        would = {HELD: len(answer.held), SUBJECT_NOT_CANONICAL: len(answer.unknown)}
        would.update(dict.fromkeys(answer.reasons[:1], len(everybody)))
        unheld = len(everybody) - len(answer.held)
        self.tally.filtered(purpose, fields, unheld, answer.held, would)
        return ObservedFiltered(
            answer.reasons, everybody, answer.held, answer.unknown,
            answer.revision, answer.age_ms, answer.valid_for_ms,
        )  # fmt: skip


def denied(decision: Decision, reason: str) -> Decision:
    """The same answer as a denial for this reason."""
    return replace(
        decision,
        permit=False,
        reasons=(reason,),
        allowed_fields=(),
        valid_for_ms=0,
        override=False,
    )


def behind_token(decision: Decision) -> bool:
    return decision.reasons == (REPLICA_BEHIND_TOKEN,)


def _names(fields: object) -> tuple[str, ...]:
    if isinstance(fields, str | bytes) or not isinstance(fields, Iterable):
        return ("",)
    return tuple(name for name in fields if isinstance(name, str)) or ("",)
