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


class Seldom(logging.Filter):
    """Passes the same words once in so many seconds: who looks four times within a bound would write
    them as often while a database is away. What has another exception says other words."""

    MOST = 1_000  # that are remembered

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds, self._said = seconds, dict[tuple[str, str], float]()

    def filter(self, record: logging.LogRecord) -> bool:
        words, now = (record.name, record.getMessage()), record.created
        if now - self._said.get(words, -self._seconds) < self._seconds:
            return False
        if len(self._said) >= self.MOST:
            self._said.clear()
        self._said[words] = now
        return True


def start_logging(seldom: float = 0.0) -> None:
    """One handler on standard error, from INFO on; chatty libraries from WARNING on.

    The same words stand there once in `seldom` seconds; 0: always.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet())
    if seldom:
        handler.addFilter(Seldom(seldom))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "httpcore", "aioimaplib", "mail.log", "alembic", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
