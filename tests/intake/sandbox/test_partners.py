"""The sandbox's recipients: they take what the company signed, drop doubles, and one never answers."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from desks import NOW
from starlette.applications import Starlette
from starlette.routing import Mount

from subjectline.handlers.senders.webhook import Webhooks, headers_of
from subjectline.intake.sandbox.partners import PATH, SILENT, Partners
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.recipient_settings import RecipientSettings

BASE = "http://127.0.0.1:8080"


class Line:
    """The company's webhooks on a line to the partners."""

    def __init__(self, data_map: DataMap) -> None:
        self.clock = FrozenClock(NOW)
        self.partners = Partners(self.clock)
        self.settings: RecipientSettings = self.partners.settings(BASE, data_map)
        self.transport = httpx.ASGITransport(Starlette(routes=[Mount(PATH, self.partners.app)]))
        self.webhooks = Webhooks(5.0, self.clock, self.transport)

    async def tell(self, name: str, number: str = "n1") -> bool:
        return await self.webhooks.post(self.settings.reach[name], number, notice(name, number))


def notice(name: str, number: str) -> dict[str, Any]:
    data = {"member": "1001", "fields": ["phone"], "recipient": name, "values": {"phone": "x"}}
    return {"type": "recipient.corrected", "id": number, "data": data}


@pytest.fixture
def line(sample_map: DataMap) -> Line:
    return Line(sample_map)


async def test_one_acknowledges_and_one_does_not(line: Line) -> None:
    assert await line.tell("post_office") is True
    assert await line.tell(SILENT, "n2") is False
    told = {one.recipient: one.acknowledged for one in line.partners.of("1001")}
    assert told == {"post_office": True, SILENT: False}
    assert line.partners.of("1002") == []


async def test_a_double_is_one_notice_and_answered_the_same(line: Line) -> None:
    assert [await line.tell("post_office") for _ in range(3)] == [True] * 3
    [heard] = line.partners.of("1001")
    assert (heard.times, heard.kind, heard.corrected) == (3, "corrected", True)


async def test_what_the_company_did_not_sign_is_refused(line: Line) -> None:
    reach = line.settings.reach["post_office"]
    body = json.dumps(notice("post_office", "n1")).encode()
    good = headers_of(reach, "n1", line.clock(), body)
    old = headers_of(reach, "n1", line.clock() - timedelta(minutes=6), body)
    wrong = [good | {"webhook-id": "n2"}, old, {}, good | {"webhook-signature": "v1,AAAA"}]
    async with httpx.AsyncClient(transport=line.transport, base_url=BASE) as client:
        for headers in wrong:
            answer = await client.post(reach.webhook, content=body, headers=headers)
            assert answer.status_code == 401
        other = await client.post(reach.webhook, content=body + b" ", headers=good)
        assert other.status_code == 401 and line.partners.of("1001") == []
        assert (await client.post(reach.webhook, content=body, headers=good)).status_code == 200


async def test_the_doctor_finds_them_and_everybody_told_has_a_way(line: Line) -> None:
    assert "aws" not in line.settings.reach and len(line.settings.reach) == 7
    for name, reach in line.settings.reach.items():
        assert (await line.webhooks.doctor(name, reach)).ok
