"""What stands inside archives and documents that are archives: zip, tar, gzip, bzip2, xz.

Nothing is unpacked beyond a limit: a file of 10 kB may hold gigabytes. `Budget` is what one attachment
may cost, all its insides together.
"""

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from subjectline.models.errors import BadInput

MEGA = 1024 * 1024
_STREAMS = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))
_BAD = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError)
_WRONG = (*_BAD, ValueError, NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError)


@dataclass
class Budget:
    """Bytes that may come out, files that may be looked at, how deep archives may stand in archives, and
    letters that are searched for numbers: one small file may hold hours of digits."""

    size: int = 40 * MEGA
    files: int = 1000
    depth: int = 3
    words: int = 4 * MEGA

    def spend(self, size: int) -> None:
        self.size -= size
        self.files -= 1
        if self.size < 0 or self.files < 0:
            raise BadInput("there is more in it than is looked through", field="attachment")

    def read(self, words: int) -> None:
        self.words -= words
        if self.words < 0:
            raise BadInput("there are more words in it than are read", field="attachment")


@dataclass(frozen=True)
class Member:
    """One file in an archive. `content` is None where it is encrypted or cannot be read."""

    name: str
    content: bytes | None
    encrypted: bool = False


def is_archive(content: bytes) -> bool:
    """Whether `members` can look into it."""
    return _is_zip(content) or _is_tar(content) or _stream(content) != ""


def members(content: bytes, budget: Budget) -> Iterator[Member]:
    """The files inside, as far as the budget goes; a broken archive gives what can be read.

    Raises BadInput.
    """
    if _is_zip(content):
        yield from _zip(content, budget)
    elif _is_tar(content):
        yield from _tar(content, budget)
    elif kind := _stream(content):
        yield Member("", _unpacked(content, kind, budget))


def _is_zip(content: bytes) -> bool:
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02"))


def _is_tar(content: bytes) -> bool:
    return content[257:262] == b"ustar"


def _stream(content: bytes) -> str:
    return next((kind for magic, kind in _STREAMS if content.startswith(magic)), "")


def _zip(content: bytes, budget: Budget) -> Iterator[Member]:
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
        listed = opened.infolist()
    except _WRONG:
        yield Member("", None)
        return
    for info in listed:
        budget.spend(0)
        if info.is_dir():
            continue
        if info.flag_bits & 0x1:
            yield Member(info.filename, None, encrypted=True)
            continue
        yield Member(info.filename, _one(opened, info, budget))


def _one(opened: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes | None:
    """Read up to what is left of the budget: the size that the archive tells may be a lie."""
    try:
        with opened.open(info) as file:
            content = file.read(budget.size + 1)
    except _WRONG:
        return None
    budget.spend(len(content))
    return content


def _tar(content: bytes, budget: Budget) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as opened:
            for info in opened:
                budget.spend(0)
                file = opened.extractfile(info) if info.isfile() else None
                if file is not None:
                    inside = file.read(budget.size + 1)
                    budget.spend(len(inside))
                    yield Member(info.name, inside)
    except _WRONG:
        yield Member("", None)


def _unpacked(content: bytes, kind: str, budget: Budget) -> bytes | None:
    most = budget.size + 1
    try:
        if kind == "gz":
            unpacked = zlib.decompressobj(31).decompress(content, most)
        elif kind == "bz2":
            unpacked = bz2.BZ2Decompressor().decompress(content, most)
        else:
            unpacked = lzma.LZMADecompressor(memlimit=64 * MEGA).decompress(content, most)
    except _WRONG:
        return None
    budget.spend(len(unpacked))
    return unpacked
