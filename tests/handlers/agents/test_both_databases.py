"""What the pages read and write, on SQLite and on PostgreSQL alike."""

import pytest
from browsers import KO, PASSWORD, asks
from desks import MakeDesk, agent

from subjectline.handlers import agents, casefile, links, policies, queries
from subjectline.models.errors import NotPermitted, SpentProof

ADDRESS = "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_url(request: pytest.FixtureRequest) -> str:
    """Where the desk's own database is."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_desk"))


async def test_the_road_of_the_pages(make_desk: MakeDesk, desk_url: str) -> None:
    office = await make_desk(desk_url)
    desk = office.desk
    login = f"on-{desk.db.url.get_backend_name()}"
    await agents.add(desk, login, "Test", PASSWORD)
    signed = await agents.sign_in(desk, login, PASSWORD)
    assert (await agents.session_of(desk, signed.token)) is not None
    with pytest.raises(NotPermitted):
        await agents.sign_in(desk, login, "not the password")

    reference = await asks(office, KO, ADDRESS)
    assert reference in [row.reference for row in (await queries.queue(desk)).rows]
    found = await queries.find(desk, KO, agent())
    assert reference in [row.reference for row in found.rows]

    case = await casefile.case(desk, reference, signed.actor)
    assert case.proposal is not None and case.held and case.history
    assert case.wish_new["shipping_address"].startswith("서울특별시")
    assert (await casefile.talk(desk, case.conversation, signed.actor)).messages

    async with desk.write() as session:
        token = await links.make(session, desk, case.id)
    assert await links.ready(desk, token)
    opened = await links.spend(desk, token)
    assert (await links.again(desk, token, opened.cookie)).reference == reference
    with pytest.raises(SpentProof):
        await links.spend(desk, token)
    assert await policies.mailings(desk) is not None
