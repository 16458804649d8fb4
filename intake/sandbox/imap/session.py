"""One connection of the sandbox's IMAP server: commands in, answers out. RFC 3501, 2177, 6851."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from subjectline.intake.imap.wire import read_date
from subjectline.intake.sandbox.imap.answers import copied, fetch_item, matches, system_flag
from subjectline.intake.sandbox.imap.store import Account, Folder, Stored
from subjectline.intake.sandbox.imap.wire import (
    Token,
    bearer,
    flag_list,
    numbers,
    read_command,
    text,
    token_in,
    words,
)
from subjectline.models.clock import Clock
from subjectline.models.errors import BadInput, SendError

_OPEN = {"CAPABILITY", "NOOP", "LOGOUT", "LOGIN", "AUTHENTICATE"}  # before the sign-in
_BY_NUMBER = {"FETCH", "STORE", "SEARCH"}  # during these no mail may lose its number (7.4.1)
_Handler = Callable[[list[Token], bool], Awaitable[str]]


class Session:
    """One connection. `_known` holds the UIDs in the order of the numbers that the client has."""

    def __init__(
        self,
        owner: Account,
        clock: Clock,
        capabilities: Sequence[str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._owner, self._clock, self._capabilities = owner, clock, capabilities
        self._reader, self._writer = reader, writer
        self._account: Account | None = None
        self._folder: Folder | None = None
        self._read_only = False
        self._known: list[int] = []
        self._unwatch: Callable[[], None] = lambda: None
        self._changed = asyncio.Event()
        self._over = False

    async def run(self) -> None:
        self._say(f"OK [CAPABILITY {' '.join(self._capabilities)}] sandbox ready")
        while not self._over:
            await self._writer.drain()
            try:
                command = await read_command(self._reader, self._writer)
            except BadInput as exc:
                self._say(f"BAD {exc.rule}")
                return
            if command:
                await self._obey(text(command[0]), command[1:])
        await self._writer.drain()

    def leave(self) -> None:
        """Forget the selected folder."""
        self._unwatch()
        self._folder, self._known = None, []

    async def _obey(self, tag: str, command: list[Token]) -> None:
        try:
            name, args, by_uid = _named(command)
            answer = await self._handler(name)(args, by_uid)
        except SendError as exc:
            answer, name, by_uid = f"NO [OVERQUOTA] {exc.rule}", "", False
        except (BadInput, ValueError, IndexError) as exc:
            rule = exc.rule if isinstance(exc, BadInput) else "arguments are missing or wrong"
            answer = f"BAD {rule}"
            name, by_uid = "", False
        self._tell_changes(expunged=by_uid or name not in _BY_NUMBER)
        self._line(f"{tag} {answer}".encode())

    def _handler(self, name: str) -> _Handler:
        if self._account is None and name not in _OPEN:
            raise BadInput("sign in first")
        handler = getattr(self, f"_do_{name.lower()}", None) if name.isalpha() else None
        if handler is None:
            raise BadInput("this server does not know that command")
        found: _Handler = handler
        return found

    def _say(self, line: str) -> None:
        self._line(f"* {line}".encode())

    def _line(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")

    def _tell_changes(self, *, expunged: bool) -> None:
        if self._folder is None:
            return
        mails = self._folder.mails
        if expunged:
            for number in range(len(self._known), 0, -1):
                if self._known[number - 1] not in mails:
                    self._say(f"{number} EXPUNGE")
                    del self._known[number - 1]
        newest = self._known[-1] if self._known else 0
        if new := [uid for uid in mails if uid > newest]:
            self._known += new
            self._say(f"{len(self._known)} EXISTS")

    # Any state

    async def _do_capability(self, args: list[Token], by_uid: bool) -> str:
        self._say(f"CAPABILITY {' '.join(self._capabilities)}")
        return "OK done"

    async def _do_noop(self, args: list[Token], by_uid: bool) -> str:
        return "OK done"

    async def _do_logout(self, args: list[Token], by_uid: bool) -> str:
        self._say("BYE until next time")
        self._over = True
        return "OK done"

    async def _do_login(self, args: list[Token], by_uid: bool) -> str:
        account = self._owner
        given = [text(arg).encode() for arg in args[:2]]
        right = [account.user.encode(), account.password.encode()]
        if len(given) == 2 and all(map(hmac.compare_digest, given, right)):
            self._account = account
            return f"OK [CAPABILITY {' '.join(self._capabilities)}] signed in"
        return "NO [AUTHENTICATIONFAILED] user or password is wrong"

    async def _do_authenticate(self, args: list[Token], by_uid: bool) -> str:
        """By token (RFC 7628, and Google's XOAUTH2): a refusal is told in JSON and waits for a word."""
        if f"AUTH={text(args[0]).upper()}" not in self._capabilities:
            raise BadInput("this server does not know that mechanism")
        if len(args) > 1:
            first = text(args[1]).encode()
        else:
            self._line(b"+ ")
            first = await self._reader.readline()
        account = self._owner
        if bearer(first) == account.user and token_in(first) in account.tokens:
            self._account = account
            return f"OK [CAPABILITY {' '.join(self._capabilities)}] signed in"
        self._line(b"+ " + b64encode(b'{"status":"invalid_token","schemes":"bearer"}'))
        await self._reader.readline()
        return "NO [AUTHENTICATIONFAILED] the token is not good here"

    # Folders

    async def _do_select(self, args: list[Token], by_uid: bool) -> str:
        return self._open(text(args[0]), read_only=False)

    async def _do_examine(self, args: list[Token], by_uid: bool) -> str:
        return self._open(text(args[0]), read_only=True)

    def _open(self, name: str, *, read_only: bool) -> str:
        self.leave()
        folder = self._account.folder(name) if self._account else None
        if folder is None:
            return "NO [NONEXISTENT] there is no such folder"
        self._folder, self._read_only, self._known = folder, read_only, list(folder.mails)
        self._unwatch = folder.watch(self._changed.set)
        self._say(r"FLAGS (\Answered \Flagged \Deleted \Seen \Draft)")
        self._say(f"{len(self._known)} EXISTS")
        self._say("0 RECENT")
        self._say(f"OK [UIDVALIDITY {folder.uidvalidity}] UIDs hold")
        self._say(f"OK [UIDNEXT {folder.uidnext}] next")
        return f"OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] opened"

    async def _do_close(self, args: list[Token], by_uid: bool) -> str:
        if self._folder is not None and not self._read_only:
            self._remove_deleted(self._known)
        return await self._do_unselect(args, by_uid)

    async def _do_unselect(self, args: list[Token], by_uid: bool) -> str:
        self.leave()
        return "OK closed"

    async def _do_create(self, args: list[Token], by_uid: bool) -> str:
        assert self._account is not None
        if self._account.folder(text(args[0])) is not None:
            return "NO [ALREADYEXISTS] there is one already"
        self._account.create(text(args[0]))
        return "OK made"

    async def _do_list(self, args: list[Token], by_uid: bool) -> str:
        assert self._account is not None
        pattern = text(args[1])
        for name in self._account.folders:
            if pattern in ("*", "%", name) or (name == "INBOX" and pattern.upper() == name):
                self._say(f'LIST (\\HasNoChildren) "/" "{name}"')
        return "OK listed"

    async def _do_status(self, args: list[Token], by_uid: bool) -> str:
        folder = self._target(args[0])
        if folder is None:
            return "NO [NONEXISTENT] there is no such folder"
        unseen = sum(r"\Seen" not in mail.flags for mail in folder.mails.values())
        values = {
            "MESSAGES": len(folder.mails),
            "UIDNEXT": folder.uidnext,
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": unseen,
            "RECENT": 0,
        }
        asked = [word.upper() for word in words(args[1])]
        pairs = " ".join(f"{word} {values[word]}" for word in asked if word in values)
        self._say(f'STATUS "{folder.name}" ({pairs})')
        return "OK done"

    async def _do_append(self, args: list[Token], by_uid: bool) -> str:
        folder = self._target(args[0])
        if folder is None:
            return "NO [TRYCREATE] there is no such folder"
        raw = args[-1] if isinstance(args[-1], bytes) else text(args[-1]).encode()
        flags = next((words(arg) for arg in args[1:-1] if isinstance(arg, list)), [])
        dates = [text(arg) for arg in args[1:-1] if not isinstance(arg, list)]
        given = [read_date(f'INTERNALDATE "{date}"'.encode()) for date in dates]
        at = next((date for date in given if date is not None), self._clock())
        mail = folder.add(raw, at, flags=flags)
        return f"OK [APPENDUID {folder.uidvalidity} {mail.uid}] kept"

    def _target(self, name: Token) -> Folder | None:
        return self._account.folder(text(name)) if self._account else None

    # Mails of the selected folder

    def _selected(self) -> Folder:
        if self._folder is None:
            raise BadInput("select a folder first")
        return self._folder

    def _named_mails(self, spec: Token, by_uid: bool) -> list[tuple[int, Stored]]:
        """The mails that a set names, each with its number."""
        folder = self._selected()
        if by_uid:
            chosen = set(numbers(text(spec), self._known))
            pairs = [(n, uid) for n, uid in enumerate(self._known, 1) if uid in chosen]
        else:
            known = range(1, len(self._known) + 1)
            pairs = [(n, self._known[n - 1]) for n in numbers(text(spec), known)]
        return [(n, folder.mails[uid]) for n, uid in pairs if uid in folder.mails]

    async def _do_search(self, args: list[Token], by_uid: bool) -> str:
        folder = self._selected()
        self._tell_changes(expunged=by_uid)
        found = [
            uid if by_uid else number
            for number, uid in enumerate(self._known, 1)
            if uid in folder.mails and matches(args, folder.mails[uid], self._known)
        ]
        self._say(" ".join(["SEARCH", *map(str, found)]))
        return "OK found"

    async def _do_fetch(self, args: list[Token], by_uid: bool) -> str:
        items = [item.upper() for item in words(args[1])]
        if by_uid and "UID" not in items:
            items.insert(0, "UID")
        for number, mail in self._named_mails(args[0], by_uid):
            parts = [fetch_item(item, mail) for item in items]
            self._line(b"* %d FETCH (%s)" % (number, b" ".join(parts)))
            await self._writer.drain()
        return "OK fetched"

    async def _do_store(self, args: list[Token], by_uid: bool) -> str:
        self._may_write()
        action = text(args[1]).upper()
        flags = {
            word.capitalize() if word[0] != "\\" else system_flag(word) for word in words(args[2])
        }
        for number, mail in self._named_mails(args[0], by_uid):
            sign = action[0] if action[0] in "+-" else ""
            changed = {"+": mail.flags | flags, "-": mail.flags - flags, "": flags}
            mail.flags = changed[sign]
            if not action.endswith(".SILENT"):
                self._say(f"{number} FETCH (UID {mail.uid} FLAGS {flag_list(mail.flags).decode()})")
        return "OK stored"

    async def _do_copy(self, args: list[Token], by_uid: bool) -> str:
        target = self._target(args[1])
        if target is None:
            return "NO [TRYCREATE] there is no such folder"
        mails = [mail for _, mail in self._named_mails(args[0], by_uid)]
        copies = [target.add(mail.raw, mail.arrived_at, flags=mail.flags) for mail in mails]
        return f"OK {copied(target, mails, copies)}copied"

    async def _do_move(self, args: list[Token], by_uid: bool) -> str:
        self._may_write()
        if "MOVE" not in self._capabilities:
            raise BadInput("this server does not know that command")
        target, folder = self._target(args[1]), self._selected()
        if target is None:
            return "NO [TRYCREATE] there is no such folder"
        mails = [mail for _, mail in self._named_mails(args[0], by_uid)]
        copies = [target.add(mail.raw, mail.arrived_at, flags=mail.flags) for mail in mails]
        if mails:
            self._say(f"OK {copied(target, mails, copies)}moved")
        folder.remove(mail.uid for mail in mails)
        return "OK done"

    async def _do_expunge(self, args: list[Token], by_uid: bool) -> str:
        self._may_write()
        self._remove_deleted(numbers(text(args[0]), self._known) if by_uid else self._known)
        return "OK expunged"

    def _remove_deleted(self, uids: Iterable[int]) -> None:
        folder = self._selected()
        here = [folder.mails[uid] for uid in uids if uid in folder.mails]
        folder.remove([mail.uid for mail in here if r"\Deleted" in mail.flags])

    def _may_write(self) -> None:
        self._selected()
        if self._read_only:
            raise BadInput("this folder was opened to be read")

    async def _do_idle(self, args: list[Token], by_uid: bool) -> str:
        if "IDLE" not in self._capabilities:
            raise BadInput("this server does not know that command")
        self._line(b"+ idling")
        done = asyncio.ensure_future(self._reader.readuntil(b"\n"))
        try:
            while not done.done():
                self._changed.clear()
                self._tell_changes(expunged=True)
                await self._writer.drain()
                await self._change_or(done)
        finally:
            done.cancel()
            await asyncio.gather(done, return_exceptions=True)
        if done.result().strip().upper() != b"DONE":
            raise BadInput("DONE was expected")
        return "OK enough"

    async def _change_or(self, done: "asyncio.Future[Any]") -> None:
        changed: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            await asyncio.gather(changed, return_exceptions=True)


def _named(command: list[Token]) -> tuple[str, list[Token], bool]:
    name, args = text(command[0]).upper(), command[1:]
    if name != "UID":
        return name, args, False
    name = text(args[0]).upper()
    if name not in {"FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE"}:
        raise BadInput("this server does not know that command")
    return name, args[1:], True
