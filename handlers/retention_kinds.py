"""What a retention run speaks of: one kind of record that is due."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

BY_ROWS = "rows deleted, overwritten and looked for again"
BY_KEYS = "keys destroyed, rows deleted"


@dataclass(frozen=True)
class Due:
    """One kind of record that is due. `destroy` gives how many went; `count` are to go.

    `spared` stay although their time is over; `agreed` of them because the member agreed to it, the
    others by a legal hold.
    """

    kind: str
    what: str
    rule: str
    law: str
    count: int
    spared: int
    method: str
    destroy: Callable[[], Awaitable[int]]
    agreed: int = 0

    @property
    def kept_why(self) -> str:
        """Why some stay, with numbers; empty where all go."""
        by_hold = self.spared - self.agreed
        told = [f"legal hold: {by_hold}"] if by_hold else []
        return "; ".join([*told, *([f"agreed to longer: {self.agreed}"] if self.agreed else [])])
