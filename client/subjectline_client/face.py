"""What both kinds of client show of themselves, and what a fork leaves of them."""

import os
from weakref import WeakSet

from subjectline_client import metrics
from subjectline_client.asking import NOT_ENFORCED, Asker
from subjectline_client.following import Following


class Face:
    """One client: who answers, and how it is kept in step."""

    _asker: Asker
    _following: Following

    def __init__(self) -> None:
        _ALL.add(self)

    def __repr__(self) -> str:
        mode = "enforced" if self.enforced else f"observe, {NOT_ENFORCED}"
        return f"<{type(self).__name__} revision {self.revision}; {mode}>"

    @property
    def enforced(self) -> bool:
        return self._asker.enforced

    @property
    def revision(self) -> int:
        """The revision of the state that answers now."""
        return self._asker.state.revision

    def metrics(self) -> dict[str, metrics.Figure]:
        """What was counted since the start, and how the replica stands."""
        return metrics.figures(self._asker, self._following)

    def prometheus(self) -> str:
        """The same as Prometheus reads it."""
        return metrics.text(self.metrics())

    def _begin_anew(self) -> None:
        """Knows nothing, runs nothing and has counted nothing."""
        raise NotImplementedError


_ALL: WeakSet[Face] = WeakSet()


def _forked() -> None:
    """A child process has its parent's memory and connections, but nobody who keeps them in step: it
    must not answer from the one, use the other, or report what the parent counted."""
    for face in list(_ALL):
        face._begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
