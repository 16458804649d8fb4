"""A desk that is really killed (SIGKILL) between the commit, the sending of a notice and its noting.

As a program this file is that desk: it sends what is due, and dies before or after the sending.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "plugins"))

from mortal import arm
from told import SECRET, opened, reopened

from subjectline.handlers import recipients_outbox
from subjectline.handlers.recipients_outbox import LEASE, Ways
from subjectline.handlers.senders.webhook import Webhooks
from subjectline.intake.sandbox.company import MAP
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.recipient_settings import Reach, RecipientSettings

POST = "post_office"


class Partner:
    """The post office, on a real line: keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Mapping[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.got.append(json.loads(await reader.readexactly(size)))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()


def reaching(port: int) -> RecipientSettings:
    url = f"http://127.0.0.1:{port}/told"
    return RecipientSettings(reach={POST: Reach.model_validate({"webhook": url, "secret": SECRET})})


@pytest.mark.long
@pytest.mark.parametrize(("when", "before"), [("before", 0), ("after", 1)])
async def test_whenever_it_dies_the_notice_arrives_with_its_own_id(
    proven_once: Path, sample_map: DataMap, tmp_path: Path, when: str, before: int
) -> None:
    partner, folder = Partner(), tmp_path / "desk"
    async with await asyncio.start_server(partner.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await reopened(proven_once, folder, sample_map).office.close()
        child = await asyncio.create_subprocess_exec(
            sys.executable, __file__, str(folder), str(port), when
        )
        assert await child.wait() == -signal.SIGKILL and len(partner.got) == before
        phone = opened(folder, sample_map)
        row = await phone.row(POST)
        assert (row.outcome, row.attempts) == ("due", 1) and row.leased_until is not None
        phone.office.clock.advance(LEASE + timedelta(seconds=1))
        await send(phone.office.desk, phone.office.clock, port)
        assert (await phone.row(POST)).outcome == "sent"
        await phone.office.close()
    assert [one["id"] for one in partner.got] == [row.notice_id] * (before + 1)


async def send(desk: Any, clock: Any, port: int) -> None:
    webhooks = Webhooks(5.0, clock)
    await recipients_outbox.once(replace(desk, recipients=reaching(port)), Ways(webhooks))
    await webhooks.close()


async def main(folder: str, port: str, when: str) -> None:
    office = opened(Path(folder), load_map(MAP)).office
    arm(Webhooks, "post", when)
    await send(office.desk, office.clock, int(port))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
