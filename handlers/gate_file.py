"""A gate alone: its policy, callers and holds come from one file, and there is no desk.

The file is YAML or JSON. It is read again whenever it changes; a file that cannot be read, or that
makes no sense, leaves the state as it was until the bound is over, and then everything is denied.
"""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta, Struct
from sqlmodel import SQLModel

from subjectline.handlers.gate_callers import Key, digest
from subjectline.handlers.gate_following import FollowingGate
from subjectline.handlers.gate_policy import DESK, RIGHTS_HANDLING, policy_of
from subjectline.handlers.gate_words import Voice, Word, strange
from subjectline.models.clock import Clock
from subjectline.models.datamap import load_map
from subjectline.models.datamap.lines import Loader
from subjectline.models.db import Database
from subjectline.models.errors import SettingsError, SubjectlineError
from subjectline_client import core
from subjectline_client.core import BOUND
from subjectline_client.policy import EVERY, ID_FORMS, OWN_USE, Caller, Policy, Purpose

log = logging.getLogger(__name__)

STEP = 2_000_000_000  # ns; the coarsest file system tells times in such steps

Names = tuple[str, ...]
Subject = Annotated[str, Meta(min_length=1)]
Hash = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$")]


class FilePurpose(Struct, frozen=True, forbid_unknown_fields=True):
    """`consents` are unknown here: a withdrawal is written as a hold on the purposes it closes."""

    basis: Literal["consent", "contract", "law", "legitimate"]
    fields: Names = ()


class FilePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What the data map would say. `recipients`: name to `processor` or `third_party`."""

    fields: Names
    purposes: dict[str, FilePurpose]
    recipients: dict[str, Literal["processor", "third_party"]] = {}
    ids: Literal["integer", "uuid", "text", "text-folded"] = "integer"


class FileCaller(Struct, frozen=True, forbid_unknown_fields=True):
    """Keys in the open (`key`) or as the SHA-256 of it in hexadecimal (`key_sha256`).

    With `speaks_for` it asks for these callers of the file, by their names and within their scopes, and
    not for itself; `words` and `bare` are of `Voice`.
    """

    name: str
    purposes: Names = ()
    recipients: Names = ()
    key: str = ""
    key_sha256: tuple[Hash, ...] | Hash = ()
    speaks_for: Names = ()
    words: tuple[Word, ...] = ()
    bare: bool = False

    @property
    def voice(self) -> Voice | None:
        """None for who asks for itself, in the gate's own words."""
        if not (self.speaks_for or self.words or self.bare):
            return None
        return Voice(frozenset(self.speaks_for or (self.name,)), self.words, self.bare)

    def hashes(self) -> list[bytes]:
        told = (self.key_sha256,) if isinstance(self.key_sha256, str) else self.key_sha256
        return [*map(bytes.fromhex, told), *([digest(self.key)] if self.key else [])]


class FileHold(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out is held whole."""

    subject: Subject
    fields: Names = (EVERY,)
    purposes: Names = (EVERY,)
    recipients: Names = (EVERY,)
    cause: str = "correction"


class HoldsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`revision` rises with every change; without it, the file's time stands for it."""

    callers: tuple[FileCaller, ...]
    holds: tuple[FileHold, ...] = ()
    policy: FilePolicy | None = None
    map: str = ""
    revision: Annotated[int, Meta(ge=0)] | None = None


class _Nowhere(Database):
    """Stands where a gate alone keeps no ledger: nothing can be recorded."""

    def __init__(self) -> None:
        super().__init__("sqlite+aiosqlite://")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        raise OSError("there is nowhere to record it")
        yield


class FileGate(FollowingGate):
    """`uses`: a file that the ledger of uses is kept in (SQLite); without one, what a law opens is
    denied, for it cannot be recorded. Raises SettingsError if the file makes no sense."""

    def __init__(
        self, path: Path, clock: Clock, uses: Path | None = None, bound: float = BOUND
    ) -> None:
        self._path, self._keeps = path, uses is not None
        database = Database(f"sqlite+aiosqlite:///{uses}") if uses else _Nowhere()
        self._seen: object = None
        self._found: HoldsFile | None = None
        self._keys, self._keys_at = None, 0.0
        self._voices: dict[str, Voice] = {}
        found = read_holds(path)
        policy = _policy(found, path)
        _holds(found, policy), _keys(found), _voices(found, policy)  # so that a start says it
        self._begin(database, "file", policy, clock, UTC)
        self.state.bound = bound

    async def prepare(self) -> None:
        """Makes the tables of the ledger."""
        if self._keeps:
            async with self._database.engine.begin() as connection:
                await connection.run_sync(SQLModel.metadata.create_all)

    async def flush(self) -> None:
        """As `Gate.flush`; what cannot be kept anywhere is forgotten."""
        if self._keeps:
            await self._ledger.flush()
        else:
            self._ledger.forget()
        self._shown.clear()

    def _looks(self) -> tuple[int, ...] | None:
        with suppress(OSError):
            told = os.stat(self._path)
            return told.st_mtime_ns, told.st_size, told.st_ino
        return None

    async def _pull(self, asked_at: float) -> bool:
        try:
            seen = self._looks()
            if seen is None or seen != self._seen:
                self._take(read_holds(self._path), asked_at)
                self._seen = seen if _settled(seen) else None
        except SubjectlineError as error:
            log.warning("the file of holds is not taken: %s", error)
            return False
        return self.state.touch(self.state.revision, asked_at)

    def _take(self, found: HoldsFile, asked_at: float) -> None:
        """Policy, callers and holds, all or none of them. Raises SettingsError."""
        if found == self._found:
            return
        known = self.state.revision if self._found else -1
        revision = found.revision
        if revision is None:
            revision = max(int(self._path.stat().st_mtime * 1000), known + 1)
        if revision <= known:
            raise SettingsError("it has changed and its revision did not rise", field="revision")
        policy, keys = _policy(found, self._path), _keys(found)
        voices = _voices(found, policy)
        self.state.set_policy(policy)
        self.state.load(_holds(found, policy), revision, asked_at)
        self._found, self._keys, self._voices = found, keys, voices

    def voice(self, caller: str) -> Voice | None:
        """How this caller asks, if not as everybody does."""
        return self._voices.get(caller)


def _settled(seen: tuple[int, ...] | None) -> bool:
    """Whether a change after this would show: a file's time goes in steps, and two changes within one,
    of the same length, look like one."""
    return seen is not None and abs(time.time_ns() - seen[0]) > STEP


def read_holds(path: Path) -> HoldsFile:
    """The file, checked in itself. Raises SettingsError naming what is wrong in it."""
    try:
        return msgspec.convert(yaml.load(path.read_text("utf-8"), Loader), HoldsFile)
    except OSError as error:
        why = os.strerror(error.errno or 0)
    except (yaml.YAMLError, msgspec.ValidationError, ValueError, RecursionError) as error:
        why = str(error).splitlines()[0]
    raise SettingsError(
        f"the holds in {path.name} cannot be read: {why}",
        field="--holds",
        remedy="See docs/gate.md, A gate alone.",
    )


def _policy(found: HoldsFile, path: Path) -> Policy:
    """What the gate may know. Raises SettingsError, DataMapError."""
    if (found.policy is None) == (not found.map):
        raise SettingsError(
            "the file of holds has no policy, or two", field="policy", remedy="Write policy or map."
        )
    policy, third = _written(found.policy) if found.policy else _mapped(path.parent / found.map)
    callers = {
        caller.name: Caller(
            caller.purposes, caller.recipients, not third.isdisjoint(caller.recipients)
        )
        for caller in found.callers
    }
    if DESK in callers or any(RIGHTS_HANDLING in caller.purposes for caller in found.callers):
        raise SettingsError(f"{DESK!r} and {RIGHTS_HANDLING!r} are the desk's own", field="callers")
    return replace(policy, callers=callers)


def _written(policy: FilePolicy) -> tuple[Policy, set[str]]:
    """With the third parties among its recipients."""
    purposes = {
        name: Purpose(purpose.basis, (), frozenset(purpose.fields))
        for name, purpose in policy.purposes.items()
    }
    third = {name for name, kind in policy.recipients.items() if kind == "third_party"}
    return Policy(policy.fields, purposes, frozenset(policy.recipients), {}, policy.ids), third


def _mapped(path: Path) -> tuple[Policy, set[str]]:
    data_map = load_map(path)
    third = {name for name, who in data_map.recipients.items() if who.kind == "third_party"}
    return policy_of(data_map), third


def _holds(found: HoldsFile, policy: Policy) -> list[core.Hold]:
    """A name that nobody knows would hold nothing, so it is refused. Raises SettingsError."""
    holds = []
    for number, hold in enumerate(found.holds, 1):
        known = {
            "fields": {EVERY, *policy.fields},
            "recipients": {EVERY, OWN_USE, *policy.recipients},
        }
        for what, names in known.items():
            if strange := set(getattr(hold, what)) - names:
                raise SettingsError(
                    f"hold {number}: unknown {what} {sorted(strange)}", field="holds"
                )
        for purpose in hold.purposes:
            if not _meant(purpose, policy):
                raise SettingsError(f"hold {number}: unknown purpose {purpose!r}", field="holds")
        if not ID_FORMS[policy.ids](hold.subject):
            raise SettingsError(f"hold {number}: the subject is not canonical", field="holds")
        lists = (hold.fields, hold.purposes, hold.recipients)
        holds.append(core.Hold(number, hold.subject, *lists, hold.cause))
    return holds


def _voices(found: HoldsFile, policy: Policy) -> dict[str, Voice]:
    """Raises SettingsError for a name that nobody knows."""
    voices = {caller.name: caller.voice for caller in found.callers if caller.voice}
    for name, voice in voices.items():
        if unknown := strange(voice, policy):
            raise SettingsError(f"caller {name}: unknown {sorted(unknown)}", field="callers")
    return voices


def _meant(purpose: str, policy: Policy) -> bool:
    """Whether a hold's word for purposes means any, or leaves out one that is there."""
    if purpose.startswith("!"):
        return purpose[1:] in policy.purposes
    return bool(policy.purposes_of((purpose,)))


def _keys(found: HoldsFile) -> dict[bytes, Key]:
    keys: dict[bytes, Key] = {}
    for number, caller in enumerate(found.callers, 1):
        for hashed in caller.hashes():
            keys[hashed] = Key(number, caller.name, None, caller.purposes, caller.recipients)
    return keys
