"""The log's last net: whatever a library writes into it, numbers that identify are covered."""

import logging

from subjectline.models.masking import mask_identifying

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Discreet(logging.Formatter):
    """Formats a record, traceback and all, and covers what `mask_identifying` finds in it."""

    def __init__(self) -> None:
        super().__init__(FORM)

    def format(self, record: logging.LogRecord) -> str:
        return mask_identifying(super().format(record))


def start_logging() -> None:
    """One handler on standard error, from INFO on; chatty libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "httpcore", "aioimaplib", "mail.log", "alembic", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
