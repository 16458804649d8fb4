"""A member whose access was approved: `await gathered()` gives the desk and the export's head."""

from collections.abc import Awaitable, Callable

import pytest
from browsers import EN, KO, asks
from desks import ACCESS, ACCESS_EN, Office, agent

from subjectline.handlers import decisions
from subjectline.handlers.export import shelf
from subjectline.handlers.export.shelf import Head
from subjectline.models.tables import Proposal

Gathered = Callable[..., Awaitable[Head]]
WORDS = {KO: ACCESS, EN: ACCESS_EN}


@pytest.fixture
def gathered(office: Office) -> Gathered:
    """The export of one of the two sample people, Korean (the default) or English."""

    async def make(sender: str = KO) -> Head:
        await asks(office, sender, WORDS[sender])
        proposal = (await office.all(Proposal))[-1]
        await decisions.approve(office.desk, proposal.sha256, agent())
        await office.work()
        head = await shelf.head(office.desk, (await office.request()).id or 0)
        assert head is not None
        return head

    return make
