"""An office whose recipients can be told."""

import pytest
from desks import MakeDesk
from told import Telephone, proven_once, telephone, told

__all__ = ["phone", "proven_once", "told"]


@pytest.fixture
async def phone(make_desk: MakeDesk) -> Telephone:
    """A desk on SQLite that tells the recipients of `told.REACH`; the others are told by hand."""
    return telephone(await make_desk())
