"""A desk whose letter came back: what the tests of returned letters begin with."""

from desks import MARKETING, Office
from returned import dsn
from signing import proven, signed

from subjectline.handlers import reachable, returned
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import (
    Outbox,
    ReturnedLetter,
)

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
NEW = "haneul.new@mail.test"
FULL = "552 5.2.2 Mailbox full"


async def result(office: Office) -> str:
    """A result has left by mail; its Message-ID."""
    await proven(office, ME, MARKETING)
    await signed(office)
    assert (await office.letters())[-1] == "done"
    return office.last(ME).message_id


async def bounced(office: Office, status: str = "5.1.1") -> ReturnedLetter:
    await office.arrives(dsn(await result(office), ME, status=status))
    return (await office.all(ReturnedLetter))[-1]


async def outbox_row(office: Office, message_id: str) -> Outbox:
    [row] = await office.all(Outbox, Outbox.rfc_message_id == message_id)
    return row


async def handle(office: Office, position: int = -1) -> str:
    return (await returned.listed(office.desk))[position].handle


async def moves_to(office: Office, address: str) -> None:
    """The company's database has another address of the member's."""
    await office.sql("UPDATE member SET email = :a WHERE member_id = :m", a=address, m=int(MEMBER))


async def dead(office: Office, address: str = ME) -> bool:
    async with office.desk.db.read() as session:
        return await reachable.is_dead(session, office.desk.vault.index("email", address))
