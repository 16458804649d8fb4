"""From a member's first words to the last signature, for tests of what follows after it."""

from desks import Office, agent

from subjectline.handlers import decisions
from subjectline.models.tables import Proposal, Request


async def proven(office: Office, who: str, words: str) -> Request:
    """A member asks by mail and says yes to whatever is asked; the newest request."""
    await office.mail(who, words)
    for _ in range(2):
        if await office.state() in ("verifying", "waiting"):
            await office.mail(who, "네", answers=office.last(who))
    return await office.request()


async def signed(office: Office, request: Request | None = None) -> Request:
    """As many agents as it takes sign the open proposal, and the desk does its work."""
    wanted = request or await office.request()
    open_ones = [
        row
        for row in await office.all(Proposal)
        if (row.request_id, row.state) == (wanted.id, "open")
    ]
    for number in range(1, open_ones[-1].needs + 1):
        await decisions.approve(office.desk, open_ones[-1].sha256, agent(number))
    await office.work()
    return await request_of(office, wanted.id or 0)


async def request_of(office: Office, number: int) -> Request:
    [found] = [row for row in await office.all(Request) if row.id == number]
    return found
