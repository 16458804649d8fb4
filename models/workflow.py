"""The life of a request, as data: which event leads from which state to which, and its letter.

Only `handlers.requests.advance` obeys this table. What is not in it is refused.
"""

from dataclasses import dataclass

from subjectline.models.errors import IllegalMove

KINDS = (
    "access",
    "portability",
    "correction",
    "erasure",
    "suspension",
    "marketing_withdrawal",
    "third_party_withdrawal",
    "membership_withdrawal",
    "objection",
    "unclear",
)
# What the company decides about a member on its own: nobody asks for these, an agent opens them.
DECISIONS = ("false_information", "restriction_end")
LEVELS = ("claimed", "channel", "contact", "document")
OUTCOMES = ("fulfil", "partial", "refuse")
FINAL = frozenset({"done", "refused", "lapsed", "withdrawn", "superseded"})
STATES = ("received", "verifying", "open", "waiting", "proposed", "applying", *sorted(FINAL))
MAX_CLARIFY = 2


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the table. `letter` leaves with the step; `hold` says what the step does to holds."""

    event: str
    sources: tuple[str, ...]
    target: str | None  # None: stays where it is
    letter: str = ""
    hold: str = ""  # provisional, firm, end, end_provisional, keep_or_end, move
    needs: tuple[str, ...] = ()


BEFORE_PROOF = ("received", "verifying")
WORKING = ("open", "waiting")
NOT_DECIDED = ("received", "verifying", "open", "waiting", "proposed")

MOVES: tuple[Move, ...] = (
    Move("challenge", ("received",), "verifying", "verify", "provisional"),
    Move("prove", BEFORE_PROOF, "open", "ack", "firm", needs=("level",)),
    Move("clarify", BEFORE_PROOF, None, "question"),
    Move("remind", ("verifying", "waiting"), None, "reminder"),
    Move("hold_expires", ("verifying",), None, "", "end_provisional"),
    Move("reject_identity", ("verifying",), "refused", "refused_identity", "end"),
    Move("lapse", ("verifying",), "lapsed", "lapsed", "end"),
    Move("ask", ("open",), "waiting", "question"),
    Move("extend", WORKING, "open", "extended", needs=("due",)),
    Move("postpone", WORKING, "open", "postponed", needs=("due",)),
    Move("answer", ("waiting", "proposed"), "open"),
    Move("propose", WORKING, "proposed", needs=("proposal",)),
    Move("send_back", ("proposed",), "open"),
    Move("approve", ("proposed",), "applying", needs=("proposal",)),
    Move("refuse", ("proposed",), "refused", "refused", "end", needs=("proposal",)),
    Move("apply", ("applying",), "done", "done", "finish"),
    Move("fail", ("applying",), "open"),
    Move("stop", (*WORKING, "proposed", "applying"), "open"),
    Move("withdraw", NOT_DECIDED, "withdrawn", "withdrawn", "end"),
    Move("supersede", ("received", "verifying", "open", "waiting"), "superseded", "moved", "move"),
)
EVENTS = tuple(move.event for move in MOVES)
_TABLE = {(state, move.event): move for move in MOVES for state in move.sources}

# Letters that decide leave only approved; the rest are procedure and leave by themselves.
DECIDING_LETTERS = frozenset({"done", "partial", "refused", "restricted", "postponed", "extended"})

# How far a person must be known before a request of a kind is opened (PIPA 38(4), Decree 46).
LEVEL_NEEDED = {
    "marketing_withdrawal": "channel",
    "third_party_withdrawal": "contact",
    "access": "contact",
    "portability": "contact",
    "correction": "contact",
    "suspension": "contact",
    "erasure": "contact",
    "membership_withdrawal": "contact",
    "objection": "contact",
    "false_information": "document",
    "restriction_end": "document",
}

# Signatures an untouched system draft needs; whatever a person touched needs two.
SIGNATURES = {
    "access": 1,
    "portability": 1,
    "correction": 1,
    "suspension": 1,
    "marketing_withdrawal": 1,
    "third_party_withdrawal": 1,
    "erasure": 2,
    "membership_withdrawal": 2,
    "objection": 2,
    "false_information": 2,
    "restriction_end": 2,
}
SIGNATURES_WHEN_TOUCHED = 2


def legal_move(state: str, event: str) -> Move:
    """The line of the table for an event in a state. Raises IllegalMove where there is none."""
    move = _TABLE.get((state, event))
    if move is None:
        allowed = ", ".join(sorted(e for s, e in _TABLE if s == state)) or "nothing, it is final"
        raise IllegalMove(
            f"a request that is {state} cannot {event}", field=event, remedy=f"Possible: {allowed}."
        )
    return move


def reaches(level: str, needed: str) -> bool:
    """Whether a level of identity is as high as the one needed."""
    return LEVELS.index(level) >= LEVELS.index(needed)


def signatures(kind: str, *, touched: bool) -> int:
    """How many different agents must sign a proposal of this kind."""
    return SIGNATURES_WHEN_TOUCHED if touched else SIGNATURES.get(kind, SIGNATURES_WHEN_TOUCHED)
