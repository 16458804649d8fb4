"""Two desks that hate each other: every letter of one lands in the other's mailbox."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from desks import ACCESS, ACCESS_EN, CORRECT, LEAVE, MARKETING, SERVER, MakeDesk, Office

from subjectline.handlers import inbox, outbox, tasks, timers
from subjectline.handlers.desk import Desk
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.compose import build_mail
from subjectline.intake.mail import MailPolicy
from subjectline.intake.mail_sink import mail_parser
from subjectline.models.incoming import Door

HERE, THERE = "privacy@here.test", "privacy@there.test"
MARKS = re.compile(rb"^(?:auto-submitted|x-subjectline):[^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)
SHORT = ("", CORRECT, "yes", "123456")  # what the relay writes above each letter
MORE = (ACCESS, ACCESS_EN, MARKETING, LEAVE, "네, 맞습니다.", "동의합니다")
WORDS = [*SHORT, *(pytest.param(words, marks=pytest.mark.long) for words in MORE)]


def at(office: Office, address: str) -> Office:
    """The office under another address of its own."""
    desk: Desk = replace(office.desk, manner=replace(office.desk.manner, address=address))
    return replace(office, desk=desk)


class Relay:
    """Carries letters between two desks, and takes off what it likes."""

    def __init__(
        self, here: Office, there: Office, strips: dict[str, re.Pattern[bytes]], words: str
    ) -> None:
        self.desks = {HERE: here, THERE: there}
        self.strips = strips
        self.words = words
        self.carried: list[str] = []
        self._done = {HERE: 0, THERE: 0}

    async def carry(self, most: int = 12) -> int:
        """Until nothing is left to carry, or far too much was; how many letters there were."""
        moved = True
        while moved and len(self.carried) < most:
            moved = False
            for sender, office in self.desks.items():
                fresh = office.tray.parcels[self._done[sender] :]
                self._done[sender] += len(fresh)
                for parcel in fresh:
                    await self._bring(sender, parcel)
                    moved = True
        return len(self.carried)

    async def _bring(self, sender: str, parcel: Parcel) -> None:
        self.carried.append(sender)
        to = THERE if sender == HERE else HERE
        raw = self.bytes_of(sender, parcel)
        if sender in self.strips:
            raw = self.strips[sender].sub(b"", raw)
        await arrives(self.desks[to], to, sender, raw)

    def bytes_of(self, sender: str, parcel: Parcel) -> bytes:
        return build_mail(
            from_address=sender, to=parcel.recipient, subject=parcel.subject,
            text=f"{self.words}\n\n{parcel.text}" if self.words else parcel.text, html=parcel.html,
            message_id=parcel.message_id, sent_at=self.desks[sender].clock(),
            in_reply_to=parcel.in_reply_to, references=parcel.references, reply_to=parcel.reply_to,
        )  # fmt: skip


async def arrives(office: Office, to: str, sender: str, raw: bytes) -> None:
    domain = sender.rpartition("@")[2]
    results = f"Authentication-Results: {SERVER}; dmarc=pass header.from={domain}\r\n"
    await office.arrives(results.encode() + raw, work=False)
    parsers = {Door.MAIL: mail_parser(MailPolicy((SERVER,), (to,)))}
    while (
        await inbox.once(office.desk, parsers)
        + await tasks.once(office.desk)
        + await outbox.once(office.desk, office.senders)
    ):
        pass


def begin(words: str) -> bytes:
    """Somebody who may write from the other desk's address starts it."""
    head = f"From: {THERE}\r\nTo: {HERE}\r\nMessage-ID: <start@there.test>\r\n"
    kind = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return (head + kind + f"{words}\r\n").encode()


@pytest.mark.parametrize("adds", WORDS)
@pytest.mark.parametrize("stripped", ["one", "both"])
async def test_two_desks_exchange_at_most_two_mails(
    make_desk: MakeDesk, adds: str, stripped: str
) -> None:
    here, there = at(await make_desk(), HERE), at(await make_desk(), THERE)
    strips = {HERE: MARKS} | ({THERE: MARKS} if stripped == "both" else {})
    relay = Relay(here, there, strips, adds)
    await arrives(here, HERE, THERE, begin(ACCESS))
    assert await relay.carry() <= 2
    at_once = len(relay.carried)
    for _ in range(15):
        for office in (here, there):
            office.clock.advance(timedelta(days=1))
            await timers.sweep(office.desk)
            await outbox.once(office.desk, office.senders)
        await relay.carry()
    # What the clock sends to the one who asked (reminder, lapse) is answered by nobody.
    assert set(relay.carried[at_once:]) <= {HERE}
    assert len(relay.carried) <= at_once + 3
