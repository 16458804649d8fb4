"""Keys: the ring that wraps, the store that forgets, and the vault that seals with them.

A data key per conversation, per request and per intake day is made at random, wrapped by the ring's
active key and kept in a file outside the database and its backups. Destroying a key leaves a
tombstone: the same key id is never made again, so an old copy of the database stays unreadable.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from subjectline.models.errors import KeyDestroyed, SealError, SettingsError
from subjectline.models.types import Sealed

NONCE = 12
KEY = 32
SPARE = 32  # keys made at once: one flush to disk for all of them


@dataclass(frozen=True)
class KeyRing:
    """The keys that wrap data keys (newest is `active`), and those for blind indexes and tokens."""

    active: str
    wrapping: dict[str, bytes]
    index: bytes
    token: bytes

    @classmethod
    def generate(cls) -> "KeyRing":
        name = secrets.token_hex(4)
        return cls(name, {name: _random()}, _random(), _random())

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """The ring in a file. Raises SettingsError where there is none or it is open to others."""
        if not path.exists():
            raise SettingsError(
                f"there is no key ring at {path}",
                field="keys.ring",
                remedy="Make one with: subjectline keys init",
            )
        if path.stat().st_mode & 0o077:
            raise SettingsError(
                "the key ring can be read by others",
                field="keys.ring",
                remedy=f"chmod 600 {path}",
            )
        return cls.parse(path.read_text())

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        try:
            raw = json.loads(text)
            wrapping = {name: base64.b64decode(key) for name, key in raw["wrapping"].items()}
            ring = cls(
                raw["active"], wrapping, *(base64.b64decode(raw[k]) for k in ("index", "token"))
            )
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise SettingsError("the key ring cannot be read", field="keys.ring") from wrong
        if ring.active not in wrapping or any(len(k) != KEY for k in ring.all_keys()):
            raise SettingsError("the key ring is not whole", field="keys.ring")
        return ring

    def all_keys(self) -> tuple[bytes, ...]:
        return (*self.wrapping.values(), self.index, self.token)

    def save(self, path: Path) -> None:
        """Writes the ring to a new file that only its owner can read."""
        body = {
            "active": self.active,
            "wrapping": {n: base64.b64encode(k).decode() for n, k in self.wrapping.items()},
            "index": base64.b64encode(self.index).decode(),
            "token": base64.b64encode(self.token).decode(),
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(body, file, indent=2)
            file.flush()
            os.fsync(file.fileno())


class KeyStore:
    """Wrapped data keys in a file of their own (SQLite, so that a kill never tears it)."""

    def __init__(self, path: Path | None) -> None:
        target = ":memory:" if path is None else str(path)
        self._db = sqlite3.connect(target, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS data_key(id TEXT PRIMARY KEY, ring TEXT, wrapped BLOB,"
            " made_at TEXT NOT NULL, destroyed_at TEXT)"
        )
        if path is not None:
            path.chmod(0o600)

    def put(self, key_id: str, ring: str, wrapped: bytes, at: datetime) -> bool:
        """Keeps a new key; False where the id exists already, alive or destroyed."""
        done = self._db.execute(
            "INSERT INTO data_key VALUES(?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
            (key_id, ring, wrapped, at.isoformat()),
        )
        return done.rowcount == 1

    def put_all(self, keys: Iterable[tuple[str, str, bytes]], at: datetime) -> None:
        """Keeps new keys (id, ring, wrapped) in one commit. Their ids are random and not in use."""
        rows = [(*key, at.isoformat()) for key in keys]
        with self._db:  # commits at its end, or takes everything back
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO data_key VALUES(?, ?, ?, ?, NULL)", rows)

    def get(self, key_id: str) -> tuple[str, bytes] | None:
        """The ring key's name and the wrapped key; None where there never was one."""
        row = self._db.execute(
            "SELECT ring, wrapped, destroyed_at FROM data_key WHERE id = ?", (key_id,)
        ).fetchone()
        if row is None:
            return None
        if row[2] is not None:
            raise KeyDestroyed("the key was destroyed on purpose, and the text with it")
        return row[0], row[1]

    def destroy(self, key_id: str, at: datetime) -> None:
        """Overwrites the key and leaves its tombstone, also for an id that was never made."""
        self._db.execute(
            "INSERT INTO data_key VALUES(?, NULL, NULL, ?, ?) ON CONFLICT(id) DO UPDATE"
            " SET ring = NULL, wrapped = NULL, destroyed_at = excluded.destroyed_at",
            (key_id, at.isoformat(), at.isoformat()),
        )
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def made_before(self, prefix: str, at: datetime) -> list[str]:
        """Ids of living keys with this prefix made before a time."""
        rows = self._db.execute(
            "SELECT id FROM data_key WHERE destroyed_at IS NULL AND id LIKE ? || '%' AND made_at < ?",
            (prefix, at.isoformat()),
        )
        return [row[0] for row in rows]

    def close(self) -> None:
        self._db.close()


class Vault:
    """Seals and opens with AES-256-GCM; the column and the key's id are authenticated too."""

    def __init__(self, ring: KeyRing, store: KeyStore) -> None:
        self._ring, self._store = ring, store
        self._open_keys: dict[str, AESGCM] = {}
        self._spare: dict[str, list[str]] = {}

    @classmethod
    def for_tests(cls) -> "Vault":
        return cls(KeyRing.generate(), KeyStore(None))

    def make_key(self, key_id: str, at: datetime) -> str:
        """Makes the data key unless it exists; returns its id. Raises KeyDestroyed for a tombstone."""
        if key_id in self._open_keys or self._store.get(key_id) is not None:
            return key_id
        self._store.put(*self._wrapped(key_id), at)
        return key_id

    def fresh_key(self, purpose: str, at: datetime) -> str:
        """The id (`purpose:` and random) of a key that nothing was ever sealed with.

        A store of them is made in one commit, before the first is given out; those left over when the
        process ends were never used, and mean nothing.
        """
        spare = self._spare.setdefault(purpose, [])
        if not spare:
            ids = [f"{purpose}:{secrets.token_hex(12)}" for _ in range(SPARE)]
            self._store.put_all([self._wrapped(key_id) for key_id in ids], at)
            spare += ids
        return spare.pop()

    def _wrapped(self, key_id: str) -> tuple[str, str, bytes]:
        """A new data key as the store keeps it: id, the ring key's name, wrapped bytes."""
        data_key, nonce, ring = _random(), os.urandom(NONCE), self._ring.active
        wrapped = self._wrapper(ring).encrypt(nonce, data_key, key_id.encode())
        return key_id, ring, nonce + wrapped

    def seal(self, key_id: str, place: str, plain: str | bytes) -> Sealed:
        """Plain text sealed for one column (`table.column`) under one data key."""
        raw = plain.encode() if isinstance(plain, str) else plain
        name, nonce = key_id.encode(), os.urandom(NONCE)
        body = self._key(key_id).encrypt(nonce, raw, _bound(place, key_id))
        return Sealed(place, bytes([1, len(name)]) + name + nonce + body)

    def open(self, sealed: Sealed) -> bytes:
        """The plain bytes. Raises KeyDestroyed or SealError (moved, torn or forged)."""
        size = sealed.data[1]
        key_id = sealed.data[2 : 2 + size].decode()
        nonce = sealed.data[2 + size : 2 + size + NONCE]
        try:
            return self._key(key_id).decrypt(
                nonce, sealed.data[2 + size + NONCE :], _bound(sealed.place, key_id)
            )
        except InvalidTag as wrong:
            raise SealError("what was sealed does not open here", field=sealed.place) from wrong

    def text(self, sealed: Sealed | None) -> str:
        """The plain text, or an empty one where nothing was kept."""
        return "" if sealed is None else self.open(sealed).decode()

    def destroy(self, key_id: str, at: datetime) -> None:
        self._open_keys.pop(key_id, None)
        self._store.destroy(key_id, at)

    def destroy_before(self, prefix: str, at: datetime) -> list[str]:
        """Destroys the living keys of a prefix made before a time; returns their ids."""
        old = self._store.made_before(prefix, at)
        for key_id in old:
            self.destroy(key_id, at)
        return old

    def living_before(self, prefix: str, at: datetime) -> list[str]:
        """Ids of the living keys of a prefix made before a time."""
        return self._store.made_before(prefix, at)

    def gone(self, key_id: str) -> bool:
        """Whether a key was destroyed: looked up in the store, not in what is open in memory."""
        try:
            self._store.get(key_id)
        except KeyDestroyed:
            return True
        return False

    def close(self) -> None:
        self._store.close()

    def index(self, kind: str, value: str) -> bytes:
        """Blind index of a canonical contact: equal values are found, none can be read back."""
        return hmac.digest(self._ring.index, f"{kind}\0{value}".encode(), "sha256")

    def keyed_hash(self, purpose: str, value: str) -> bytes:
        """For codes and reply tokens: HMAC under the token key."""
        return hmac.digest(self._ring.token, f"{purpose}\0{value}".encode(), "sha256")

    def _key(self, key_id: str) -> AESGCM:
        known = self._open_keys.get(key_id)
        if known is None:
            known = self._open_keys[key_id] = AESGCM(self._unwrap(key_id))
            if len(self._open_keys) > 4096:
                self._open_keys.pop(next(iter(self._open_keys)))
        return known

    def _unwrap(self, key_id: str) -> bytes:
        found = self._store.get(key_id)
        if found is None:
            raise SealError("there is no such data key", field=key_id.split(":")[0])
        ring, wrapped = found
        try:
            return self._wrapper(ring).decrypt(wrapped[:NONCE], wrapped[NONCE:], key_id.encode())
        except InvalidTag as wrong:
            raise SealError("the key ring does not fit the key store", field="keys.ring") from wrong

    def _wrapper(self, name: str) -> AESGCM:
        if name not in self._ring.wrapping:
            raise SealError(f"the key ring has no key {name}", field="keys.ring")
        return AESGCM(self._ring.wrapping[name])


def token_hash(token: str) -> bytes:
    """SHA-256 of a link's token (256 random bits need no salt)."""
    return hashlib.sha256(token.encode()).digest()


def _bound(place: str, key_id: str) -> bytes:
    return f"{place}\0{key_id}".encode()


def _random() -> bytes:
    return os.urandom(KEY)
