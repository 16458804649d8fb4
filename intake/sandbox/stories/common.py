"""Steps that many stories share: the gate is asked, letters arrive, an agent approves."""

import re
from collections.abc import Callable

from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.story import Facts, Scene, Step, expect
from subjectline.intake.sandbox.systems import Answer
from subjectline.intake.sandbox.telegram_emulator import Message
from subjectline.intake.web import catalogue
from subjectline.models.datamap import Bilingual
from subjectline.models.tables import Request

REFERENCE = re.compile(r"\bSL-[0-9A-Z*~$=]{9}")
CODE = re.compile(r"(?<![\dA-Za-z_-])\d{6}(?![\dA-Za-z_-])")
YES = {"ko": "네", "en": "yes"}
PATIENCE = 20.0  # seconds until a step counts as not seen


async def ask(scene: Scene, system: str) -> tuple[Answer, Facts]:
    """One of the company's systems asks the gate over HTTP; the answer and the words about it."""
    answer = await scene.stage.systems.ask(system, scene.member)
    labels = scene.stage.desk.data_map.callers[system].labels
    return answer, {
        "system": labels,
        "values": shown_values(answer),
        "reason": reason(answer),
        "why": why(answer),
    }


def shown_values(answer: Answer) -> str:
    return " · ".join(str(value) for value in answer.values.values() if value)


def reason(answer: Answer) -> str:
    return ", ".join(answer.reasons)


def why(answer: Answer) -> Bilingual:
    """The reasons in words, in both languages."""
    keys = [f"reason.{one}" for one in answer.reasons]
    words = [catalogue("sandbox").get(key, {"ko": key, "en": key}) for key in keys]
    ko, en = (" ".join(each[language] for each in words) for language in ("ko", "en"))
    return Bilingual(ko=ko or "-", en=en or "-")


def label(scene: Scene, field: str) -> Bilingual:
    return scene.stage.desk.data_map.fields[field].labels


def permitted(key: str, system: str, also: Callable[[Scene, Answer], bool] | None = None) -> Step:
    """The system may use everything that it asks for, and reads it."""

    async def act(scene: Scene) -> Facts:
        answer, told = await ask(scene, system)
        expect(answer.permit, f"{system} was denied: {reason(answer)}")
        expect(also is None or also(scene, answer), f"{system} did not get the expected values")
        return told

    return Step(key, "company", act)


def denied(key: str, system: str, expected: str) -> Step:
    """The system is denied, for the reason expected."""

    async def act(scene: Scene) -> Facts:
        answer, told = await ask(scene, system)
        expect(not answer.permit, f"{system} was permitted")
        expect(expected in answer.reasons, f"{system} was denied for {reason(answer)}")
        return told

    return Step(key, "company", act)


async def next_mail(
    scene: Scene, fits: Callable[[SandboxMail], object] = lambda mail: True
) -> SandboxMail:
    """The next mail in the member's mailbox that fits. Raises TimeoutError."""
    after = scene.notes.get("mail_seen", 0)
    mail = await scene.stage.world.mail.wait_for(
        scene.person.email, lambda each: each.number > after and bool(fits(each)), PATIENCE
    )
    scene.notes["mail_seen"], scene.notes["mail"] = mail.number, mail
    return mail


async def next_line(
    scene: Scene, fits: Callable[[Message], object] = lambda message: True
) -> Message:
    """The bot's next message in the member's chat that fits. Raises TimeoutError."""
    telegram, chat = scene.stage.world.telegram, scene.stage.cast.chat_of(scene.person)
    after = scene.notes.get("line_seen", 0)

    def look() -> Message | None:
        lines = telegram.from_bot(chat, after)
        return next((line for line in lines if fits(line)), None)

    line = await telegram.until(look, PATIENCE)
    assert line is not None
    scene.notes["line_seen"], scene.notes["line"] = line.message_id, line
    return line


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def found_reference(scene: Scene, text: str) -> str:
    """The reference in a letter, noted for the steps to come."""
    found = REFERENCE.search(text)
    expect(found, "the letter has no reference")
    assert found is not None
    scene.notes["reference"] = found.group()
    return found.group()


async def request_of(scene: Scene) -> Request:
    """The request that the letters spoke of."""
    for request in await scene.stage.requests():
        if request.reference == scene.notes["reference"]:
            return request
    expect(False, "the desk does not know this reference")
    raise AssertionError


async def in_state(scene: Scene, *states: str) -> Request:
    """Waits until the request is in one of these states. Raises TimeoutError."""

    async def look() -> Request | None:
        request = await request_of(scene)
        return request if request.state in states else None

    found = await scene.stage.pulse.until(look, PATIENCE)
    assert found is not None
    return found


async def _approve(scene: Scene) -> Facts:
    login = "minji" if scene.language == "ko" else "alex"
    await in_state(scene, "proposed")
    await scene.stage.agent(login).approve(scene.notes["reference"])
    request = await in_state(scene, "applying", "done")
    expect(request, "the approval did not count")
    return {"agent": login, "reference": request.reference}


APPROVE = Step("approve", "agents", _approve)
