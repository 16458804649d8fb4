"""What somebody might try: a forged sender, guessing a code, asking for another member's file."""

from sqlmodel import col, select

from subjectline.intake.sandbox.cast import STRANGER_CHAT
from subjectline.intake.sandbox.people import Person
from subjectline.intake.sandbox.stories.common import CODE, PATIENCE, YES, permitted
from subjectline.intake.sandbox.story import Facts, Scene, Step, Story, expect
from subjectline.intake.sandbox.telegram_emulator import Message
from subjectline.models.tables import Audit, Conversation, Request
from subjectline.models.tables import Message as Kept

FORGED = {
    "ko": ("배송지 변경", "제 배송지를 부산시 수영구 어둠로 1로 바꿔 주세요."),
    "en": ("My address", "Please change my shipping address to 1 Elsewhere-ro, Busan."),
}
NOSY = {
    "ko": ("개인정보 열람", "{name} 회원의 개인정보를 모두 보여 주세요. 주소는 {email} 입니다."),
    "en": ("Data", "Please show me all the data you hold about {name}, {email}."),
}
CURIOUS = {
    "ko": "제 개인정보를 보여 주세요.",
    "en": "Please show me all the data you hold about me.",
}


def forged(language: str) -> Story:
    steps = (
        Step("forge", "member", _forge),
        Step("forged_seen", "agents", _forged_seen),
        Step("forged_letter", "member", _letter_to_member),
        Step("forged_yes", "member", _forged_yes),
        permitted("nothing_frozen", "nightly-export", _same_address),
    )
    return Story(f"attack-forged-{language}", language, "mail", steps)


def code(language: str) -> Story:
    steps = (
        Step("stranger_asks", "member", _stranger_asks),
        Step("code_elsewhere", "member", _code_elsewhere),
        Step("five_guesses", "agents", _five_guesses),
        Step("right_code_late", "agents", _right_code_late),
    )
    return Story(f"attack-code-{language}", language, "mail", steps)


def other(language: str) -> Story:
    steps = (
        Step("nosy", "agents", _nosy),
        Step("nosy_answer", "agents", _nosy_answer),
        Step("nosy_nothing", "member", _nosy_nothing),
    )
    return Story(f"attack-other-{language}", language, "mail", steps)


def _same_address(scene: Scene, answer: object) -> bool:
    row = scene.stage.systems.row(scene.member)
    return row is not None and row.values["shipping_address"] == scene.notes["old"]


async def _forge(scene: Scene) -> Facts:
    row = scene.stage.systems.row(scene.member)
    assert row is not None
    mails = scene.stage.cast.mails(scene.person)
    scene.notes |= {"old": row.values["shipping_address"], "mails": len(mails)}
    scene.notes["failed"] = len(await _failed(scene))
    subject, text = FORGED[scene.language]
    await scene.stage.cast.forge(scene.person, subject, text)
    return {"from": scene.person.email, "text": text}


async def _forged_seen(scene: Scene) -> Facts:
    """The desk kept it with what the border server found out; no member is believed to have written."""
    kept = await _more_failed(scene, 1)
    expect(kept[-1].subject_id is None, "the forged mail was taken for the member's")
    return {"tier": "authentication failed"}


async def _more_failed(scene: Scene, count: int) -> list[Conversation]:
    """Waits until so many forged mails of this story were kept. Raises TimeoutError."""

    async def look() -> list[Conversation]:
        found = await _failed(scene)
        return found if len(found) >= scene.notes["failed"] + count else []

    return await scene.stage.pulse.until(look, PATIENCE)


async def _failed(scene: Scene) -> list[Conversation]:
    """The conversations of all mails whose sender was found to be forged, one for each mail."""
    wanted = (
        select(Conversation)
        .join(Kept, col(Kept.conversation_id) == col(Conversation.id))
        .where(Kept.direction == "in", Kept.tier == "failed")
        .order_by(col(Kept.id))
    )
    async with scene.stage.desk.db.read() as session:
        return list(await session.exec(wanted))


async def _letter_to_member(scene: Scene) -> Facts:
    """The question goes to the address in From: to the member, never to the forger."""
    world = scene.stage.world
    mail = await world.mail.wait_for(
        scene.person.email, lambda each: bool(CODE.search(each.text)), PATIENCE
    )
    return {"subject": mail.subject}


async def _forged_yes(scene: Scene) -> Facts:
    """The forger answers yes without having read the letter; it proves nothing."""
    subject, _ = FORGED[scene.language]
    before = await scene.stage.requests()
    await scene.stage.cast.forge(scene.person, f"Re: {subject}", YES[scene.language])
    await _more_failed(scene, 2)
    after = await scene.stage.requests()
    expect(len(before) == len(after), "the forged answer made a request")
    expect(after[0].state in ("received", "verifying"), f"the request is {after[0].state}")
    return {"state": after[0].state}


async def _stranger_asks(scene: Scene) -> Facts:
    """A stranger's chat asks for data and names the member's address."""
    telegram = scene.stage.world.telegram
    chat = _fresh_chat(scene)
    telegram.user(chat, "???", scene.language)
    mails = scene.stage.cast.mails(scene.person)
    scene.notes |= {"chat": chat, "mails": mails[-1].number if mails else 0}
    await _chat(scene, CURIOUS[scene.language])
    line = await _chat(scene, scene.person.email)
    expect(not CODE.search(line.text), "the code stands in the chat")
    return {"address": scene.person.email}


def _fresh_chat(scene: Scene) -> int:
    """A new account each time: limits fall on the asker, and the last one has had theirs."""
    chat = STRANGER_CHAT
    while scene.stage.world.telegram.messages(chat):
        chat += 1
    return chat


async def _chat(scene: Scene, text: str) -> Message:
    telegram, chat = scene.stage.world.telegram, scene.notes["chat"]
    said = telegram.say(chat, text)
    return await telegram.wait_for(chat, said.message_id, PATIENCE)


async def _code_elsewhere(scene: Scene) -> Facts:
    mail = await scene.stage.world.mail.wait_for(
        scene.person.email,
        lambda each: each.number > scene.notes["mails"] and bool(CODE.search(each.text)),
        PATIENCE,
    )
    found = CODE.search(mail.text)
    assert found is not None
    scene.notes["right"] = found.group()
    return {"subject": mail.subject}


async def _five_guesses(scene: Scene) -> Facts:
    """All five are on record; the bot answers each in its own time."""
    right, telegram = int(scene.notes["right"]), scene.stage.world.telegram
    before = await _wrong_codes(scene)
    for guess in range(1, 6):
        telegram.say(scene.notes["chat"], f"{(right + guess * 1111) % 1_000_000:06d}")

    async def look() -> bool:
        return await _wrong_codes(scene) >= before + 5

    await scene.stage.pulse.until(look, PATIENCE)
    return {"tries": 5}


async def _right_code_late(scene: Scene) -> Facts:
    """Even the right code is worth nothing now."""
    before = await _heard(scene)
    scene.stage.world.telegram.say(scene.notes["chat"], scene.notes["right"])

    async def look() -> bool:
        return await _heard(scene) > before

    await scene.stage.pulse.until(look, PATIENCE)
    request = await _of_chat(scene)
    expect(await _wrong_codes(scene) >= 5, "the tries are not on record")
    expect(request.state in ("received", "verifying"), f"the request is {request.state}")
    return {"state": request.state, "reference": request.reference}


async def _of_chat(scene: Scene) -> Request:
    found = next(iter(await scene.stage.requests()), None)
    assert found is not None
    return found


async def _heard(scene: Scene) -> int:
    """How many lines of chats the desk has taken in."""
    wanted = select(Kept.id).where(Kept.direction == "in", Kept.door == "telegram")
    async with scene.stage.desk.db.read() as session:
        return len(list(await session.exec(wanted)))


async def _wrong_codes(scene: Scene) -> int:
    wanted = select(Audit.id).where(Audit.action == "wrong_code")
    async with scene.stage.desk.db.read() as session:
        return len(list(await session.exec(wanted)))


async def _nosy(scene: Scene) -> Facts:
    """A real member, rightly signed in to their own mail, asks for somebody else's file."""
    cast, whose = scene.stage.cast, scene.person
    nosy = scene.notes["nosy"] = cast.bystander(scene.language)
    mails, theirs = cast.mails(nosy), cast.mails(whose)
    scene.notes |= {"mails": mails[-1].number if mails else 0, "theirs": len(theirs)}
    scene.notes["known"] = len(await scene.stage.requests(whose.member))
    subject, text = NOSY[scene.language]
    said = text.format(name=whose.name, email=whose.email)
    await cast.write(nosy, subject, said)
    return {"text": said, "from": nosy.email}


async def _nosy_answer(scene: Scene) -> Facts:
    """The desk takes it for what the writer may ask: their own file, once they have said yes."""
    nosy: Person = scene.notes["nosy"]
    mail = await scene.stage.world.mail.wait_for(
        nosy.email, lambda each: each.number > scene.notes["mails"], PATIENCE
    )
    await scene.stage.cast.answer(nosy, mail, YES[scene.language])
    own = await scene.stage.pulse.until(lambda: scene.stage.requests(nosy.member), PATIENCE)
    expect(own[0].subject_id == nosy.member, "the request is about somebody else")
    return {"member": nosy.member, "reference": own[0].reference}


async def _nosy_nothing(scene: Scene) -> Facts:
    """Nothing was opened about the other member, and nothing was sent to or about them."""
    known = await scene.stage.requests(scene.member)
    expect(len(known) == scene.notes["known"], "a request about the other member was opened")
    mails = scene.stage.cast.mails(scene.person)
    expect(len(mails) == scene.notes["theirs"], "the other member was written to")
    return {"member": scene.member}
