"""`subjectline doctor`: tries everything that the settings name, and says in one line each what is wrong."""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import literal
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from subjectline.handlers.desk import Desk
from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.senders.clamd import Clamd
from subjectline.handlers.senders.sms import gateway_of
from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.handlers.senders.tokens import TokenSources
from subjectline.handlers.senders.webhook import Webhooks
from subjectline.intake.mail import MailPolicy
from subjectline.intake.mail_sink import MailSink
from subjectline.intake.mailauth.dns import LiveDns
from subjectline.intake.mailauth.doctor import dns_answers, signing_key
from subjectline.intake.mailbox import Mailbox
from subjectline.intake.setup import close_desk, make_desk
from subjectline.intake.telegram import TelegramDoor
from subjectline.models.errors import SubjectlineError
from subjectline.models.mail_settings import Finding
from subjectline.models.settings import Settings
from subjectline.models.sms_settings import SmsSettings

Look = Callable[[], Awaitable[Finding]]


async def examine(settings: Settings) -> list[Finding]:
    """All findings; the first ones stop the rest where nothing could work without them."""
    try:
        desk = make_desk(settings)
    except SubjectlineError as wrong:
        return [Finding(False, str(wrong))]
    try:
        return [await _safely(look) for look in _looks(desk, settings)]
    finally:
        await close_desk(desk)


def _looks(desk: Desk, settings: Settings) -> list[Look]:
    looks: list[Look] = [lambda: _keys(desk), lambda: _database(desk), lambda: _registry(desk)]
    looks.append(lambda: _company(desk))
    tokens = TokenSources()
    for box in settings.mailboxes:
        sink = MailSink(desk, MailPolicy())
        looks.append(Mailbox(box, sink, desk.clock, tokens.of(box.oauth)).doctor)
    if settings.smtp is not None:
        looks.append(SmtpSender(settings.smtp, tokens.of(settings.smtp.oauth)).doctor)
    looks += _mail_names(settings)
    if settings.telegram.token is not None:
        looks.append(TelegramDoor(desk, settings.telegram, hook=settings.hook).doctor)
    looks += [partial(_sms, settings.sms, desk)] if settings.sms else []
    looks += _recipients(desk, settings)
    looks += [partial(_views, mirror) for mirror in desk.mirrors.all]
    looks.append(lambda: _scanner(settings))
    looks.append(lambda: _doors(settings))
    return looks


def _mail_names(settings: Settings) -> list[Look]:
    """What stands in the DNS: our own keys, and whether those of others can be looked up."""
    records = LiveDns(settings.dns)
    looks: list[Look] = []
    if settings.smtp is not None:
        ours = settings.smtp.from_domain
        looks += [partial(signing_key, one, ours, records) for one in settings.smtp.dkim]
    if any(box.verify_dkim for box in settings.mailboxes):
        domain = settings.desk.address.rpartition("@")[2]
        needed = not settings.desk.authserv_ids
        looks.append(partial(dns_answers, domain, records, needed=needed))
    return looks


async def _safely(look: Look) -> Finding:
    try:
        return await look()
    except SubjectlineError as wrong:
        return Finding(False, str(wrong))


async def _keys(desk: Desk) -> Finding:
    """Seals and opens a word with the ring and the store as they are."""
    key_id = desk.vault.make_key("doctor", desk.clock())
    sealed = desk.vault.seal(key_id, "doctor.word", "open")
    return Finding(desk.vault.text(sealed) == "open", "keys: the ring and the store fit.")


async def _database(desk: Desk) -> Finding:
    try:
        async with desk.db.read() as session:
            await session.exec(select(literal(1)))
    except (SQLAlchemyError, OSError) as wrong:
        why = type(wrong).__name__
        return Finding(False, f"database: it cannot be opened ({why}). Check database.url.")
    kind = "SQLite" if desk.db.embedded else "PostgreSQL"
    return Finding(True, f"database: {kind} answers.")


async def _registry(desk: Desk) -> Finding:
    faults = await desk.registry.check()
    if faults:
        more = f" (and {len(faults) - 1} more: subjectline map check)" if len(faults) > 1 else ""
        return Finding(False, f"registry: {faults[0]}{more}")
    return Finding(True, f"registry: the map fits; members: {await desk.registry.count()}.")


async def _company(desk: Desk) -> Finding:
    desk.data_map.must_have_sender()
    return Finding(True, f"company: letters are signed by {desk.data_map.company.name.en}.")


async def _sms(settings: SmsSettings, desk: Desk) -> Finding:
    gateway = gateway_of(settings, desk.clock)
    try:
        return await gateway.doctor()
    finally:
        await gateway.close()


async def _views(mirror: Mirror) -> Finding:
    """One round of a mirror, as the desk goes it."""
    good = await mirror.once()
    told = mirror.status.last_error
    return Finding(good, f"masking views of {mirror.name}: {told or 'kept current'}")


def _recipients(desk: Desk, settings: Settings) -> list[Look]:
    """Each webhook is tried; who is told by hand is named, so that nobody is forgotten."""
    reach, known = settings.recipients.reach, desk.data_map.recipients
    looks: list[Look] = [
        partial(_webhook, settings, desk, name) for name, one in reach.items() if one.webhook
    ]
    by_hand = [name for name, one in known.items() if one.told and name not in reach]
    if by_hand:
        looks.append(partial(_by_hand, by_hand))
    return looks


async def _webhook(settings: Settings, desk: Desk, name: str) -> Finding:
    webhooks = Webhooks(settings.recipients.seconds, desk.clock)
    try:
        return await webhooks.doctor(name, settings.recipients.reach[name])
    finally:
        await webhooks.close()


async def _by_hand(names: list[str]) -> Finding:
    told = ", ".join(names)
    return Finding(True, f"recipients: agents tell these by hand of holds: {told}.")


async def _scanner(settings: Settings) -> Finding:
    if settings.attachments.clamd:
        return await Clamd(settings.attachments).doctor()
    return Finding(
        True,
        "attachments: attachments.clamd is empty, so files that come attached are not scanned.",
    )


async def _doors(settings: Settings) -> Finding:
    if not settings.mailboxes and settings.telegram.token is None:
        return Finding(
            False, "doors: there is neither a mailbox nor a bot. Add one to the settings."
        )
    if settings.mailboxes and not settings.desk.authserv_ids:
        how = "the desk verifies DKIM itself and sees no SPF"
        if not any(box.verify_dkim for box in settings.mailboxes):
            how = "no mail counts as authenticated"
        return Finding(True, f"doors: desk.authserv_ids is empty, so {how}.")
    return Finding(True, "doors: all that the settings name were tried.")
