"""Requests put straight into a state, on SQLite and on PostgreSQL."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from desks import NOW, MakeDesk, Office

from subjectline.handlers import holds
from subjectline.models.tables import Conversation, Proposal, Request
from subjectline.models.workflow import FINAL

MEMBER = "1001"
BEFORE_PROOF = ("received", "verifying")
Put = Callable[..., Awaitable[Request]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def where(request: pytest.FixtureRequest) -> str:
    """Nothing for files of the test's own, or the PostgreSQL desk that a worker's tests share."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_desk"))


@pytest.fixture
async def office(where: str, make_desk: MakeDesk) -> Office:
    return await make_desk(url=where)


@pytest.fixture
def put(office: Office) -> Put:
    """`await put("open")`: a correction of the address in a state, with its hold and proposal."""

    async def make(state: str, kind: str = "correction") -> Request:
        desk = office.desk
        key = desk.vault.make_key(f"test:{secrets.token_hex(8)}", NOW)
        async with desk.db.write() as session:
            talk = Conversation(
                door="mail",
                contact_kind="email",
                contact_index=secrets.token_bytes(8),
                contact=desk.vault.seal(key, "conversation.contact", "someone@mail.test"),
                key_id=key,
                made_at=NOW,
                last_at=NOW,
            )
            session.add(talk)
            await session.flush()
            known = state not in BEFORE_PROOF
            request = Request(
                reference=f"SL-{secrets.token_hex(5)}",
                group_id=secrets.token_hex(8),
                conversation_id=talk.id or 0,
                kind=kind,
                state=state,
                version=3,
                registry_id="moment-pick" if known else None,
                subject_id=MEMBER if known else None,
                level="contact" if known else "claimed",
                fields=["shipping_address"],
                wish=desk.vault.seal(key, "request.wish", "{}"),
                key_id=key,
                arrived_at=NOW,
                due_at=NOW + timedelta(days=10),
                due_on="2026-12-03",
            )
            session.add(request)
            await session.flush()
            number = request.id or 0
            if state == "proposed" or state == "applying":
                session.add(_proposal(request, "open" if state == "proposed" else "approved"))
            if state not in ("received", *FINAL):
                plan = holds.holds_for(kind, ("shipping_address",), (), desk.data_map)
                strength = "provisional" if state == "verifying" else "firm"
                await holds.place(session, number, "moment-pick", MEMBER, plan, strength, NOW)
            return request

    return make


def _proposal(request: Request, state: str) -> Proposal:
    return Proposal(
        request_id=request.id or 0,
        sha256=secrets.token_hex(32),
        outcome="fulfil",
        drafted_by="system",
        made_at=NOW,
        state=state,
    )
