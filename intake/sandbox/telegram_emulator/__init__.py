"""The sandbox's Telegram: a Bot API emulator for one bot, on this machine only, its memory in a file.

`create_emulator(clock).app` is an ASGI app. Mounted under /telegram, a python-telegram-bot application takes
base_url ".../telegram/bot" and base_file_url ".../telegram/file/bot". The Emulator's methods are what people
do and see; /control does the same over HTTP.
"""

from subjectline.intake.sandbox.telegram_emulator.create import TOKEN, create_emulator
from subjectline.intake.sandbox.telegram_emulator.emulator import Emulator
from subjectline.intake.sandbox.telegram_emulator.faults import Fault, FaultKind
from subjectline.intake.sandbox.telegram_emulator.objects import Button, Chat, Message, User
from subjectline.intake.sandbox.telegram_emulator.state import Call
from subjectline.intake.sandbox.telegram_emulator.world import Bounds, Query

__all__ = [
    "TOKEN",
    "Bounds",
    "Button",
    "Call",
    "Chat",
    "Emulator",
    "Fault",
    "FaultKind",
    "Message",
    "Query",
    "User",
    "create_emulator",
]
