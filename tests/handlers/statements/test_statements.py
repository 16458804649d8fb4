"""A refused correction carries the member's own statement: sealed, shown to agents, in their export."""

import pytest
from browsers import EN, KO, Browser, asks
from desks import ACCESS, ACCESS_EN, Office, agent
from signing import proven, signed
from sqlalchemy import text

from subjectline.handlers import deadlines, decisions, statements
from subjectline.handlers.decisions import AgentDraft
from subjectline.handlers.export import fiveitems, shelf
from subjectline.models.errors import BadInput
from subjectline.models.tables import Request, Statement

WISH = {
    KO: "제 닉네임을 조용한 항구로 바꿔 주세요.",
    EN: "Please change my nickname to quiet harbour.",
}
SAYS = {
    KO: "그렇다면 동의하지 않는다고 기록해 주세요. 조용한 항구가 제 이름입니다.",
    EN: "Then please note that I disagree: quiet harbour is who I am.",
}
WORDS = {KO: "조용한 항구가 제 이름입니다", EN: "quiet harbour is who I am"}
BOTH = pytest.mark.parametrize("who", [KO, EN], ids=["ko", "en"])


def ground() -> str:
    return next(iter(deadlines.refusal_grounds("kr-pipa", "correction")))


async def refused(office: Office, who: str, statement: str = "") -> Request:
    """A correction that agents refuse, with what they entered for the person."""
    request = await proven(office, who, WISH[who])
    version = request.version
    await decisions.send_back(office.desk, request.id or 0, version, agent(), "refuse it")
    wish = AgentDraft("refuse", ground(), "-", statement=statement)
    await decisions.propose(office.desk, request.id or 0, version + 1, agent(), wish)
    return await signed(office)


async def export_says(office: Office, who: str) -> list[str]:
    """The statements in a new export of the member's, as its pages show them."""
    await proven(office, who, ACCESS if who == KO else ACCESS_EN)
    request = await signed(office)
    head = await shelf.head(office.desk, request.id or 0)
    assert head is not None and request.state == "done"
    told = fiveitems.in_words(office.desk, head, request.language)
    places = {table["table"]: number for number, table in enumerate(told.tables)}
    facts = fiveitems.table_facts(told, places["member"])
    label = "닉네임에 대한 본인 의견" if who == KO else "statement on the Nickname"
    return [value for name, value in facts if label in name]


@BOTH
async def test_the_person_writes_it_after_the_refusal(office: Office, who: str) -> None:
    request = await refused(office, who)
    letter = office.last(who)
    invited = "동의하지 않는다고 기록해 주세요" if who == KO else "Please note that I disagree"
    for body in (letter.text, letter.html):
        assert invited in " ".join(body.split())
    await office.mail(who, SAYS[who], answers=letter)
    [kept] = await statements.of_request(office.desk, request.id or 0)
    assert WORDS[who] in kept.text
    assert (kept.fields, kept.door, kept.account) == (("nickname",), "mail", "member")
    assert len(await office.all(Request)) == 1  # it is no new request
    [said] = await export_says(office, who)
    assert WORDS[who] in said


@BOTH
async def test_an_agent_enters_it_when_refusing(office: Office, who: str) -> None:
    request = await refused(office, who, SAYS[who])
    kept = "의견은 그 정보와 함께 보관하고" if who == KO else "Your own statement is kept"
    for body in (office.last(who).text, office.last(who).html):
        assert kept in " ".join(body.split())
    [one] = await statements.of_request(office.desk, request.id or 0)
    assert (one.text, one.door, one.account) == (SAYS[who], "console", "agent:1")
    assert await export_says(office, who) == [SAYS[who]]


async def test_it_is_sealed(office: Office) -> None:
    await refused(office, KO, SAYS[KO])
    async with office.desk.db.read() as session:
        [(raw,)] = (await session.exec(text("SELECT text FROM statement"))).all()  # type: ignore[call-overload]
    assert WORDS[KO].encode() not in bytes(raw)


async def test_one_that_an_agent_entered_anew_replaces_the_first(office: Office) -> None:
    request = await proven(office, KO, WISH[KO])
    for words in ("처음 적은 말", "다시 적은 말"):
        request = await office.request()
        await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "again")
        wish = AgentDraft("refuse", ground(), "-", statement=words)
        await decisions.propose(office.desk, request.id or 0, request.version + 1, agent(), wish)
    found = await statements.of_request(office.desk, request.id or 0)
    assert [one.text for one in found] == ["다시 적은 말"]


async def test_a_forged_mail_leaves_nothing(office: Office) -> None:
    await refused(office, KO)
    await office.mail(KO, SAYS[KO], auth="fail")
    assert await office.all(Statement) == []


async def test_without_a_refusal_it_waits_for_an_agent(office: Office) -> None:
    await office.mail(KO, SAYS[KO])
    assert await office.all(Statement) == []
    assert (await office.conversation()).state == "unsorted"


async def test_only_a_correction_has_one(office: Office) -> None:
    request = await proven(office, KO, "제 휴대전화번호의 처리를 정지해 주세요.")
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "refuse it")
    first = next(iter(deadlines.refusal_grounds("kr-pipa", "suspension")))
    wish = AgentDraft("refuse", first, "-", statement="의견")
    with pytest.raises(BadInput, match="statement"):
        await decisions.propose(office.desk, request.id or 0, request.version + 1, agent(), wish)


async def test_agents_read_and_write_it_on_the_page(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, WISH[KO])
    path = f"/requests/{reference}"
    assert "회원의 의견(있으면)" in (await console.get(path)).text
    form = {"outcome": "refuse", "ground": ground(), "note": "-", "statement": SAYS[KO]}
    await console.post(f"{path}/propose", **form)
    page = (await console.get(path)).text
    assert WORDS[KO] in page and "담당자가 받아 적음" in page
    assert "The person&#39;s own statement" in (await second.get(path)).text


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("Please record that I do not agree. My name is right.", True),
        ("I would like you to add my own statement to the file.", True),
        ("제 의견을 함께 보관해 주세요: 생일은 5월 3일이 맞습니다.", True),
        ("사실과 다르다고 적어 주십시오.", True),
        ("I disagree.", False),
        ("Please note my new address.", False),
        ("동의하지 않습니다.", False),
        ("제 주소를 기록해 주세요.", False),
    ],
)
def test_what_is_a_statement(words: str, is_one: bool) -> None:
    assert statements.is_statement(words) is is_one
