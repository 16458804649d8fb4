"""A correction: held from the proof on, approved by an agent, written, and in use again."""

from subjectline.intake.sandbox.samples import invented
from subjectline.intake.sandbox.stories import proof
from subjectline.intake.sandbox.stories.common import (
    APPROVE,
    PATIENCE,
    denied,
    first_line,
    label,
    next_line,
    next_mail,
    permitted,
)
from subjectline.intake.sandbox.story import Facts, Scene, Step, Story, expect
from subjectline.intake.sandbox.systems import parcel_address

MAIL = {
    "ko": ("배송지 변경", "제 배송지를 {value}으로 바꿔 주세요.", "부산시 수영구 파도로 {n}, 3층"),
    "en": (
        "My shipping address",
        "Please change my shipping address to {value}.",
        "{n} Padoro, 3rd floor, Suyeong-gu, Busan",
    ),
}
CHAT = {
    "ko": ("제 인스타그램 아이디를 {value} 로 바꿔 주세요.", "{handle}.{n}"),
    "en": ("Please change my Instagram ID to {value}", "{handle}.{n}"),
}


def by_mail(language: str) -> Story:
    """Two mails of the member; the nightly export is the system that wants the address."""
    subject, text, value = MAIL[language]
    steps = (
        _begin("nightly-export", "shipping_address", value),
        proof.write(subject, text),
        proof.VERIFY,
        denied("held_at_once", "nightly-export", "held"),
        proof.YES_BY_MAIL,
        denied("held", "nightly-export", "held"),
        APPROVE,
        Step("row", "company", _row),
        Step("done", "member", _done_by_mail),
        _end("nightly-export", "shipping_address"),
    )
    return Story(f"correction-{language}-mail", language, "mail", steps)


def by_chat(language: str) -> Story:
    """A code to the registered address, and the value read back once; the buyers' API wants the name."""
    text, value = CHAT[language]
    steps = (
        _begin("buyer-api", "instagram_id", value),
        proof.say(text),
        proof.ADDRESS,
        proof.CODE_BY_CHAT,
        denied("held", "buyer-api", "held"),
        Step("read_back", "member", _read_back),
        APPROVE,
        Step("row", "company", _row),
        Step("done", "member", _done_by_chat),
        _end("buyer-api", "instagram_id"),
    )
    return Story(f"correction-{language}-chat", language, "chat", steps)


def _begin(system: str, field: str, pattern: str) -> Step:
    """Before anything: permitted, with the old value. The new one is invented here."""
    asked = permitted("before", system)

    async def act(scene: Scene) -> Facts:
        row = scene.stage.systems.row(scene.member)
        assert row is not None
        scene.notes |= {"field": field, "old": row.values[field]}
        scene.notes["value"] = invented(pattern, scene.person)
        return await asked.act(scene)

    return Step("before", "company", act)


def _end(system: str, field: str) -> Step:
    return permitted(
        "after", system, lambda scene, answer: answer.values[field] == scene.notes["value"]
    )


async def _row(scene: Scene) -> Facts:
    """The row and its copy in another table, read from the company's database."""
    field, value, world = scene.notes["field"], scene.notes["value"], scene.stage.world

    async def look() -> bool:
        row = scene.stage.systems.row(scene.member)
        return row is not None and row.values[field] == value

    await scene.stage.pulse.until(look, PATIENCE)
    if field == "shipping_address":
        copy = parcel_address(world.company, scene.member)
        expect(copy == value, "the parcel that is being packed still has the old address")
    return {"field": label(scene, field), "old": scene.notes["old"] or "–", "value": value}


async def _read_back(scene: Scene) -> Facts:
    """The bot shows the end of the new value; one press of a button says that it is right."""
    line = scene.notes["line"]
    if not line.buttons:
        line = await next_line(scene, lambda each: each.buttons)
    expect(scene.notes["value"] not in line.text, "the whole value stands in the chat")
    scene.stage.cast.press(scene.person, line.message_id, line.buttons[0][0].data)
    return {"line": first_line(line.text)}


async def _done_by_mail(scene: Scene) -> Facts:
    mail = await next_mail(scene, lambda each: scene.notes["reference"] in each.subject)
    expect(scene.notes["value"] in " ".join(mail.text.split()), "the letter lacks the new value")
    return {"line": first_line(mail.text)}


async def _done_by_chat(scene: Scene) -> Facts:
    end = scene.notes["value"][-4:]  # other lines may come before the one that tells the deed
    line = await next_line(scene, lambda each: end in each.text)
    expect(scene.notes["value"] not in line.text, "the whole value stands in the chat")
    return {"line": first_line(line.text)}
