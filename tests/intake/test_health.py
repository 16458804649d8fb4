"""Each mailbox is a door of its own; what is wrong is told inside and not to everybody."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from desks import DESK, MakeDesk, letter
from servers import free_port
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.intake.health import Watched, health_routes
from subjectline.intake.mailbox import MailboxStatus
from subjectline.intake.serve import _name
from subjectline.models.mail_settings import SmtpSettings
from subjectline.models.settings import Settings


def settings(*boxes: dict[str, Any]) -> Settings:
    smtp = {"host": "smtp.desk.test", "from_address": "privacy@desk.test"}
    known: dict[str, Any] = {"registry": {"map": Path("map.yaml")}, "smtp": smtp}
    return Settings(**known, mailboxes=boxes)


@pytest.mark.parametrize(
    ("boxes", "names"),
    [
        ([("h.test", "a", "INBOX"), ("h.test", "b", "INBOX")], ["mailbox a", "mailbox b"]),
        (
            [("h.test", "a", "INBOX"), ("i.test", "a", "INBOX")],
            ["mailbox a at h.test", "mailbox a at i.test"],
        ),
        (
            [("h.test", "a", "INBOX"), ("h.test", "a", "Old")],
            ["mailbox a@h.test/INBOX", "mailbox a@h.test/Old"],
        ),
    ],
)
def test_mailboxes_are_told_apart(boxes: list[tuple[str, str, str]], names: list[str]) -> None:
    given = settings(*({"host": h, "user": u, "folder": f} for h, u, f in boxes))
    assert [_name(box, given) for box in given.mailboxes] == names


def reached(*routes: BaseRoute) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://desk.test")


async def test_one_mailbox_down_is_named_with_its_reason(make_desk: MakeDesk) -> None:
    office = await make_desk()
    well = MailboxStatus(connected=True, kept=7)
    ill = MailboxStatus(last_error="imap.desk.test refused the token of b.")
    doors = [Watched("mailbox a", well), Watched("mailbox b", ill)]
    async with reached(*health_routes(office.desk, doors)) as inside:
        told = await inside.get("/healthz")
        assert told.status_code == 503
        assert told.json()["down"] == ["mailbox b"]
        assert told.json()["why"] == {"mailbox b": "imap.desk.test refused the token of b."}
        figures = (await inside.get("/metrics")).text
        assert 'subjectline_door_up{door="mailbox b"} 0' in figures
        assert 'subjectline_door_kept_total{door="mailbox a"} 7' in figures
    async with reached(*health_routes(office.desk, doors, figures=False)) as outside:
        assert "why" not in (await outside.get("/healthz")).json()
        assert (await outside.get("/metrics")).status_code == 404


async def test_a_dead_mail_server_is_seen_before_a_letter_fails(make_desk: MakeDesk) -> None:
    office = await make_desk()
    smtp = {"host": "127.0.0.1", "port": free_port(), "tls": "none", "from_address": DESK}
    out = SmtpSender(SmtpSettings.model_validate(smtp), clock=office.clock)
    async with reached(*health_routes(office.desk, [Watched("smtp", out.status)])) as inside:
        assert (await inside.get("/healthz")).json() == {
            "ok": True, "down": [], "doors": ["smtp"], "why": {}, "since": {},
        }  # fmt: skip
        await out.look()
        told = await inside.get("/healthz")
    assert told.status_code == 503 and told.json()["down"] == ["smtp"]
    assert told.json()["since"] == {"smtp": office.clock().isoformat()}


async def test_each_intake_rule_is_counted(make_desk: MakeDesk) -> None:
    office = await make_desk()
    raw = letter("a@mail.test", "정산은 언제 되나요?")
    await office.arrives(raw)
    await office.arrives(raw)
    async with reached(*health_routes(office.desk, [])) as inside:
        figures = (await inside.get("/metrics")).text
    assert 'subjectline_messages_total{rule="person",outcome="handle"} 1' in figures
    assert "subjectline_recipients_unanswered 0\nsubjectline_recipients_late 0\n" in figures
    assert 'subjectline_messages_total{rule="duplicate",outcome="attach"} 1' in figures
