"""A PostgreSQL server of the sandbox's own, where the machine has the programs for one.

Its folder is new, belongs to its account alone and goes with it. It listens on a socket in there and on
no port, so nobody else reaches it. It ends with the process that started it, however that one ends: a
shell waits for the end of a pipe, stops it and takes the folder away.
"""

import asyncio
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from subjectline.models.errors import RegistryAway

START_SECONDS, STOP_SECONDS = 30.0, 5.0
PROGRAMS = ("initdb", "pg_ctl", "postgres")
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
ACCOUNTS = ("postgres", "nobody")  # as whom it runs where we are root, which it refuses
_SAID = 300  # characters of its own words

# $1: the folder of its programs, $2: its own folder. Everything is invented, so nothing need survive.
_SCRIPT = """
cd "$2" || exit 1
PATH="$1:$PATH"; LC_ALL=C; export PATH LC_ALL
initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync </dev/null >log 2>&1 &&
pg_ctl -D data -s -w -t 25 -l log -o "-k '$2' -c listen_addresses='' -c fsync=off
  -c synchronous_commit=off -c full_page_writes=off -c max_connections=20
  -c shared_buffers=16MB -c dynamic_shared_memory_type=mmap" start </dev/null >>log 2>&1 &&
echo ready || echo failed
cat >/dev/null
pg_ctl -D data -s -m immediate stop </dev/null >/dev/null 2>&1
cd /; rm -rf "$2"
"""


def programs() -> Path | None:
    """The folder with the programs of a server, the newest first; None where there are none."""
    beside = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    known = [found for place in PLACES for found in sorted(Path("/").glob(place[1:]), key=_version)]
    for folder in (*reversed(known), *beside):
        if all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
            return folder
    return None


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdecimal())


class Server:
    """One server, from `start` to `stop`."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._shell: asyncio.subprocess.Process | None = None

    async def start(self, binaries: Path) -> None:
        """Returns once it takes sessions. Raises RegistryAway, with what it said itself, where it cannot."""
        try:
            self._folder, account = _own_folder()
            self._shell = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _SCRIPT, "sh", str(binaries), str(self._folder),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, start_new_session=True, **account,
            )  # fmt: skip
            assert self._shell.stdout is not None
            async with asyncio.timeout(START_SECONDS):
                said = await self._shell.stdout.readline()
        except OSError as error:  # TimeoutError is one
            raise _not_started(type(error).__name__) from None
        if said.strip() != b"ready":
            raise _not_started(self._last_words())

    def url(self, role: str, database: str = "postgres") -> str:
        """Where a role reaches it."""
        return f"postgresql://{role}@/{database}?host={self._folder}"

    async def stop(self) -> None:
        """Ends it and takes its folder away; a second time does nothing."""
        shell, self._shell = self._shell, None
        if shell is not None:
            assert shell.stdin is not None
            shell.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await shell.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _last_words(self) -> str:
        try:
            lines = ((self._folder or Path()) / "log").read_text(errors="replace").split("\n")
        except OSError:
            return "it said nothing"
        told = [line.strip() for line in lines if "error:" in line or "FATAL:" in line]
        return (told or [line for line in lines if line] or ["it said nothing"])[0][:_SAID]


def _own_folder() -> tuple[Path, dict[str, Any]]:
    """A new folder (a short path: sockets' are) and, for root, the account whose it is."""
    folder = Path(tempfile.mkdtemp(prefix="subjectline-sql-"))
    if os.geteuid() != 0:
        return folder, {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = next((known[name] for name in ACCOUNTS if name in known), None)
    if account is None:
        shutil.rmtree(folder)
        raise _not_started("there is no account but root's to run it as")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return folder, {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _not_started(why: str) -> RegistryAway:
    return RegistryAway(f"it did not start ({why})", field="sandbox")
