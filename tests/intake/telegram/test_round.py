"""Once round: said in the chat, kept, understood, answered in the chat; over HTTP both ways."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from desks import PARSERS, Office

from subjectline.handlers import inbox, outbox
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.intake.telegram import TelegramDoor
from subjectline.models.incoming import Door
from subjectline.models.settings import TelegramSection

HANA = 11
Running = Callable[[], AbstractAsyncContextManager[TelegramDoor]]


async def test_start_a_press_and_what_the_bot_asks_next(
    running: Running, emulator: Emulator, office: Office, api: TelegramSection
) -> None:
    sender = TelegramSender(api)

    async def said() -> None:
        await emulator.until(lambda: not emulator.pending())
        await inbox.once(office.desk, PARSERS)
        await outbox.once(office.desk, {Door.TELEGRAM: sender})

    emulator.user(HANA, "하나", "ko")
    emulator.say(HANA, "/start")
    async with running():
        await said()
        hello = emulator.from_bot(HANA)[-1]
        assert "개인정보 창구" in hello.text and hello.protected
        query = emulator.click(HANA, HANA, hello.message_id, "right:access")
        await emulator.until(lambda: query.answered)
        await said()
    asked = emulator.from_bot(HANA, hello.message_id)
    assert len(asked) == 1 and "이메일" in asked[0].text
    assert (await office.request()).kind == "access"
    await sender.close()
