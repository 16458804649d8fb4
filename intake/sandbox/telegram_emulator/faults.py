"""What can go wrong between a bot and Telegram, on demand."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from subjectline.models.errors import BadInput

FaultKind = Literal["flood", "blocked", "server", "timeout", "lost", "unauthorized", "migrated"]
KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong `times` times (None: until taken back) for a method, in all chats or in one.

    flood: 429 with `retry_after` seconds. blocked: 403. server: `status` with a page instead of JSON.
    timeout: nothing is done and no answer comes for `seconds`, then a 504. lost: it IS done, but no answer
    comes for `seconds`, then a 504 (a blind retry doubles the message). unauthorized: 401. migrated: 400, the
    group is now `new_chat`.
    """

    kind: FaultKind
    method: str = "*"
    chat: int | None = None
    times: int | None = 1
    retry_after: int = 1
    status: int = 502
    seconds: float = 0.0
    new_chat: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput("No such fault", field="kind", remedy=f"One of {', '.join(KINDS)}.")
        if self.kind == "migrated" and self.new_chat is None:
            raise BadInput("A migrated group has a new id", field="new_chat")

    def meets(self, method: str, chat: int | None) -> bool:
        """Whether this fault befalls a call of `method` about `chat`."""
        right_method = self.method == "*" or self.method.lower() == method.lower()
        return right_method and self.chat in (None, chat)


class Faults:
    """The faults still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str, chat: int | None) -> Fault | None:
        """The first fault that befalls this call, one time fewer left of it; None if all is well."""
        for place, fault in enumerate(self.waiting):
            if fault.meets(method, chat):
                self._use(place, fault)
                return fault
        return None

    def _use(self, place: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times <= 1:
            del self.waiting[place]
        else:
            self.waiting[place] = replace(fault, times=fault.times - 1)
