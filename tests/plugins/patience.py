"""A busy machine is no fault: bounds of wall time are generous, but in tests that are about them.

A gate denies from a state older than two seconds, and a use that takes five to be recorded. A test
whose process gets no processor for so long would be told "denied" for a member who is not held.
"""

from collections.abc import Iterator

import pytest

from subjectline.handlers import gate
from subjectline_client.core import HoldState

SECONDS = 60.0


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Every gate that is made in this process has a minute, unless a test says less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HoldState.__init__, "__kwdefaults__", {"bound": SECONDS})
        patch.setattr(gate, "RECORD_SECONDS", SECONDS)
        yield
