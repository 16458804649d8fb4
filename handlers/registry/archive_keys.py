"""The keys of the archive: one for each member and month of the last day.

Records of one law end before those of another. A key of their own for each month of ending makes an
old copy of the archive unreadable month by month, and not only with the member's very last record.
"""

from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count

from subjectline.models.clock import Clock
from subjectline.models.keys import Vault

PREFIX = "kept"
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class ArchiveKeys:
    """Keys of one registry in the desk's key store. An id names a month, and nobody in plain words."""

    def __init__(self, vault: Vault, clock: Clock, registry: str) -> None:
        self._vault, self._clock, self._registry = vault, clock, registry
        self._all = f"{PREFIX}:{sha256(registry.encode()).hexdigest()[:12]}:"

    def base(self, member: str, until: date) -> str:
        """The id of the key under which a member's records of this last day are sealed."""
        return f"{self._of(member)}{until:%Y-%m}"

    def make(self, member: str, until: date) -> str:
        """A living key for a record. Where one was destroyed (a member number came back), the next."""
        base = self.base(member, until)
        for turn in count(1):
            key_id = base if turn == 1 else f"{base}#{turn}"
            if not self._vault.gone(key_id):
                return self._vault.make_key(key_id, self._clock())
        raise AssertionError("never reached")

    def of_member(self, member: str) -> list[str]:
        """Ids of the living keys of a member."""
        return self._vault.living_before(self._of(member), _EVER)

    def destroy(self, member: str, month: str) -> int:
        """Destroys what lives of the member's keys of a month (`2031-04`). Returns how many."""
        return self._destroy([k for k in self.of_member(member) if _month(k) == month])

    def destroy_all(self, member: str) -> int:
        """Destroys every key of the member. Returns how many."""
        return self._destroy(self.of_member(member))

    def destroy_unused(self, used: set[tuple[str, str]], before: datetime) -> int:
        """Destroys keys made before a moment that no (member, month) of `used` has. Returns how many."""
        needed = {f"{self._of(member)}{month}" for member, month in used}
        living = self._vault.living_before(self._all, before)
        return self._destroy([k for k in living if k.partition("#")[0] not in needed])

    def _of(self, member: str) -> str:
        return f"{self._all}{self._vault.keyed_hash('archive-key', member).hex()[:32]}:"

    def _destroy(self, keys: list[str]) -> int:
        for key_id in keys:
            self._vault.destroy(key_id, self._clock())
        return len(keys)


def _month(key_id: str) -> str:
    return key_id.rpartition(":")[2].partition("#")[0]
