"""The door of `subjectline`: imports what the first word needs and no more."""

import os
import sys
from importlib import import_module

import typer

# Words that need no desk, and where they are at home.
QUICK = {
    "mail": ("cli_mail", "mail_app"),
    "map": ("cli_map", "map_app"),
    "gate": ("cli_gate", "gate_app"),
    "letter": ("cli_words", "letter_app"),
    "understand": ("cli_words", ""),
    "access": ("cli_words", ""),
    "due": ("cli_words", ""),
}


def main() -> None:
    """Runs the command line."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if word not in QUICK:
        from subjectline.intake.cli import app

        app()
        return
    os.umask(0o077)  # as for every other word: what is written is its owner's alone
    _quick(word)()


def _quick(word: str) -> typer.Typer:
    module, name = QUICK[word]
    home = import_module(f"subjectline.intake.{module}")
    app = typer.Typer(no_args_is_help=True, add_completion=False)
    if name:
        app.add_typer(getattr(home, name), name=word)
    else:
        home.add_to(app)
    app.callback()(lambda: None)  # a word alone stays a word
    return app
