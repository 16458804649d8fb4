"""What the mailbox's doctor says: one sentence and the way out, and never the password."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mail_support import QUICK, DovecotPost, Memory, letter
from pydantic import ValidationError
from servers import PASSWORD, Dovecot, free_port

from subjectline.intake.mailbox import Mailbox
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.errors import SettingsError
from subjectline.models.mail_settings import Finding, MailboxSettings


async def seen(settings: MailboxSettings) -> Finding:
    return await Mailbox(settings, Memory(), system_clock).doctor()


@pytest.mark.server
async def test_a_mailbox_over_tls_is_well(dovecot: Dovecot) -> None:
    post = DovecotPost(dovecot)
    await post.deliver(letter(1))
    for host in ("127.0.0.1", "localhost"):
        settings = post.settings(
            host=host, port=dovecot.imaps_port, tls="tls", ca_file=dovecot.ca_file
        )
        found = await seen(settings)
        assert found.ok, found.sentence
        assert "mails waiting: 1; new ones are seen at once" in found.sentence
    assert len(await post.folder("INBOX")) == 1


@pytest.mark.server
async def test_the_door_reads_over_tls(dovecot: Dovecot, sink: Memory) -> None:
    post = DovecotPost(dovecot)
    settings = post.settings(port=dovecot.imaps_port, tls="tls", ca_file=dovecot.ca_file)
    mailbox = Mailbox(settings, sink, system_clock)
    task = asyncio.create_task(mailbox.run())
    await post.deliver(letter(5, size=300_000))
    await sink.holds(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sink.bodies() == [b"5"]


@pytest.mark.server
async def test_faults_of_tls_are_named(dovecot: Dovecot, tmp_path: Path) -> None:
    post = DovecotPost(dovecot)
    untrusted = await seen(post.settings(port=dovecot.imaps_port, tls="tls"))
    assert not untrusted.ok
    assert "certificate of 127.0.0.1 is not trusted" in untrusted.sentence
    assert "ca_file" in untrusted.sentence
    plain = await seen(post.settings(tls="tls", ca_file=dovecot.ca_file, command_seconds=2))
    assert not plain.ok


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"password": "wrong-one"}, "refused the sign-in of privacy@desk.test. Check user"),
        ({"folder": "Nowhere"}, 'there is no folder "Nowhere". Check folder'),
        ({"port": 0}, "cannot be reached"),
    ],
)
async def test_what_is_wrong_is_said(world: MailWorld, more: dict[str, Any], words: str) -> None:
    if "port" in more:
        more = {"port": free_port()}
    found = await seen(world.mailbox_settings(**{**QUICK, **more}))
    assert not found.ok
    assert words in found.sentence
    assert "wrong-one" not in found.sentence


async def test_a_password_with_odd_characters_signs_in_and_stays_out_of_sight(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    secret = 'pa"ss\\wo{rd} %(비밀)'
    world = MailWorld(system_clock, desk_password=secret)
    await world.start()
    settings = world.mailbox_settings(**QUICK)
    assert (await seen(settings)).ok
    await world.stop()
    assert secret not in repr(settings)
    assert "wo{rd}" not in caplog.text


async def test_missing_folders_are_made_with_their_names(world: MailWorld) -> None:
    found = await seen(world.mailbox_settings(processed="처리됨", quarantine='Q&A "x"'))
    assert found.ok
    assert set(world.desk.folders) == {"INBOX", "&zJi5rLQo-", 'Q&-A "x"'}


@pytest.mark.server
async def test_missing_folders_are_made_on_dovecot(dovecot: Dovecot) -> None:
    post = DovecotPost(dovecot)
    for _ in range(2):
        assert (await seen(post.settings(processed="처리됨", quarantine="Q&A"))).ok
    assert await post.folder("&zJi5rLQo-") == []


def test_a_password_never_travels_in_the_clear() -> None:
    known: dict[str, Any] = {"user": "desk", "password": PASSWORD, "tls": "none"}
    assert MailboxSettings(host="localhost", **known).port == 993
    with pytest.raises(SettingsError, match=r"in the clear to imap\.desk\.test"):
        MailboxSettings(host="imap.desk.test", **known)
    with pytest.raises(SettingsError, match="there is no certificate file"):
        MailboxSettings(host="localhost", user="desk", ca_file=Path("/nowhere.pem"))
    with pytest.raises(ValidationError):
        MailboxSettings(host="localhost", user="desk", tsl="tls")  # type: ignore[call-arg]
