"""Access: the member's rows behind a one-time page, and nobody else's."""

import re

from subjectline.intake.sandbox.stories import proof
from subjectline.intake.sandbox.stories.common import (
    APPROVE,
    first_line,
    in_state,
    next_line,
    next_mail,
    permitted,
)
from subjectline.intake.sandbox.story import Facts, Scene, Step, Story, expect
from subjectline.intake.sandbox.systems import active_members

ASKED = {
    "ko": ("개인정보 열람", "제가 맡긴 개인정보를 모두 보여 주세요."),
    "en": ("My data", "Please send me a copy of all the personal data you hold about me."),
}
LINK = re.compile(r"https?://[^\s<>]+(/m/[A-Za-z0-9_-]+)")


def by_mail(language: str) -> Story:
    subject, text = ASKED[language]
    asking = (proof.write(subject, text), proof.VERIFY, proof.YES_BY_MAIL)
    return _story(language, "mail", asking, _done_by_mail)


def by_chat(language: str) -> Story:
    asking = (proof.say(ASKED[language][1]), proof.ADDRESS, proof.CODE_BY_CHAT)
    return _story(language, "chat", asking, _done_by_chat)


def _story(language: str, door: str, asking: tuple[Step, ...], done: object) -> Story:
    assert callable(done)
    steps = (
        permitted("before", "nightly-export"),
        *asking,
        permitted("not_held", "nightly-export"),
        APPROVE,
        Step("link", "member", done),
        Step("open", "member", _open),
        Step("spent", "member", _spent),
        permitted("unchanged", "nightly-export"),
    )
    return Story(f"access-{language}-{door}", language, door, steps)


async def _done_by_mail(scene: Scene) -> Facts:
    mail = await next_mail(scene, lambda each: LINK.search(each.text))
    return _noted(scene, mail.text)


async def _done_by_chat(scene: Scene) -> Facts:
    line = await next_line(scene, lambda each: LINK.search(each.text))
    return _noted(scene, line.text)


def _noted(scene: Scene, text: str) -> Facts:
    link = LINK.search(text)
    assert link is not None
    scene.notes["link"] = link.group(1)
    row = scene.stage.systems.row(scene.member)
    assert row is not None
    held = (row.values["account_number"], row.values["shipping_address"])
    expect(all(str(value) not in text for value in held), "the letter itself carries the data")
    return {"line": first_line(text)}


async def _open(scene: Scene) -> Facts:
    """The link is opened by one press; the page has the member's rows and no other person's."""
    await in_state(scene, "done")
    browser, link = scene.stage.browser(), scene.notes["link"]
    pressed = await browser.press(link, "")
    expect(pressed.is_redirect, f"the page answered {pressed.status_code}")
    page = await browser.load(link)
    row = scene.stage.systems.row(scene.member)
    assert row is not None
    for field in ("name", "phone", "shipping_address", "account_number"):
        expect(str(row.values[field]) in page, f"the page lacks {field}")
    members = active_members(scene.stage.world.company)
    others = [email for email, _ in members if email != scene.person.email and email in page]
    expect(not others, "the page shows another member's address")
    return {"size": f"{len(page) // 1000} kB"}


async def _spent(scene: Scene) -> Facts:
    """Whoever comes later with the same link gets nothing."""
    status = await scene.stage.browser().status(scene.notes["link"])
    expect(status == 410, f"the link still answers {status}")
    return {"status": status}
