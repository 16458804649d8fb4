"""Every command that the documents name exists, with its options; and operating.md names them all."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import typer
from documents import Document

from subjectline.intake.cli import app
from subjectline.intake.sandbox.stories import NAMES

TREE: Any = typer.main.get_command(app)


def spoken(document: Document) -> list[list[str]]:
    """The words after `subjectline` in everything that is set as code."""
    lines = [re.split(r"\s+[#>|]", line)[0].strip() for line in document.code]
    return [shlex.split(line)[1:] for line in lines if re.match(r"subjectline \S", line)]


def found_in(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, and what follows it."""
    command, rest = TREE, list(words)
    while hasattr(command, "commands") and rest:
        assert rest[0] in command.commands, f"there is no `subjectline {' '.join(words)}`"
        command, rest = command.commands[rest[0]], rest[1:]
    assert not hasattr(command, "commands"), f"`subjectline {' '.join(words)}` is not whole"
    return command, rest


def test_every_command_exists(document: Document) -> None:
    for words in spoken(document):
        command, rest = found_in(words)
        known = {name for each in command.params for name in each.opts}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert asked <= known | {"--help"}, f"subjectline {' '.join(words)}"


def test_every_story_exists(document: Document) -> None:
    played = [words[words.index("--play") + 1] for words in spoken(document) if "--play" in words]
    assert {name for name in played if name.islower()} <= set(NAMES)


def leaves(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, part in command.commands.items():
        if hasattr(part, "commands"):
            yield from leaves(part, (*above, name))
        else:
            yield (*above, name)


def test_operating_names_every_command(operating: Document) -> None:
    told = [tuple(words) for words in spoken(operating)]
    for path in leaves(TREE):
        assert any(words[: len(path)] == path for words in told), " ".join(path)


def test_the_check_sees_what_is_missing() -> None:
    assert isinstance(TREE, click.Command) or hasattr(TREE, "commands")
    for words in (["fly"], ["agent"], ["gate", "fly"]):
        try:
            found_in(words)
        except AssertionError:
            continue
        raise AssertionError(words)
