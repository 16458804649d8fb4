"""The agents' console: an internal application that only signed-in agents can use."""

from subjectline.intake.console.app import create_console

__all__ = ["create_console"]
