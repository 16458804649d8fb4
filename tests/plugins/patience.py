"""A busy machine is no fault: bounds of wall time are generous, but in tests that are about them.

A gate denies from a state older than two seconds, and a use that takes five to be recorded. A test
whose process gets no processor for so long would be told "denied" for a member who is not held. A
company's database has five for a call, and would be called away.
"""

from collections.abc import Iterator

import pytest

from subjectline.handlers import gate
from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines, open_writers
from subjectline_client.core import HoldState

SECONDS = 60.0


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Every gate and every database of a company has a minute here, unless a test says less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HoldState.__init__, "__kwdefaults__", {"bound": SECONDS})
        patch.setattr(gate, "RECORD_SECONDS", SECONDS)
        patch.setitem(Registry.__init__.__kwdefaults__ or {}, "seconds", SECONDS)
        patch.setattr(Archive.__init__, "__defaults__", (SECONDS,))
        patch.setattr(open_engine, "__defaults__", (SECONDS,))
        patch.setattr(open_engines, "__defaults__", (SECONDS,))
        patch.setattr(
            open_writers, "__defaults__", (SECONDS, *(open_writers.__defaults__ or ())[1:])
        )
        yield
