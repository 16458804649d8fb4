"""From settings to a desk: database, keys, registry, gate. What `serve`, `doctor` and the CLI share."""

import fcntl
import os
from pathlib import Path

from subjectline.handlers.desk import Desk, Manner
from subjectline.handlers.gate import Gate
from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines, open_writers
from subjectline.handlers.understanding import Vocabulary
from subjectline.intake.mirrors import mirrors_of
from subjectline.intake.places import places
from subjectline.models.clock import Clock, system_clock
from subjectline.models.datamap import DataMap, load_map, vocabulary_words
from subjectline.models.db import Database
from subjectline.models.errors import SettingsError
from subjectline.models.keys import KeyRing, KeyStore, Vault
from subjectline.models.recipient_settings import RecipientSettings
from subjectline.models.regimes import regime_named
from subjectline.models.settings import Settings


def make_desk(settings: Settings, clock: Clock = system_clock) -> Desk:
    """A desk from its settings. Raises SettingsError, DataMapError."""
    where = places(settings)
    private_folder(settings.desk.data_dir)
    vault = Vault(KeyRing.load(where.ring), KeyStore(where.store))
    data_map = load_map(settings.registry.map)
    database = Database(where.database)
    gate = Gate(database, data_map, clock)
    regime = settings.desk.regime or data_map.company.regime
    return Desk(
        db=database,
        vault=vault,
        clock=clock,
        data_map=data_map,
        registry=_registry(settings, data_map, vault, clock),
        gate=gate,
        vocabulary=Vocabulary(vocabulary_words(data_map)),
        manner=Manner(
            address=settings.desk.address,
            public_url=settings.desk.public_url.rstrip("/"),
            regime=regime,
            language=settings.desk.language,
            reply_domain=settings.smtp.reply_to_domain if settings.smtp else "",
            extra_holidays=settings.desk.extra_holidays,
            retry_seconds=settings.desk.retry_seconds,
            console_url=settings.desk.console_url.rstrip("/"),
            agents_group=settings.telegram.agents_group,
            sms=settings.sms is not None,
        ),
        keeps=settings.retention,
        files=settings.attachments,
        mobile=settings.mobile_identity,
        recipients=_recipients(settings, data_map),
        mirrors=mirrors_of(settings, data_map, gate, clock),
    )


def _recipients(settings: Settings, data_map: DataMap) -> RecipientSettings:
    """Raises SettingsError for a recipient that the data map does not have."""
    for name in settings.recipients.reach:
        if name not in data_map.recipients:
            raise SettingsError(
                f"the data map has no recipient {name!r}",
                field="recipients.reach",
                remedy=f"Known: {', '.join(data_map.recipients) or 'none'}.",
            )
    return settings.recipients


def _registry(settings: Settings, data_map: DataMap, vault: Vault, clock: Clock) -> Registry:
    """The company's databases, with the archive where the map has one (a file of ours by default)."""
    urls = {name: url.get_secret_value() for name, url in settings.registry.urls.items()}
    zone = regime_named(settings.desk.regime or data_map.company.regime).tz
    archive = None
    if data_map.archive is not None:
        file = f"sqlite:///{settings.desk.data_dir / 'archive.db'}"
        engine = open_engine(urls.pop(data_map.archive.connection, file))
        archive = Archive(engine, vault, clock, data_map.registry)
    apart = {name: url.get_secret_value() for name, url in settings.registry.write_urls.items()}
    writers = open_writers(data_map, apart)
    engines = open_engines(data_map, urls, read_only=apart)
    return Registry(data_map, engines, clock=clock, zone=zone, archive=archive, writers=writers)


def private_folder(path: Path) -> None:
    """Makes a folder that only its owner can enter; one that stands there already is left as it is."""
    if not path.exists():
        path.mkdir(parents=True, mode=0o700)


async def close_desk(desk: Desk) -> None:
    """Lets go of databases and keys."""
    await desk.mirrors.close()
    await desk.registry.close()
    await desk.db.dispose()
    desk.vault.close()


class Alone:
    """Keeps a second desk off the same files; the one that came first is named by its pid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> "Alone":
        private_folder(self._path.parent)
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._handle, 20).decode().strip() or "unknown"
            os.close(self._handle)
            raise SettingsError(
                f"another desk (pid {pid}) runs on these files",
                field="desk.data_dir",
                remedy="Stop it, or give this one a data_dir of its own.",
            ) from None
        os.ftruncate(self._handle, 0)
        os.write(self._handle, str(os.getpid()).encode())
        return self

    def __exit__(self, *wrong: object) -> None:
        os.close(self._handle)
