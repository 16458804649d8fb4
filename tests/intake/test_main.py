"""The door of the command line: a small word imports no desk, and means what it means in the whole."""

import subprocess
import sys

import pytest
import typer.main

from subjectline.intake import main
from subjectline.intake.cli import app

HEAVY = ("subjectline.intake.serve", "subjectline.handlers.desk", "fastapi", "telegram")


@pytest.mark.parametrize("word", main.QUICK)
def test_a_quick_word_is_the_same_as_in_the_whole(word: str) -> None:
    whole = typer.main.get_command(app).commands[word]  # type: ignore[attr-defined]
    quick = typer.main.get_command(main._quick(word)).commands[word]  # type: ignore[attr-defined]
    assert [p.opts for p in quick.params] == [p.opts for p in whole.params]
    assert list(getattr(quick, "commands", {})) == list(getattr(whole, "commands", {}))


@pytest.mark.parametrize("words", ["due kr-pipa access 2026-11-23T09:00+09:00", "understand 탈퇴"])
def test_a_small_word_imports_no_desk(words: str) -> None:
    """Counted in modules: seconds would depend on the machine."""
    script = (
        "import sys; from subjectline.intake.main import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words.split()], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
