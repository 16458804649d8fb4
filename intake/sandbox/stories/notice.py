"""A policy change: refused when too early, made, announced, mailed to every member, each with proof."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from subjectline.handlers import policies
from subjectline.intake.sandbox.browser import AgentBrowser
from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.policies import SamplePolicy, sample_policies
from subjectline.intake.sandbox.story import Facts, Scene, Step, Story, expect
from subjectline.intake.sandbox.systems import active_members
from subjectline.models.regimes import regime_named
from subjectline.models.tables import Notice, NoticeRecipient, PolicyVersion

LONGEST = 120.0  # seconds until the last member has the letter


def story() -> Story:
    steps = (
        Step("too_soon", "agents", _too_soon),
        Step("version", "agents", _version),
        Step("policy_page", "company", _page),
        Step("announce", "agents", _announce),
        Step("everybody", "member", _everybody),
        Step("both_languages", "member", _languages),
        Step("proof_rows", "agents", _proof),
    )
    return Story("notice", "ko", "mail", steps)


def _agent(scene: Scene) -> AgentBrowser:
    return scene.stage.agent("minji")


async def _policy(scene: Scene) -> SamplePolicy:
    """The next version of the sample company's policy, announced today, under a name not taken yet."""
    desk = scene.stage.desk
    zone: ZoneInfo = regime_named(desk.manner.regime).tz
    sample = sample_policies(desk.clock().astimezone(zone).date())[1]
    taken = {version.name for version in await policies.versions(desk)}
    numbers = (str(number) for number in count(int(sample.name)))
    return replace(sample, name=next(name for name in numbers if name not in taken))


def _filled(policy: SamplePolicy, days: int) -> dict[str, str]:
    form = {
        "name": policy.name,
        "announced_on": policy.announced_on.isoformat(),
        "effective_on": (policy.announced_on + timedelta(days=days)).isoformat(),
        "text_ko": policy.text["ko"],
        "text_en": policy.text["en"],
    }
    for number, change in enumerate(policy.changes):
        for part, words in change.items():
            for language, text in words.items():
                form[f"change.{number}.{part}.{language}"] = text
    return form


async def _too_soon(scene: Scene) -> Facts:
    answer = await _agent(scene).press("/notices", "/notices", **_filled(await _policy(scene), 3))
    expect(answer.status_code == 409, f"the console answered {answer.status_code}")
    return {"days": 3, "promised": scene.stage.desk.data_map.company.notice_days}


async def _version(scene: Scene) -> Facts:
    policy = await _policy(scene)
    answer = await _agent(scene).press("/notices", "/notices", **_filled(policy, 10))
    expect(answer.is_redirect, f"the console answered {answer.status_code}")
    scene.notes["version"] = policy.name
    return {"name": policy.name, "effective": policy.effective_on.isoformat()}


async def _page(scene: Scene) -> Facts:
    page = await scene.stage.browser().load(f"/policy/{scene.notes['version']}")
    expect("<h1" in page or "<h2" in page, "the page is empty")
    return {"path": f"/policy/{scene.notes['version']}"}


async def _announce(scene: Scene) -> Facts:
    """The agent sends it; from now on every mailbox is watched."""
    members = active_members(scene.stage.world.company)
    scene.notes["members"] = members
    scene.notes["had"] = {email: len(_mails(scene, email)) for email, _ in members}
    name = scene.notes["version"]
    answer = await _agent(scene).press(f"/notices/{name}", "/announce")
    expect(answer.is_redirect, f"the console answered {answer.status_code}")
    return {"count": len(members)}


def _mails(scene: Scene, email: str) -> list[SandboxMail]:
    return scene.stage.world.mail.mailbox(email)


async def _everybody(scene: Scene) -> Facts:
    had: dict[str, int] = scene.notes["had"]

    async def look() -> bool:
        return all(len(_mails(scene, email)) > before for email, before in had.items())

    await scene.stage.pulse.until(look, LONGEST)
    twice = [each for each, before in had.items() if len(_mails(scene, each)) > before + 1]
    expect(not twice, f"{len(twice)} members got it twice")
    return {"count": len(had)}


async def _languages(scene: Scene) -> Facts:
    """Each member reads it in their own language."""
    wrong = 0
    for email, language in scene.notes["members"]:
        korean = any("가" <= letter <= "힣" for letter in _mails(scene, email)[-1].subject)
        wrong += korean != (language == "ko")
    expect(not wrong, f"{wrong} members got it in the other language")
    spoken = [language for _, language in scene.notes["members"]]
    return {"ko": spoken.count("ko"), "en": spoken.count("en")}


async def _proof(scene: Scene) -> Facts:
    """One row a member says when it left and under which Message-ID."""
    members = len(scene.notes["members"])
    sent = (
        select(func.count())
        .select_from(NoticeRecipient)
        .join(Notice, col(NoticeRecipient.notice_id) == col(Notice.id))
        .join(PolicyVersion, col(Notice.policy_version_id) == col(PolicyVersion.id))
        .where(PolicyVersion.name == scene.notes["version"], NoticeRecipient.outcome == "sent")
    )

    async def look() -> bool:
        async with scene.stage.desk.db.read() as session:
            return (await session.exec(sent)).one() >= members

    await scene.stage.pulse.until(look, LONGEST)
    return {"count": members}
