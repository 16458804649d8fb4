"""One bot's Telegram: what the methods of the Bot API and the people's side both work on."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from subjectline.intake.sandbox.telegram_emulator.changes import Changes
from subjectline.intake.sandbox.telegram_emulator.faults import Faults
from subjectline.intake.sandbox.telegram_emulator.limits import FloodLimits
from subjectline.intake.sandbox.telegram_emulator.objects import Json, User
from subjectline.intake.sandbox.telegram_emulator.updates import Updates
from subjectline.intake.sandbox.telegram_emulator.webhook import Webhook
from subjectline.intake.sandbox.telegram_emulator.world import Bounds, World
from subjectline.models.clock import Clock


@dataclass(frozen=True)
class Call:
    """A call the bot made: its parameters (bytes of files left out) and how it ended.

    `error` is the HTTP status that was answered, 0 for success; `fault` the kind of the fault that befell it.
    """

    method: str
    at: int
    parameters: Json
    error: int = 0
    fault: str = ""


@dataclass
class Profile:
    """What the bot says of itself; keys are (scope, language), languages "" for everyone else."""

    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)


class State:
    """Everything about one bot. It belongs to one event loop and one thread."""

    def __init__(self, clock: Clock, token: str, bot: User, bounds: Bounds) -> None:
        self.token = token
        self.changes = Changes()
        self.world = World(clock, bot, bounds, self.changes)
        self.updates = Updates(self.changes, bounds.pending)
        self.webhook = Webhook(self.world, self.updates)
        self.faults, self.limits, self.profile = Faults(), FloodLimits(), Profile()
        self.flood_limits = False
        self.closing = asyncio.Event()
        self.calls: deque[Call] = deque(maxlen=bounds.calls)
