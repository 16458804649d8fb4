"""Serve the emulator alone: python -m subjectline.intake.sandbox.telegram_emulator [PORT]."""

import socket
import sys

import uvicorn

from subjectline.intake.sandbox.telegram_emulator.create import create_emulator
from subjectline.intake.sandbox.telegram_emulator.emulator import Emulator
from subjectline.models.clock import system_clock


class Server(uvicorn.Server):
    """Ends the waiting long polls before it waits for open calls to end."""

    def __init__(self, emulator: Emulator, port: int) -> None:
        config = uvicorn.Config(
            emulator.app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"
        )
        super().__init__(config)
        self._emulator = emulator

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._emulator.close()
        await super().shutdown(sockets)


if __name__ == "__main__":
    Server(create_emulator(system_clock), int(sys.argv[1]) if len(sys.argv) > 1 else 8081).run()
