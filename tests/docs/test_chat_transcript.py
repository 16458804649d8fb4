"""The conversations in docs/chat.md are played, line by line."""

import re
from pathlib import Path

import pytest
from desks import MakeDesk
from plain_chats import PlainChat

from subjectline.handlers import audit, decisions
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.tables import Proposal

PAGE = Path(__file__).parents[2] / "docs" / "chat.md"
BLOCK = re.compile(r"^```(?P<app>ko|en)-chat\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
WHO = {"ko": KO_MEMBER, "en": EN_MEMBER}
CODE, SIGNED = "{code}", "(an agent approves)"


def blocks() -> list[tuple[str, str]]:
    found = BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    return [(block["app"], block["lines"].strip()) for block in found]


def steps(lines: str) -> list[str]:
    """What the member does, in order: each line that begins with `> `, and the agent's word."""
    return [line for line in lines.split("\n") if line.startswith("> ") or line == SIGNED]


def settled(text: str) -> str:
    """Without what differs each time: references, codes, links."""
    text = re.sub(r"SL-[0-9A-Z]{9}", "SL-7K3M9QXD4", text)
    return re.sub(r"https?://\S+/m/\S+", "https://privacy.moment-pick.example/m/…", text)


async def play(chat: PlainChat, step: str) -> None:
    if step == SIGNED:
        chat.transcript.append(SIGNED)
        for proposal in await chat.office.all(Proposal):
            if proposal.state == "open":
                await decisions.approve(chat.office.desk, proposal.sha256, audit.agent(1))
        await chat.hears()
        return
    words = step.removeprefix("> ")
    if words == CODE:
        await chat.says(chat.code(WHO[chat.app].email))
        at = max(i for i, line in enumerate(chat.transcript) if line.startswith("> "))
        chat.transcript[at] = step
    elif words.startswith("["):
        await chat.picks(words.strip("[]"))
    else:
        await chat.says(words)


def test_there_is_one_in_each_language() -> None:
    assert {app for app, _ in blocks()} == {"ko", "en"}


@pytest.mark.parametrize(("app", "lines"), blocks(), ids=[app for app, _ in blocks()])
async def test_the_bot_says_what_the_page_says(make_desk: MakeDesk, app: str, lines: str) -> None:
    chat = PlainChat(await make_desk(), app)
    for step in steps(lines):
        await play(chat, step)
    assert settled("\n\n".join(chat.transcript)) == settled(lines)
