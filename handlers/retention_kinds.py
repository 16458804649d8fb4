"""What a retention run speaks of: one kind of record that is due."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

BY_ROWS = "rows deleted, overwritten and looked for again"
BY_KEYS = "keys destroyed, rows deleted"


@dataclass(frozen=True)
class Due:
    """One kind of record that is due. `destroy` gives how many went; `count` are to go.

    `spared` stay although their time is over; `agreed` of them because the member agreed to it, the
    others by a legal hold; `others` is why else, with numbers (no readable date, what hangs on them).
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
    others: tuple[tuple[str, int], ...] = ()

    @property
    def kept_why(self) -> str:
        """Why some stay, with numbers; empty where all go."""
        by_hold = self.spared - self.agreed - sum(count for _, count in self.others)
        reasons = (("legal hold", by_hold), ("agreed to longer", self.agreed), *self.others)
        return "; ".join(f"{why}: {count}" for why, count in reasons if count)
