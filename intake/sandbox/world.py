"""The outside world in one process: mail, Telegram, texts, the sample company, and the desk in the middle.

The desk runs the code that it runs against real servers; only what it speaks to is made here.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from subjectline.handlers import agents, gate_callers, notices, policies
from subjectline.handlers.audit import SYSTEM
from subjectline.handlers.desk import Desk
from subjectline.intake.places import places
from subjectline.intake.sandbox import mobile_provider
from subjectline.intake.sandbox.company import MAP, create_company
from subjectline.intake.sandbox.mail_world import AUTHSERV_ID, MailWorld
from subjectline.intake.sandbox.partners import Partners
from subjectline.intake.sandbox.policies import sample_policies
from subjectline.intake.sandbox.telegram_emulator import TOKEN, Emulator, create_emulator
from subjectline.intake.sandbox.text_gateway import TextGateway
from subjectline.intake.serve import Parts, assemble
from subjectline.intake.setup import make_desk
from subjectline.models.clock import MovableClock
from subjectline.models.datamap import load_map
from subjectline.models.errors import BadInput
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate
from subjectline.models.settings import (
    DeskSection,
    ListenSection,
    RegistrySection,
    Settings,
    TelegramSection,
)

DESK_ADDRESS = "privacy@moment-pick.test"
AGENTS = (("minji", "서민지", "ko"), ("alex", "Alex Moreau", "en"))
OFFICER = "minji"  # who may set legal holds and review
PASSWORD = "sandbox-only-password"


@dataclass
class World:
    """Everything of one sandbox. `caller_keys`: the company's systems by name."""

    clock: MovableClock
    mail: MailWorld
    telegram: Emulator
    texts: TextGateway
    partners: Partners
    desk: Desk
    parts: Parts
    settings: Settings
    caller_keys: dict[str, str]
    company: Path

    async def close(self) -> None:
        """Ends the outside world; call it before the web server stops (long polls hang on it)."""
        await self.telegram.close()
        await self.mail.stop()


async def make_world(
    home: Path,
    port: int,
    clock: MovableClock | None = None,
    registry: RegistrySection | None = None,
) -> World:
    """A sandbox below `home`, made anew where it is empty; its keys are random and its own.

    `registry` names the company's databases where they are not the sample's own file.
    """
    clock = clock or MovableClock()
    home.mkdir(parents=True, exist_ok=True)
    mail = MailWorld(clock, desk_address=DESK_ADDRESS)
    telegram = create_emulator(clock, TOKEN, keep=home / "telegram.json")
    await mail.start()
    company = home / "company.db"
    if registry is None and not company.exists():
        await create_company(company, clock)
    texts, partners = TextGateway(clock), Partners(clock)
    settings = sandbox_settings(home, port, mail, texts, partners, registry)
    ring = places(settings).ring
    if not ring.exists():
        KeyRing.generate().save(ring)
    desk = make_desk(settings, clock)
    await migrate(desk.db)
    keys = await _furnish(desk)
    parts = assemble(desk, settings)
    parts.loops.append(telegram.keep)
    return World(clock, mail, telegram, texts, partners, desk, parts, settings, keys, company)


def sandbox_settings(
    home: Path,
    port: int,
    mail: MailWorld,
    texts: TextGateway,
    partners: Partners,
    registry: RegistrySection | None = None,
) -> Settings:
    """The settings of a desk that speaks to this sandbox."""
    base = f"http://127.0.0.1:{port}"
    return Settings(
        desk=DeskSection(
            public_url=base,
            data_dir=home,
            address=DESK_ADDRESS,
            authserv_ids=(AUTHSERV_ID,),
        ),
        registry=registry
        or RegistrySection(
            map=MAP, urls={"members": SecretStr(f"sqlite:///{home / 'company.db'}")}
        ),
        mailboxes=(mail.mailbox_settings(),),
        smtp=mail.smtp_settings(from_name="Moment Pick"),
        mobile_identity=mobile_provider.settings(base),
        sms=texts.settings(f"{base}/sms"),
        recipients=partners.settings(base, load_map(registry.map if registry else MAP)),
        telegram=TelegramSection(
            token=SecretStr(TOKEN),
            base_url=f"{base}/telegram/bot",
            base_file_url=f"{base}/telegram/file/bot",
        ),
        listen=ListenSection(public_port=port, internal_port=port),
    )


async def _furnish(desk: Desk) -> dict[str, str]:
    """Two agents, the company's callers, the first policy version."""
    for login, name, language in AGENTS:
        with suppress(BadInput):  # a sandbox that was started before has them
            role = "officer" if login == OFFICER else "agent"
            await agents.add(desk, login, name, PASSWORD, role=role, language=language)
    await _first_policy(desk)
    keys = {}
    async with desk.db.write() as session:
        for name, caller in desk.data_map.callers.items():
            recipients = [caller.recipient] if caller.recipient else []
            keys[name] = await gate_callers.add_caller(
                session, name, caller.purposes, recipients, desk.clock
            )
    return keys


async def _first_policy(desk: Desk) -> None:
    version = sample_policies(desk.clock().date())[0]
    if version.name not in {known.name for known in await policies.versions(desk)}:
        await notices.create_version(
            desk,
            version.name,
            version.announced_on,
            version.effective_on,
            version.text["ko"],
            version.text["en"],
            version.changes,
            SYSTEM,
        )
