"""Puts an emulator together."""

from pathlib import Path

from subjectline.intake.sandbox.telegram_emulator import control
from subjectline.intake.sandbox.telegram_emulator.emulator import Emulator
from subjectline.intake.sandbox.telegram_emulator.keeping import Memory
from subjectline.intake.sandbox.telegram_emulator.objects import User
from subjectline.intake.sandbox.telegram_emulator.state import State
from subjectline.intake.sandbox.telegram_emulator.world import Bounds
from subjectline.models.clock import Clock
from subjectline.models.errors import BadInput

TOKEN = "7000000001:sandbox-token"
BOT_NAME, BOT_USERNAME = "Privacy Desk", "privacy_desk_bot"


def create_emulator(
    clock: Clock,
    token: str = TOKEN,
    bounds: Bounds | None = None,
    flood_limits: bool = False,
    keep: Path | None = None,
) -> Emulator:
    """An emulated Telegram with one bot.

    `clock` dates messages; `token` is "<bot id>:<secret>"; with `flood_limits` Telegram's limits on sending
    are enforced by 429; `keep` names the file of its memory. Raises BadInput for a token of another form.
    """
    number, _, secret = token.partition(":")
    if not number.isdigit() or not secret:
        raise BadInput("A bot token is a number, a colon and a secret", field="token")
    bot = User(int(number), BOT_NAME, username=BOT_USERNAME, is_bot=True)
    state = State(clock, token, bot, bounds or Bounds())
    state.flood_limits = flood_limits
    emulator = Emulator(state, Memory(state, keep) if keep else None)
    emulator.app.router.routes.extend(control.routes(emulator))
    return emulator
