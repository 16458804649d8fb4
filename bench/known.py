"""Known against unknown: `python -m bench.known --json [--tries N]`, only reported.

Whether the time until the desk's answer stands in the outbox tells if an address is registered. By chat
strangers name addresses, every other one a member's; by mail every other sender is one. `ours` is how often
a guess by time would be right (the area under the ROC curve: 0.5 says nothing, 1 says all), without the
network, the other mails of a batch and Telegram's second between two messages, which only hide more.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from math import sqrt
from pathlib import Path

from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw
from subjectline.intake import plain_chat
from subjectline.intake.mail import MailPolicy
from subjectline.intake.mail_sink import mail_parser
from subjectline.intake.sandbox.company import people
from subjectline.intake.sandbox.world import DESK_ADDRESS, World, make_world
from subjectline.intake.setup import close_desk
from subjectline.models.incoming import Door

TRIES, WARM = 2000, 40
ASKS = "내 정보를 모두 보여 주세요."
PARSERS = {Door.PLAIN: plain_chat.parse, Door.MAIL: mail_parser(MailPolicy((), (DESK_ADDRESS,)))}
Times = tuple[list[float], list[float]]  # seconds for known addresses, and for unknown ones


async def measured(door: Door, tries: int) -> Times:
    """The answers to this many addresses, known and unknown in turn, at a desk of their own."""
    members = people()
    times: Times = ([], [])
    with tempfile.TemporaryDirectory() as home:
        world = await make_world(Path(home), 0)
        try:
            for number in range(tries + WARM):
                if number % len(members) == 0:
                    world.clock.advance(timedelta(days=1))  # no limit of codes for one member
                known, place = number % 2 == 0, number // 2 % len(members)
                who = members[place].email if known else f"n{place}@none.test"  # both come again
                took = await _asked(world.desk, door, number, who)
                if number >= WARM:
                    times[not known].append(took)
        finally:
            await _end(world)
    return times


async def _asked(desk: Desk, door: Door, number: int, address: str) -> float:
    """Seconds until what follows from the address is committed, its letters in the outbox."""
    if door is Door.PLAIN:
        await inbox.keep(desk, [plain_chat.raw(f"p{number}", 1, desk.clock(), ASKS)])
        await inbox.once(desk, PARSERS)
        raw = plain_chat.raw(f"p{number}", 2, desk.clock(), address)
    else:
        raw = _mail(desk, number, address)
    await inbox.keep(desk, [raw])
    begun = time.perf_counter()
    await inbox.once(desk, PARSERS)
    return time.perf_counter() - begun


def _mail(desk: Desk, number: int, address: str) -> Raw:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = address, DESK_ADDRESS, f"<{number}@mail.test>"
    mail.set_content(ASKS)
    return Raw(Door.MAIL, f"mail:known:{number}", "mail:known", desk.clock(), mail.as_bytes())


async def _end(world: World) -> None:
    await world.close()
    for close in world.parts.closers:
        await close()
    await close_desk(world.desk)


def told_apart(known: Sequence[float], unknown: Sequence[float]) -> float:
    """How often the slower of a known and an unknown one is the known one; ties are halves."""
    ranks = sorted(unknown)
    wins = sum((bisect_left(ranks, one) + bisect_right(ranks, one)) / 2 for one in known)
    return wins / (len(known) * len(unknown))


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t, without the tenth that took longest on either side (the machine's other work)."""
    a, b = (sorted(each)[: int(len(each) * 0.9)] for each in (one, other))
    spread = statistics.variance(a) / len(a) + statistics.variance(b) / len(b)
    return (statistics.fmean(a) - statistics.fmean(b)) / sqrt(spread)


async def report(tries: int) -> None:
    for name, door in (("chat", Door.PLAIN), ("mail", Door.MAIL)):
        known, unknown = await measured(door, tries)
        apart, t = told_apart(known, unknown), welch(known, unknown)
        middle = [statistics.median(each) * 1000 for each in (known, unknown)]
        note = (
            f"{tries} addresses; medians {middle[0]:.2f} ms known, {middle[1]:.2f} ms unknown; "
            f"Welch's t {t:.1f}"
        )
        line = {"case": f"known/{name}", "ours": round(apart, 3), "peer": None, "unit": "auc"}
        print(json.dumps({**line, "ratio": None, "note": note}), flush=True)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true", help="the only form there is")
    asked.add_argument("--tries", type=int, default=TRIES)
    asyncio.run(report(asked.parse_args().tries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
