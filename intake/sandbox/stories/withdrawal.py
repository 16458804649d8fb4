"""Withdrawal of the marketing consent: held at once, done with one signature, and it stays so."""

from subjectline.intake.sandbox.stories import proof
from subjectline.intake.sandbox.stories.common import (
    APPROVE,
    PATIENCE,
    denied,
    first_line,
    next_line,
    next_mail,
    permitted,
)
from subjectline.intake.sandbox.story import Facts, Scene, Step, Story, expect

ASKED = {
    "ko": ("광고 수신 거부", "광고 메일 수신 동의를 철회합니다."),
    "en": ("No more advertising", "I withdraw my consent to marketing emails."),
}


def by_mail(language: str) -> Story:
    """An authenticated mail from the registered address suffices: one mail of the member in all."""
    asking = (proof.write(*ASKED[language]), proof.ACK_BY_MAIL)
    return _story(language, "mail", asking, Step("done", "member", _done_by_mail))


def by_chat(language: str) -> Story:
    asking = (proof.say(ASKED[language][1]), proof.ADDRESS, proof.CODE_BY_CHAT)
    return _story(language, "chat", asking, Step("done", "member", _done_by_chat))


def _story(language: str, door: str, asking: tuple[Step, ...], done: Step) -> Story:
    steps = (
        permitted("before", "marketing-mailer"),
        *asking,
        denied("held", "marketing-mailer", "consent_withdrawn"),
        APPROVE,
        Step("consent_row", "company", _row),
        done,
        denied("stays", "marketing-mailer", "consent_withdrawn"),
        permitted("others_go_on", "nightly-export"),
    )
    return Story(f"withdrawal-{language}-{door}", language, door, steps)


async def _row(scene: Scene) -> Facts:
    """The consents are withdrawn and the member is off the mailing list."""

    async def look() -> bool:
        row = scene.stage.systems.row(scene.member)
        return row is not None and not row.marketing and not row.listed

    await scene.stage.pulse.until(look, PATIENCE)
    row = scene.stage.systems.row(scene.member)
    expect(row is not None and row.third_party, "another consent was withdrawn as well")
    return {"consent": scene.stage.desk.data_map.consents["marketing"].labels}


async def _done_by_mail(scene: Scene) -> Facts:
    mail = await next_mail(scene, lambda each: scene.notes["reference"] in each.subject)
    return {"line": first_line(mail.text)}


async def _done_by_chat(scene: Scene) -> Facts:
    return {"line": first_line((await next_line(scene)).text)}
