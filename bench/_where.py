"""Where a process's time goes: its stack, looked at every two milliseconds, put into groups.

A group's share is that of the innermost frame which says what is being done; `whole` counts a function
as long as it is anywhere on the stack.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

EVERY = 0.002  # seconds
# The first that fits the innermost frame, or else the next one out.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("waiting (disk, server)", ("selectors.py",)),
    ("IMAP", ("aioimaplib/", "intake/imap/", "intake/mailbox.py")),
    ("parse", ("intake/mailparse/", "intake/mail.py", "intake/mailauth/", "lib/python3.11/email/",
               "models/masking", "html/parser", "intake/mail_sink.py")),
    ("understanding", ("handlers/understanding/",)),
    ("sealing", ("models/keys.py", "models/types.py", "cryptography/")),
    ("company's database", ("handlers/registry/",)),
    ("letters", ("handlers/letters.py", "handlers/facts.py", "jinja2/", "handlers/words.py",
                 "models/letter_facts.py")),
    ("database", ("sqlalchemy/", "aiosqlite/", "sqlmodel/", "models/inline.py", "models/db.py",
                  "pydantic/")),
    ("steps of requests", ("handlers/",)),
)  # fmt: skip


@dataclass
class Seen:
    """How often each group and each function of ours was found."""

    looks: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)

    def lines(self, most: int = 25) -> Iterator[str]:
        yield "where the time goes (share of wall time; innermost frame that says what is done):"
        for name, number in self.groups.most_common():
            yield f"  {number / self.looks:6.1%}  {name}"
        yield "functions, with all that they call (a coroutine counts while it runs):"
        for name, number in self.whole.most_common(most):
            yield f"  {number / self.looks:6.1%}  {name}"


@contextmanager
def looking(root: Path, seen: Seen | None = None) -> Iterator[Seen]:
    """Looks at the main thread until the block ends. `root`: whose functions are counted."""
    seen, home = seen or Seen(), f"{root}/"

    def look(_number: int, frame: FrameType | None) -> None:
        seen.looks += 1
        group, names = "", set[str]()
        while frame is not None:
            file = frame.f_code.co_filename
            group = group or _group(file)
            if file.startswith(home) and "/.venv/" not in file and "/bench/" not in file:
                names.add(f"{file.removeprefix(home)}: {frame.f_code.co_name}")
            frame = frame.f_back
        seen.groups[group or "the rest"] += 1
        seen.whole.update(names)

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
    try:
        yield seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _group(file: str) -> str:
    return next((name for name, places in GROUPS if any(place in file for place in places)), "")
