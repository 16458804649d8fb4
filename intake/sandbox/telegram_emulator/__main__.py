"""Serve the emulator alone: python -m subjectline.intake.sandbox.telegram_emulator [PORT]."""

import sys

import uvicorn

from subjectline.intake.sandbox.telegram_emulator.create import create_emulator
from subjectline.models.clock import system_clock


def main(port: int) -> None:
    """Serve on loopback until stopped; a waiting long poll holds the end up for a second at most."""
    uvicorn.run(
        create_emulator(system_clock).app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8081)
