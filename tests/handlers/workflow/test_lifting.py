"""Where the law asks, a firm hold ends only after its person was told (DESIGN, promise 4; GDPR 18(3))."""

from dataclasses import replace

from desks import CORRECT, NOW, Office
from signing import proven, signed

from subjectline.handlers import lifting
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import TemporarySendError
from subjectline.models.tables import Hold

ME = KO_MEMBER.email


async def test_it_ends_once_the_letter_has_left(office: Office) -> None:
    office.desk = replace(office.desk, manner=replace(office.desk.manner, regime="eu-gdpr"))
    request = await proven(office, ME, CORRECT)
    assert request.regime == "eu-gdpr"
    away = TemporarySendError("the server is away")
    office.tray.wrong = [away]
    request = await signed(office)
    assert request.state == "done" and [h.ended_at for h in await office.holds()] == [None]
    assert not await _may(office)
    office.clock.advance(lifting.LOOK)
    await office.work()
    assert request.state == "done" and await _may(office)
    [hold] = await office.all(Hold)
    assert (hold.end_cause, hold.kind) == ("told", "firm")
    sent = [letter for letter in await office.letters() if letter == "done"]
    assert sent == ["done"] and hold.ended_at is not None and hold.ended_at > NOW


async def _may(office: Office) -> bool:
    asked = ("nightly-export", "1001", ["shipping_address"], "delivery", "post_office")
    return (await office.desk.gate.decide(*asked)).permit
