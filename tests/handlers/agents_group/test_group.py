"""The agents' group on the emulator: cards, presses, and who may do what."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bot_api import TOKEN
from bot_api import api as api
from desks import ACCESS, MakeDesk, Office, agent

from subjectline.handlers import (
    agents_group,
    casefile,
    decisions,
    group_cards,
    inbox,
    telegram_agents,
)
from subjectline.handlers.inbox import Raw
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.intake.sandbox.telegram_emulator import Emulator, Message, create_emulator
from subjectline.intake.telegram_update import press_of
from subjectline.models.errors import BadInput
from subjectline.models.incoming import Door
from subjectline.models.settings import TelegramSection
from subjectline.models.tables import Agent, Approval, Audit, GroupCard, Proposal, Request

GROUP, MINJI, ALEX, MALLORY = -1001, 901, 902, 666
MEMBER = 4711


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    office = await make_desk()
    manner = replace(
        office.desk.manner, agents_group=GROUP, console_url="https://console.moment-pick.example"
    )
    office.desk = replace(office.desk, manner=manner)
    return office


@pytest.fixture
def emulator(office: Office) -> Emulator:
    made = create_emulator(office.clock, TOKEN)
    made.group(GROUP, "담당자", [MINJI, ALEX, MALLORY])
    return made


@pytest.fixture
async def group(office: Office, emulator: Emulator, api: TelegramSection) -> AsyncIterator["Group"]:
    ticks = iter(range(0, 10**6, 70))  # Telegram's pace is tested elsewhere
    sender = TelegramSender(api, monotonic=lambda: next(ticks))
    made = Group(office, emulator, sender)
    for number, user in ((1, MINJI), (2, ALEX)):
        await made.links(user, number)
    yield made
    await sender.close()


class Group:
    """The group with its desk, and hands that press."""

    def __init__(self, office: Office, emulator: Emulator, sender: TelegramSender) -> None:
        self.office, self.emulator, self.sender = office, emulator, sender
        self.seen = 0

    async def works(self) -> None:
        """What waits at Telegram is taken in, then everything is done and shown."""
        for update in self.emulator.pending():
            key, lane = f"telegram:1:{update['update_id']}", "telegram:any"
            body = json.dumps(update).encode()
            raw = Raw(Door.TELEGRAM, key, lane, self.office.clock(), body)
            await inbox.keep(self.office.desk, [raw])
        self.emulator.state.updates.confirm(self.emulator.state.updates.pending)
        await self.office.work()
        while await group_cards.once(self.office.desk, self.sender):
            await self.office.work()

    async def links(self, user: int, number: int) -> None:
        login = ("minji", "alex", "jiho")[number - 1]
        code = await telegram_agents.new_code(self.office.desk, login)
        self.emulator.say(user, f"/agent {code.lower()}")
        await self.works()

    async def proposed(self) -> Proposal:
        """A member asks for their data and proves it; the desk proposes its answer."""
        ((address,),) = await self.office.sql("SELECT email FROM member ORDER BY 1 LIMIT 1")
        await self.office.mail(address, ACCESS)
        if await self.office.state() != "proposed":
            await self.office.mail(address, "네", answers=self.office.last(address))
        await self.works()
        (proposal,) = await self.office.all(Proposal, Proposal.state == "open")
        return proposal

    def card(self) -> Message:
        return self.emulator.from_bot(GROUP)[-1]

    async def press(self, user: int, label: str) -> str:
        """Presses a button of the card; what the presser is told."""
        query = self.emulator.click(user, GROUP, self.card().message_id, label=label)
        await self.works()
        assert query.answered
        return query.text

    async def opens(self, number: int) -> None:
        """An agent opens the request's page in the console."""
        reference = (await self.office.request()).reference
        await casefile.case(self.office.desk, reference, agent(number), bytes_shown=True)


def labels(message: Message) -> list[str]:
    return [key.text for row in message.buttons for key in row]


async def refusals(office: Office) -> list[tuple[str, str]]:
    rows = await office.all(Audit, Audit.outcome == "refused")
    return [(row.account, row.reason) for row in rows]


async def test_a_proposal_appears_without_personal_data(group: Group) -> None:
    await group.proposed()
    card, request = group.card(), await group.office.request()
    assert request.reference in card.text and "개인정보 열람" in card.text
    assert "기한: 2026년 12월 3일" in card.text
    assert labels(card) == ["내가 맡기", "콘솔에서 열기", "반려", "승인"]
    urls = [key.url for row in card.buttons for key in row if key.url]
    assert urls == [f"https://console.moment-pick.example/requests/{request.reference}"]
    assert card.protected and "@" not in card.text
    assert not re.search(r"01\d-?\d{4}", card.text) and str(request.subject_id) not in card.text
    assert all(len(key.data.encode()) <= 64 for row in card.buttons for key in row)


async def test_two_take_it_and_one_wins(group: Group) -> None:
    await group.proposed()
    number = group.card().message_id
    first = group.emulator.click(ALEX, GROUP, number, label="내가 맡기")
    second = group.emulator.click(MINJI, GROUP, number, label="내가 맡기")
    await group.works()
    assert (first.text, first.alert) == ("담당자로 지정되었습니다.", False)
    assert (second.text, second.alert) == ("Alex Moreau 님이 먼저 맡았습니다.", True)
    assert (await group.office.request()).taken_by == 2
    assert "담당: Alex Moreau" in group.card().text
    assert labels(group.card()) == ["콘솔에서 열기", "반려", "승인"]
    assert len(group.emulator.from_bot(GROUP)) == 1  # the card is changed, not written again


async def test_approving_needs_the_bytes_before_ones_eyes(group: Group) -> None:
    proposal = await group.proposed()
    assert "콘솔에서 이 답변을 먼저" in await group.press(MINJI, "승인")
    await group.opens(2)  # somebody else's look does not count
    await casefile.case(group.office.desk, (await group.office.request()).reference, agent(1))
    assert "콘솔에서 이 답변을 먼저" in await group.press(MINJI, "승인")  # nor a page without them
    assert await refusals(group.office) == [("agent:1", "unseen")] * 2
    assert await group.office.all(Approval) == []
    await group.opens(1)
    assert "답변이 나갑니다" in await group.press(MINJI, "승인")
    (signed,) = await group.office.all(Approval)
    assert (signed.agent_id, signed.sha256) == (1, proposal.sha256)
    assert "승인 완료: 서민지" in group.card().text and labels(group.card()) == []
    (card,) = await group.office.all(GroupCard)
    assert card.outcome == "settled"


async def test_a_look_at_an_older_proposal_is_no_look(group: Group) -> None:
    await group.proposed()
    await group.opens(1)
    first = group.card()
    assert "반려했습니다" in await group.press(ALEX, "반려")
    request = await group.office.request()
    group.office.clock.at += timedelta(minutes=1)
    wish = decisions.AgentDraft(outcome="fulfil", note="다시 확인했습니다.")
    await decisions.propose(group.office.desk, request.id or 0, request.version, agent(2), wish)
    await group.works()
    changed = {m.message_id: m for m in group.emulator.from_bot(GROUP)}
    assert "반려: Alex Moreau" in changed[first.message_id].text
    assert "콘솔에서 이 답변을 먼저" in await group.press(MINJI, "승인")


async def test_who_is_no_agent_does_nothing(group: Group) -> None:
    await group.proposed()
    before = await group.office.request()
    for label in ("내가 맡기", "반려", "승인"):
        assert "연결된 텔레그램 계정만" in await group.press(MALLORY, label)
    after = await group.office.request()
    assert (after.version, after.taken_by, after.state) == (before.version, None, "proposed")
    rows = await group.office.all(Audit, Audit.action == "group_press")
    assert [(r.account, r.reason, r.facts["verb"]) for r in rows] == [
        ("nobody", "not_linked", verb) for verb in ("take", "back", "ok")
    ]
    assert {len(r.facts["stranger"]) for r in rows} == {16}
    assert not any(str(MALLORY) in str(r.facts) for r in rows)


async def test_a_button_in_another_chat_counts_for_nothing(group: Group) -> None:
    """An agent's own press, forged into another chat or with another proposal's handle."""
    await group.proposed()
    await group.opens(1)
    (proposal,) = await group.office.all(Proposal)
    good = agents_group.data(group.office.desk, "ok", proposal.id or 0)
    wrong: tuple[tuple[int, str], ...] = (
        (-5, good),
        (MINJI, good),
        (GROUP, "g:ok:0000000000000"),
        (GROUP, "g:ok:x"),
        (GROUP, "g:burn:" + good.rpartition(":")[2]),
        (GROUP, "g:"),
    )
    for number, (chat, data) in enumerate(wrong):
        query: dict[str, Any] = {
            "id": f"q{number}",
            "from": {"id": MINJI, "is_bot": False, "first_name": "M"},
            "message": {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "supergroup"}},
            "data": data,
        }
        assert press_of({"callback_query": query}) == ""
        group.emulator.push({"update_id": 10 + number, "callback_query": query})
    await group.works()
    assert await group.office.all(Approval) == []
    assert (await group.office.request()).state == "proposed"


async def test_a_deed_at_the_console_is_seen_on_the_card(group: Group) -> None:
    proposal = await group.proposed()
    number = group.card().message_id
    await decisions.approve(group.office.desk, proposal.sha256, agent(3))
    await group.works()
    assert "승인 완료: 윤지호" in group.card().text
    with pytest.raises(Exception, match="no such button"):
        group.emulator.click(MINJI, GROUP, number, label="승인")


async def test_a_late_press_is_told_so(group: Group) -> None:
    proposal = await group.proposed()
    await group.opens(1)
    query = group.emulator.click(MINJI, GROUP, group.card().message_id, label="승인")
    await decisions.approve(group.office.desk, proposal.sha256, agent(3))
    await group.works()
    assert query.text.startswith("그사이 상태가 바뀌었습니다.") and query.alert
    assert len(await group.office.all(Approval)) == 1


async def test_a_press_that_comes_twice_signs_once(group: Group) -> None:
    await group.proposed()
    await group.opens(1)
    group.emulator.click(MINJI, GROUP, group.card().message_id, label="승인")
    (update,) = group.emulator.pending()
    await group.works()
    group.emulator.push(update)
    group.emulator.push({**update, "update_id": update["update_id"] + 1})
    await group.works()
    assert len(await group.office.all(Approval)) == 1


async def test_a_group_that_cannot_be_written_to_is_tried_again(group: Group) -> None:
    group.emulator.fault("flood", "sendMessage", chat=GROUP, retry_after=40)
    await group.proposed()
    assert group.emulator.from_bot(GROUP) == []
    group.office.clock.at += timedelta(seconds=39)
    await group.works()
    assert group.emulator.from_bot(GROUP) == []
    group.office.clock.at += timedelta(seconds=2)
    await group.works()
    assert len(group.emulator.from_bot(GROUP)) == 1


async def test_a_deleted_card_is_let_go(group: Group) -> None:
    await group.proposed()
    group.emulator.state.world.remove(GROUP, group.card().message_id)
    await decisions.take(group.office.desk, (await group.office.request()).id or 0, agent(1))
    await group.works()
    (card,) = await group.office.all(GroupCard)
    assert (card.outcome, card.reason) == ("failed", "deleted")


async def test_an_account_is_linked_by_a_code_that_is_used_once(group: Group) -> None:
    desk, emulator = group.office.desk, group.emulator
    code = await telegram_agents.new_code(desk, "jiho")
    said = emulator.say(777, f"/agent {code}")
    await group.works()
    assert [m.text for m in emulator.messages(777)] == ["윤지호 님의 계정으로 연결되었습니다."]
    assert said.message_id not in [m.message_id for m in emulator.messages(777)]
    emulator.say(MALLORY, f"/agent {code}")
    await group.works()
    assert "연결 코드가 맞지 않거나" in emulator.from_bot(MALLORY)[-1].text
    late = await telegram_agents.new_code(desk, "jiho")
    group.office.clock.at += timedelta(minutes=10)
    emulator.say(MALLORY, f"/agent {late}")
    await group.works()
    linked = {a.login: a.telegram_id for a in await group.office.all(Agent)}
    assert linked == {"minji": str(MINJI), "alex": str(ALEX), "jiho": "777"}
    assert await group.office.messages() == []  # nothing of it is kept in a conversation
    with pytest.raises(BadInput, match="no such agent"):
        await telegram_agents.new_code(desk, "nobody")


async def test_an_account_is_let_go_and_goes_over(group: Group) -> None:
    await group.links(MINJI, 3)
    linked = {a.login: a.telegram_id for a in await group.office.all(Agent)}
    assert (linked["minji"], linked["jiho"]) == (None, str(MINJI))
    await telegram_agents.unlink(group.office.desk, "jiho")
    await group.proposed()
    assert "연결된 텔레그램 계정만" in await group.press(MINJI, "내가 맡기")


async def test_without_a_group_nothing_is_shown(group: Group) -> None:
    manner = replace(group.office.desk.manner, agents_group=0)
    group.office.desk = replace(group.office.desk, manner=manner)
    await group.proposed()
    assert await group.office.all(GroupCard) == []
    assert [r.state for r in await group.office.all(Request)] == ["proposed"]
