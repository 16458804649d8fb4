"""The mirrors of the companies' masking views, from the settings: of a desk and of `gate serve`."""

from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_mirror import Mirror, Mirrors
from subjectline.handlers.registry.engines import open_writers
from subjectline.handlers.registry.gate_sql_apply import NO_LOCK, lockable
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.errors import SettingsError
from subjectline.models.settings import Settings


def mirrors_of(settings: Settings, data_map: DataMap, gate: Gate, clock: Clock) -> Mirrors:
    """One for each connection with a URL for it. Raises SettingsError."""
    urls = {name: url.get_secret_value() for name, url in settings.registry.mirror_urls.items()}
    engines = open_writers(data_map, urls, setting="registry.mirror_urls")
    for name, engine in engines.items():
        if not lockable(engine):
            raise SettingsError(NO_LOCK, field=f"registry.mirror_urls.{name}")
    return Mirrors(
        [Mirror(HoldTable(data_map, name, engine), gate, clock) for name, engine in engines.items()]
    )
