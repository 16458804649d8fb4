"""Between the IMAP door and the raw inbox: commits each batch sealed, and says what may be moved."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw, RawView
from subjectline.handlers.spam_folder import MARK
from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.evidence import OwnCheck
from subjectline.intake.mailbox import Disposition, RawMail
from subjectline.models.errors import UnreadableMail
from subjectline.models.incoming import Door, Incoming, Outcome

# Bytes; larger ones are parsed in a thread, so that the gate goes on answering.
LARGE = 256 * 1024
# A header alone has no words; what a machine sent is not answered, however large.
OF_PERSONS = frozenset({"person", "empty", "nothing_new", "oversized"})


class Recent:
    """What the sink has parsed to know a mail's fate: the inbox need not do it again a moment later.

    Bounded by the bytes of the mails; what is no longer here, as after a restart, is parsed anew.
    """

    def __init__(self, most: int = 16 * 1024 * 1024) -> None:
        self._most, self._held = most, 0
        self._parsed: dict[str, tuple[Incoming, int]] = {}

    def put(self, incoming: Incoming, size: int) -> None:
        self.take(incoming.source_key)  # a mail that comes again is held, and counted, once
        self._parsed[incoming.source_key] = incoming, size
        self._held += size
        while self._held > self._most:
            self._held -= self._parsed.pop(next(iter(self._parsed)))[1]

    def take(self, source_key: str) -> Incoming | None:
        found = self._parsed.pop(source_key, None)
        if found is None:
            return None
        self._held -= found[1]
        return found[0]


class MailSink:
    """Keeps batches of mails for one desk."""

    def __init__(self, desk: Desk, policy: MailPolicy, recent: Recent | None = None) -> None:
        self._desk, self._policy = desk, policy
        self._recent = recent or Recent()

    async def keep(self, mails: Sequence[RawMail]) -> Sequence[Disposition]:
        """Commits the batch. A mail with a resident number is not left on the server (PIPA 24-2)."""
        fates = []
        for mail in mails:
            if len(mail.content) > LARGE:
                fates.append(await asyncio.to_thread(self._fate, mail))
            else:
                fates.append(self._fate(mail))
                await asyncio.sleep(0)  # the gate answers in between
        await inbox.keep(self._desk, [_raw(mail) for mail in mails])
        return fates

    def _fate(self, mail: RawMail) -> Disposition:
        try:
            seen = parse_mail(
                mail.content,
                source_key=_key(mail),
                arrived_at=mail.internal_date,
                policy=self._policy,
            )
        except UnreadableMail:
            return Disposition.QUARANTINE
        self._recent.put(seen, len(mail.content))
        if seen.resident_number_found:
            return Disposition.EXPUNGE
        kept_apart = mail.spam or seen.outcome is Outcome.DEAD
        return Disposition.QUARANTINE if kept_apart else Disposition.PROCESSED


def mail_parser(
    policy: MailPolicy,
    checker: Checker | None = None,
    unchecked: Collection[str] = (),
    recent: Recent | None = None,
    spam: Collection[str] = (),
) -> inbox.Parser:
    """The parser that the inbox uses for mails.

    With a `checker` signatures are verified first, except in the mailboxes of the accounts
    `unchecked` (`user@host`). `recent`: where the sink left what it parsed already. `spam`: names of
    folders of suspected spam; what comes from them says so in its evidence.
    """
    skipped = tuple(f"mail:{account}/" for account in unchecked)
    suspected = tuple(f"mail:{mailbox}:" for mailbox in spam)

    def parse(view: RawView, own_check: OwnCheck | None = None) -> Incoming:
        seen = read(view, own_check)
        if not view.source_key.startswith(suspected):
            return seen
        return replace(seen, evidence={**seen.evidence, MARK: "yes"})

    def read(view: RawView, own_check: OwnCheck | None) -> Incoming:
        seen = recent.take(view.source_key) if recent and own_check is None else None
        seen = seen or parse_mail(
            view.body,
            source_key=view.source_key,
            arrived_at=view.arrived_at,
            policy=policy,
            own_check=own_check,
        )
        if not view.oversized or seen.rule not in OF_PERSONS:
            return seen
        return replace(
            seen, outcome=Outcome.HOLD, rule="oversized", reason="only its header was read"
        )

    async def checked(view: RawView) -> Incoming:
        # Of an oversized one there is no body to hold against the signature.
        look = checker is not None and not (view.oversized or view.source_key.startswith(skipped))
        own_check = await checker.look(view.body, view.arrived_at) if checker and look else None
        if len(view.body) > LARGE:
            return await asyncio.to_thread(parse, view, own_check)
        return parse(view, own_check)

    return checked


def _key(mail: RawMail) -> str:
    return f"mail:{mail.mailbox}:{mail.uidvalidity}:{mail.uid}"


def _raw(mail: RawMail) -> Raw:
    return Raw(
        Door.MAIL,
        _key(mail),
        f"mail:{mail.mailbox}",
        mail.internal_date,
        mail.content,
        mail.oversized,
    )
