"""Where a desk keeps its own files."""

from dataclasses import dataclass
from pathlib import Path

from subjectline.models.settings import Settings


@dataclass(frozen=True)
class Places:
    """Where a desk keeps its own files."""

    database: str
    ring: Path
    store: Path
    lock: Path


def places(settings: Settings) -> Places:
    """The files of a desk, from its settings."""
    home = settings.desk.data_dir
    return Places(
        settings.database.url or f"sqlite+aiosqlite:///{home / 'desk.db'}",
        settings.keys.ring or home / "keyring.json",
        settings.keys.store or home / "keys.db",
        home / "desk.lock",
    )
