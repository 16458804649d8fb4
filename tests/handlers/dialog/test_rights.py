"""Each right by chat from /start to the reply, in both languages; and what no line may ever say."""

from collections.abc import Callable

import pytest
from desks import Office
from plain_chats import PlainChat

from subjectline.handlers import audit, decisions
from subjectline.handlers.registry import Registry
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, Person
from subjectline.models.tables import Proposal, Request

Begin = Callable[[str], PlainChat]
NEW = "제주시 견본로 77, 한들빌라 1204호"
BOTH = pytest.mark.parametrize(
    ("app", "who"), [("ko", KO_MEMBER), ("en", EN_MEMBER)], ids=["ko", "en"]
)
# What is pressed after /start, and what is answered once the chat is proven.
RIGHTS: dict[str, tuple[list[str], list[str]]] = {
    "access": (["right:access"], []),
    "portability": (["right:portability"], []),
    "correction": (["right:correction", "field:correction:shipping_address"], [NEW, "1"]),
    "erasure": (["right:erasure", "field:erasure:instagram_id"], []),
    "suspension": (["right:suspension", "field:suspension:*"], []),
    "marketing_withdrawal": (["do:withdraw", "right:marketing_withdrawal"], []),
    "third_party_withdrawal": (["do:withdraw", "right:third_party_withdrawal"], []),
    "membership_withdrawal": (["do:withdraw", "right:membership_withdrawal"], ["1"]),
}


QUICK = ("access", "correction", "marketing_withdrawal")  # the others go the same ways


async def approved(chat: PlainChat) -> list[str]:
    """The agents sign what is proposed; what the chat hears then."""
    [open_one] = [p for p in await chat.office.all(Proposal) if p.state == "open"]
    for number in range(1, open_one.needs + 1):
        await decisions.approve(chat.office.desk, open_one.sha256, audit.agent(number))
    return await chat.hears()


async def secrets_of(registry: Registry, who: Person) -> set[str]:
    """Every value that the registry has of a member and that could be told from a common word."""
    known = registry.data_map.fields
    values = await registry.read(who.member, list(known))
    shown = {known[n].display(v, lang) for n, v in values.items() if v for lang in ("ko", "en")}
    plain = {value for value in values.values() if value}
    names = {n for n, field in known.items() if field.validator.kind == "enum"}
    choices = {known[n].display(values[n] or "", lang) for n in names for lang in ("ko", "en")}
    return (
        {value for value in shown | plain if len(value) > 2}
        - choices
        - set(values[n] for n in names)
    )


def tells(line: str, value: str) -> bool:
    """Whether a line has a value, or any five characters of its own in a row."""
    return any(value[at : at + 5] in line for at in range(max(1, len(value) - 4)))


@BOTH
@pytest.mark.parametrize(
    "right", [pytest.param(r, marks=() if r in QUICK else pytest.mark.long) for r in RIGHTS]
)
async def test_a_right_by_chat(
    desk: Office, begin: Begin, right: str, app: str, who: Person
) -> None:
    chat = begin(app)
    secrets = await secrets_of(desk.desk.registry, who)
    assert len(secrets) > 10 and {who.email, who.name} < secrets
    await chat.says("/start")
    presses, answers = RIGHTS[right]
    for data in presses:
        assert data in chat.data, "the button is shown"
        await chat.presses(data)
    await chat.proves(who.email)
    for answer in answers:
        await chat.says(answer)
    [reply] = await approved(chat)
    request = await desk.request()
    assert (request.kind, request.state, request.language) == (right, "done", app)
    assert request.reference in reply
    lines = [text for _, text, _ in chat.sender.lines]
    told = [(value, line) for value in secrets for line in lines if value in line]
    assert told == [], "a value of the registry stands in the chat"
    assert not any(tells(line, NEW) for line in lines), "more than the end of the new value"


@BOTH
async def test_nobody_in_the_registry_proves_an_address_by_mail(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    """The chat tells the way; the answer to the mail is that nothing is held under it."""
    address = f"nobody.{app}@elsewhere.test"
    ask = {
        "ko": "회사가 보관하는 제 개인정보를 열람하고 싶습니다.",
        "en": "Please send me all my data.",
    }
    chat = begin(app)
    await chat.says(ask[app])
    await chat.says(address)
    [way] = await chat.picks({"ko": "메일이", "en": "No mail"}[app])
    assert desk.desk.data_map.company.email in way and not desk.tray.to(address)
    await desk.mail(address, ask[app])
    await desk.mail(address, {"ko": "네", "en": "yes"}[app], answers=desk.last(address))
    [signed] = await desk.all(Proposal)
    await decisions.approve(desk.desk, signed.sha256, audit.agent(1))
    await desk.work()
    held = {"ko": "보관하고 있는 정보가 없습니다", "en": "hold nothing"}[app]
    assert held in desk.last(address).text.replace("\n", " ")


async def test_every_message_is_answered(desk: Office, begin: Begin) -> None:
    """Whatever is written at whatever step: nobody is left without a word."""
    odd = [
        "?",
        "음",
        "ㅋㅋㅋ",
        "no",
        "네",
        "123456",
        "제 이름은 하늘",
        "취소 말고 다른 거",
        "😀",
        "뭐라고요",
    ]
    steps = ["/start", "/correct", "배송지", KO_MEMBER.email, "code", "파도로 12 견본동", "네"]
    chat = begin("ko")
    silent = []
    for number, step in enumerate(steps):
        words = chat.code(KO_MEMBER.email) if step == "code" else step
        assert await chat.says(words)
        said = odd[number] if step not in (KO_MEMBER.email, "파도로 12 견본동") else "음"
        silent += [(step, said)] if not await chat.says(said) else []
    silent += [("at the end", said) for said in odd if not await chat.says(said)]
    assert silent == []
    assert {request.kind for request in await desk.all(Request)} == {"correction"}
