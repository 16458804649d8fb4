"""How a member asks and proves who they are: by two mails, or by a code in the chat."""

from subjectline.intake.sandbox.stories.common import (
    CODE,
    YES,
    first_line,
    found_reference,
    next_line,
    next_mail,
)
from subjectline.intake.sandbox.story import Facts, Scene, Step, expect


def write(subject: str, text: str) -> Step:
    """The member writes a mail. `{value}` in the text is the story's own new value."""

    async def act(scene: Scene) -> Facts:
        mails = scene.stage.cast.mails(scene.person)
        scene.notes["mail_seen"] = mails[-1].number if mails else 0
        said = text.format(**scene.notes)
        await scene.stage.cast.write(scene.person, subject, said)
        return {"text": said}

    return Step("write", "member", act)


async def _verify(scene: Scene) -> Facts:
    mail = await next_mail(scene, lambda each: CODE.search(each.text))
    expect("+v" in str(mail.message["Reply-To"]), "the letter has no address to answer to")
    return {"subject": mail.subject}


async def _yes(scene: Scene) -> Facts:
    await scene.stage.cast.answer(scene.person, scene.notes["mail"], YES[scene.language])
    mail = await next_mail(scene)
    return {"subject": mail.subject, "reference": found_reference(scene, mail.text)}


async def _ack(scene: Scene) -> Facts:
    mail = await next_mail(scene)
    return {"subject": mail.subject, "reference": found_reference(scene, mail.text)}


VERIFY = Step("verify", "member", _verify)
YES_BY_MAIL = Step("yes", "member", _yes)
ACK_BY_MAIL = Step("ack", "member", _ack)


def say(text: str) -> Step:
    """The member writes to the bot, which asks who they are."""

    async def act(scene: Scene) -> Facts:
        cast = scene.stage.cast
        scene.notes["line_seen"] = max([m.message_id for m in cast.chat(scene.person)], default=0)
        mails = cast.mails(scene.person)
        scene.notes["mail_seen"] = mails[-1].number if mails else 0
        said = text.format(**scene.notes)
        cast.say(scene.person, said)
        line = await next_line(scene)
        return {"text": said, "line": first_line(line.text)}

    return Step("say", "member", act)


async def _address(scene: Scene) -> Facts:
    """The address is written, the code goes there and not into the chat; the message is deleted."""
    cast = scene.stage.cast
    said = cast.say(scene.person, scene.person.email)
    line = await next_line(scene)
    mail = await next_mail(scene, lambda each: CODE.search(each.text))
    expect(not CODE.search(line.text), "the code stands in the chat")
    await _gone(scene, said.message_id)
    return {"subject": mail.subject, "line": first_line(line.text)}


async def _code(scene: Scene) -> Facts:
    code = CODE.search(scene.notes["mail"].text)
    assert code is not None
    said = scene.stage.cast.say(scene.person, code.group())
    line = await next_line(scene, lambda each: "SL-" in each.text)
    await _gone(scene, said.message_id)
    return {"line": first_line(line.text), "reference": found_reference(scene, line.text)}


async def _gone(scene: Scene, message_id: int) -> None:
    """What is personal does not stay in a cloud chat."""
    telegram, cast = scene.stage.world.telegram, scene.stage.cast

    def look() -> bool:
        return all(each.message_id != message_id for each in cast.chat(scene.person))

    await telegram.until(look, 10)


ADDRESS = Step("address", "member", _address)
CODE_BY_CHAT = Step("code", "member", _code)
