"""The stories: one whole one through the real doors, and that what is not seen is named."""

import re
import socket
from collections.abc import Mapping
from typing import Any

import pytest
import typer

from subjectline.intake.sandbox import run as sandbox
from subjectline.intake.sandbox.browser import forms
from subjectline.intake.sandbox.stories import NAMES, story
from subjectline.intake.sandbox.story import Scene, Step, Story, expect, perform, play_of
from subjectline.intake.web import catalogue
from subjectline.models.errors import BadInput, SettingsError


async def test_a_correction_by_mail_is_seen_from_end_to_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await sandbox.play("correction-ko-mail", 0)
    told = capsys.readouterr().out
    assert len(re.findall(r"^ +\d+\.\d\d s  ok ", told, re.MULTILINE)) == 10
    assert "denied (held)" in told and "All 10 steps were seen" in told


@pytest.mark.parametrize("name", NAMES)
def test_every_story_has_words_for_each_step(name: str) -> None:
    known = catalogue("sandbox")
    for step in story(name).steps:
        assert f"story.{step.key}" in known and f"seen.{step.key}" in known
        assert step.place in ("member", "agents", "company")


def test_an_unknown_story_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="correction-ko-mail"):
        story("correction-fr-mail")


async def test_what_is_not_seen_is_named(actors: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def fine(scene: Scene) -> Mapping[str, str]:
        return {"text": scene.person.name}

    async def wrong(scene: Scene) -> Mapping[str, str]:
        expect(False, "the letter lacks the new value")
        return {}

    steps = [Step("write", "member", fine), Step("done", "member", wrong)]
    cast = actors.stage.cast
    played = play_of(Story("made-up", "en", "mail", (*steps, steps[0])), cast.now["en"])
    heard: list[str] = []
    assert not await perform(played, actors.stage, lambda shown: heard.append(shown.state))
    assert heard == ["now", "seen", "now", "missed"]
    assert [each.state for each in played.steps] == ["seen", "missed", "waits"]
    with pytest.raises(typer.Exit) as ended:
        sandbox._conclude(played)
    assert ended.value.exit_code == 1
    assert "Not seen: done" in (told := capsys.readouterr().err)
    assert "lacks the new value" in told


async def test_a_busy_port_is_one_line_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"PORT={port + 1}"):
            await sandbox.run(port, None)
        with sandbox._free(port) as other:
            assert other.getsockname()[1] != port


def test_forms_are_read_as_a_browser_sends_them() -> None:
    page = """<form method="post" action="/a"><input type="hidden" name="csrf" value="x&amp;y">
      <input type="radio" name="how" value="1"><input type="radio" name="how" value="2" checked>
      <input type="submit" name="go" value="no"></form><input name="outside" value="1">
      <form action="/b"><input name="q"></form>"""
    first, second = forms(page)
    assert (first.action, first.method) == ("/a", "post")
    assert first.values == {"csrf": "x&y", "how": "2"}
    assert (second.method, second.values) == ("get", {"q": ""})
