"""The mail of the sandbox: a mail server for everybody's letters and the desk's IMAP mailbox.

SMTP (aiosmtpd) and IMAP run in the caller's event loop, on loopback ports of their own choosing;
nothing leaves the machine. Members have mailboxes that are read here in process, as a page shows
them; the desk reads its own over IMAP, by the very door that reads a real server.
"""

import asyncio
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session

from subjectline.intake.sandbox.imap.server import CAPABILITIES, ImapServer
from subjectline.intake.sandbox.imap.store import Account, Changes, Folder, Stored
from subjectline.models.clock import Clock
from subjectline.models.errors import SendError
from subjectline.models.mail_settings import MailboxSettings, SmtpSettings

AUTHSERV_ID = "sandbox.test"
LONGEST_MAIL = 64 * 1024 * 1024
MEMBER_MAILS = 200  # in one mailbox
MEMBERS_BYTES = 128 * 1024 * 1024  # in all members' mailboxes

_BARE_LINE_END = re.compile(rb"(?<!\r)\n")
_RESULTS = re.compile(rb"authentication-results[ \t]*:\s*([^\s;]+)", re.IGNORECASE)
_FROM_DOMAIN = re.compile(rb"^from:[^\r\n]*@([A-Za-z0-9.-]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class SandboxMail:
    """A mail as its recipient has it. `number` counts up in a mailbox; `arrived_at` is aware UTC."""

    address: str
    number: int
    arrived_at: datetime
    envelope_from: str
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "").strip()

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


class MailWorld:
    """The sandbox's mail. `clock` gives every mail its arrival time.

    The desk's account is `desk_address` with `desk_password`, by SMTP and by IMAP; mails to
    `desk+anything@…` are the desk's too. Addresses in `refused` are turned away with 550.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        desk_address: str = "privacy@desk.test",
        desk_password: str = "sandbox",
        capabilities: Sequence[str] = CAPABILITIES,
    ) -> None:
        self.desk_address, self.desk_password = desk_address.lower(), desk_password
        self.refused: set[str] = set()
        self.changes = Changes()
        self.desk = Account(self.desk_address, desk_password, int(clock().timestamp()))
        self.desk.inbox.watch(self.changes.happened)
        self.imap = ImapServer(self.desk, clock, capabilities)
        self.smtp_port = 0
        self._clock = clock
        self._members: OrderedDict[str, Folder] = OrderedDict()
        self._smtp: asyncio.Server | None = None
        self._lines: set[_Line] = set()

    @property
    def imap_port(self) -> int:
        return self.imap.port

    async def start(self) -> None:
        """Open both ports."""
        await self.imap.start()
        loop = asyncio.get_running_loop()
        self._smtp = await loop.create_server(self._line, "127.0.0.1", 0)
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close both ports and every connection; leaves no task behind."""
        if self._smtp is not None:
            self._smtp.close()
            await asyncio.gather(*(line.cut() for line in tuple(self._lines)))
            await self._smtp.wait_closed()
            self._smtp = None
        await self.imap.stop()

    def mailbox_settings(self, **more: Any) -> MailboxSettings:
        """Settings with which the mail door reads the desk's mailbox here."""
        known = {"host": "127.0.0.1", "port": self.imap_port, "user": self.desk_address}
        known |= {"verify_dkim": False}  # nobody here has a name in the DNS
        return MailboxSettings(**{**known, "password": self.desk_password, "tls": "none", **more})

    def smtp_settings(self, **more: Any) -> SmtpSettings:
        """Settings with which the desk sends its letters here."""
        known = {"host": "127.0.0.1", "port": self.smtp_port, "user": self.desk_address}
        known |= {"password": self.desk_password, "from_address": self.desk_address}
        return SmtpSettings(**{**known, "tls": "none", **more})

    def mailbox(self, address: str) -> list[SandboxMail]:
        """The mails of a mailbox, oldest first; the desk's are those still in its INBOX."""
        folder = self._folder(address, make=False)
        mails = folder.mails.values() if folder is not None else ()
        return [_seen(address, mail) for mail in mails]

    def desk_folder(self, name: str) -> list[SandboxMail]:
        """The mails of one of the desk's folders (`Processed`), oldest first."""
        folder = self.desk.folder(name)
        mails = folder.mails.values() if folder is not None else ()
        return [_seen(self.desk_address, mail) for mail in mails]

    async def deliver(
        self, raw: bytes, to: str, auth_results: str | None, *, envelope_from: str = ""
    ) -> SandboxMail:
        """Bring a mail as a member's own provider does, with what the border server found out.

        `auth_results` is `pass` (the member's own account sent it), `fail` (somebody forged the
        From), other words to stand in Authentication-Results as they are, or None for no such
        header. Headers that claim to be ours already are taken off (RFC 8601 section 5).
        Raises TemporarySendError when the desk's mailbox is full.
        """
        return self._arrive(_stamped(raw, auth_results), to, envelope_from)

    async def wait_for(
        self, address: str, predicate: Callable[[SandboxMail], bool], timeout: float = 10
    ) -> SandboxMail:
        """The first mail in the mailbox that fits, at once or as soon as it comes.

        Raises TimeoutError after `timeout` seconds of real time.
        """
        async with asyncio.timeout(timeout):
            while True:
                count = self.changes.count
                for mail in self.mailbox(address):
                    if predicate(mail):
                        return mail
                await self.changes.after(count)

    def is_desk(self, address: str) -> bool:
        """Whether mail to this address is the desk's, plus-addresses included."""
        local, _, domain = address.lower().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" == self.desk_address

    def _folder(self, address: str, *, make: bool) -> Folder | None:
        if self.is_desk(address):
            return self.desk.inbox
        key = address.lower()
        if make and key not in self._members:
            self._members[key] = Folder(key, 1, max_mails=MEMBER_MAILS)
            self._members[key].watch(self.changes.happened)
        return self._members.get(key)

    def _arrive(self, raw: bytes, to: str, envelope_from: str) -> SandboxMail:
        folder = self._folder(to, make=True)
        assert folder is not None
        if folder is self.desk.inbox:
            raw = f"Delivered-To: {to}\r\n".encode() + raw
        else:
            self._members.move_to_end(to.lower())
        mail = folder.add(
            _BARE_LINE_END.sub(b"\r\n", raw), self._clock(), envelope_from=envelope_from
        )
        self._forget()
        return _seen(to, mail)

    def _forget(self) -> None:
        """Drop the mailboxes that nothing came to for longest, until all fit."""
        while sum(folder.size for folder in self._members.values()) > MEMBERS_BYTES:
            self._members.popitem(last=False)

    def _line(self) -> "_Line":
        line = _Line(self)
        self._lines.add(line)
        return line

    def _hung_up(self, line: "_Line") -> None:
        self._lines.discard(line)

    # What aiosmtpd asks its handler and authenticator.

    def _sign_in(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and all(
            map(
                hmac.compare_digest,
                (data.login.lower(), data.password),
                (self.desk_address.encode(), self.desk_password.encode()),
            )
        )
        return AuthResult(success=right, handled=right)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.lower() in self.refused:
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        raw = _stamped(bytes(envelope.content), "none")
        try:
            for address in dict.fromkeys(envelope.rcpt_tos):
                self._arrive(raw, address, envelope.mail_from or "")
        except SendError:
            return "452 4.2.2 the mailbox is full"
        return "250 2.0.0 OK"


class _Session(Session):
    login_data: Any = None  # aiosmtpd warns about its own use of the property that stands there


class _Line(SMTP):
    """One SMTP connection that the world can cut, and whose end it hears of."""

    def __init__(self, world: MailWorld) -> None:
        self._world = world
        super().__init__(
            world,
            hostname=AUTHSERV_ID,
            ident="sandbox",
            data_size_limit=LONGEST_MAIL,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=world._sign_in,
            loop=asyncio.get_running_loop(),
        )

    def _create_session(self) -> Session:
        return _Session(self.loop)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._world._hung_up(self)

    async def cut(self) -> None:
        task = self._handler_coroutine
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _seen(address: str, mail: Stored) -> SandboxMail:
    return SandboxMail(address, mail.uid, mail.arrived_at, mail.envelope_from, mail.raw)


def _stamped(raw: bytes, results: str | None) -> bytes:
    """The mail with our Authentication-Results on top, and none that only claims to be ours."""
    header, separator, body = _BARE_LINE_END.sub(b"\r\n", raw).partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    kept = b"\r\n".join(field for field in fields if not _claims_to_be_ours(field))
    if results is None:
        return kept + separator + body
    words = _verdict(results, kept) if results in ("pass", "fail") else results
    return f"Authentication-Results: {AUTHSERV_ID}; {words}\r\n".encode() + kept + separator + body


def _claims_to_be_ours(field: bytes) -> bool:
    match = _RESULTS.match(field)
    return match is not None and match.group(1).lower() == AUTHSERV_ID.encode()


def _verdict(result: str, header: bytes) -> str:
    found = _FROM_DOMAIN.search(header)
    domain = found.group(1).decode() if found else "unknown.test"
    origin = domain if result == "pass" else "elsewhere.test"
    return (
        f"dmarc={result} header.from={domain};\r\n"
        f" spf=pass smtp.mailfrom={origin};\r\n dkim=pass header.d={origin}"
    )
