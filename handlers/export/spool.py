"""Lines as the registry writes them: cut into parts, or counted and thrown away but for a few."""

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from subjectline.models.keys import Vault
from subjectline.models.types import Sealed

SIZE = 128 * 1024  # bytes of lines that make a part
PLACE = "export_part.content"

Take = Callable[[bytes, int], None]  # whole lines, and how many


class _Lines(io.RawIOBase):
    """A file to write to, which hands on whole lines, some at a time."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take, self._held = take, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        self._held += data
        while len(self._held) >= SIZE and (end := self._cut()):
            self._hand_on(end)
        return len(data)

    def _cut(self) -> int:
        """Behind the last line that fits in a part; a line longer than that is a part of its own."""
        return (self._held.rfind(b"\n", 0, SIZE) + 1) or (self._held.find(b"\n", SIZE) + 1)

    def close(self) -> None:
        if not self.closed and self._held:
            self._hand_on(len(self._held))
        super().close()

    def _hand_on(self, end: int) -> None:
        lines = bytes(self._held[:end])
        del self._held[:end]
        self._take(lines, lines.count(b"\n"))


@dataclass(frozen=True, slots=True)
class Part:
    """Where one sealed part stands in the spool: `first` is the number of its first row."""

    table: str
    first: int
    rows: int
    at: int
    size: int


class Spool:
    """Sealed parts in a file without a name, until they are in the desk's database.

    The registry writes without waiting for anybody, so the parts cannot go there at once; and a large
    member's rows are never whole in memory, nor anywhere unsealed.
    """

    def __init__(self, vault: Vault, key_id: str) -> None:
        self._vault, self._key_id = vault, key_id
        self._file = tempfile.TemporaryFile()
        self._hashes: dict[str, hashlib._Hash] = {}
        self.parts: list[Part] = []

    def open_file(self, table: str) -> BinaryIO:
        """What `Registry.export` writes one table to."""
        first, made = 0, self._hashes.setdefault(table, hashlib.sha256())

        def take(lines: bytes, rows: int) -> None:
            nonlocal first
            made.update(lines)
            data = self._vault.seal(self._key_id, PLACE, lines).data
            self.parts.append(Part(table, first, rows, self._file.tell(), len(data)))
            self._file.write(data)
            first += rows

        return cast(BinaryIO, _Lines(take))

    def sha256(self, table: str) -> str:
        """Of all lines of a table, in hexadecimal, once its file is closed."""
        return self._hashes[table].hexdigest()

    def sealed(self) -> Iterator[tuple[Part, Sealed]]:
        """Every part, once, in the order in which it came."""
        for part in self.parts:
            self._file.seek(part.at)
            yield part, Sealed(PLACE, self._file.read(part.size))

    def close(self) -> None:
        self._file.close()


class Glance:
    """Keeps `limit` rows of one table from row number `first` on, and lets all others go."""

    def __init__(self, table: str = "", first: int = 0, limit: int = 0) -> None:
        self._table, self._first, self._limit = table, first, limit
        self._seen = 0
        self.lines: list[bytes] = []

    def open_file(self, table: str) -> BinaryIO:
        """What `Registry.export` writes one table to."""
        return cast(BinaryIO, _Lines(self._keep if table == self._table else _let_go))

    def _keep(self, lines: bytes, rows: int) -> None:
        begin, end = self._first - self._seen, self._first + self._limit - self._seen
        self._seen += rows
        if end > 0 and begin < rows:
            self.lines += lines.split(b"\n")[max(0, begin) : min(end, rows)]


def _let_go(lines: bytes, rows: int) -> None:
    """Counted by the registry itself."""
