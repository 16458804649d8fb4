"""The faults of aioimaplib that only show beside another command, with a server, or after a while.

As in `test_imap_traps`: each holds on our classes and fails on the stock one.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aioimaplib import aioimaplib as lib
from imap_kit import Silent, answered, fails, opened, ours_and, selected
from mail_support import QUICK, letters

from subjectline.intake.imap.connection import Connection
from subjectline.intake.imap.protocol import DeskProtocol
from subjectline.intake.imap.wire import read_fetch
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.errors import DoorAway
from subjectline.models.mail_settings import MailboxSettings

Stock = lib.IMAP4
both = ours_and(Connection, Stock, by=AssertionError)


async def begun(kind: type[Any], port: int, **more: Any) -> Any:
    """A connection of ours, or a stock client, with INBOX open."""
    if kind is Stock:
        return await opened(Stock, port)
    known: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": "desk", "tls": "none"}
    connection = await Connection.open(MailboxSettings(**{**known, **QUICK, **more}))
    await connection.select("INBOX")
    return connection


async def ended(line: Any) -> None:
    if isinstance(line, Connection):
        await line.close()
        return
    line.protocol.transport.abort()
    await asyncio.gather(*line.tasks, *line.protocol.tasks, return_exceptions=True)


# Trap 7


@both
@pytest.mark.parametrize("word", ["store", "copy", "move", "expunge"])
async def test_a_change_that_is_not_answered_is_given_up(
    kind: type[Any], word: str, silent: Silent
) -> None:
    line = await begun(kind, silent.port, command_seconds=0.1)
    line.timeout = 0.1
    if kind is Stock:
        rest = {"store": ("+FLAGS", r"(\Deleted)"), "copy": ("Kept",), "move": ("Kept",)}
        command = asyncio.ensure_future(line.uid(word, "1", *rest.get(word, ())))
    else:
        ways: dict[str, Callable[[], Any]] = {
            "store": lambda: line._mark([1], "+"),
            "copy": lambda: line._copy([1], "Kept", set()),
            "move": lambda: line.move([1], "Kept"),
            "expunge": lambda: line.expunge([1]),
        }
        command = asyncio.ensure_future(ways[word]())
    done, _ = await asyncio.wait({command}, timeout=0.5)
    command.cancel()
    await asyncio.gather(command, return_exceptions=True)
    await ended(line)
    assert done and isinstance(command.exception(), DoorAway)


# Trap 8: the stock client knows of no MOVE after a sign-in by token


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(DeskProtocol, id="ours"),
        pytest.param(lib.IMAP4ClientProtocol, id="stock", marks=fails(by=lib.Abort)),
    ],
)
async def test_what_the_server_can_is_known_after_a_token(kind: type[Any]) -> None:
    protocol = selected(kind)
    protocol.state, protocol.capabilities = lib.NONAUTH, {"AUTH=XOAUTH2", "SASL-IR"}
    if kind is DeskProtocol:
        command = protocol.authenticate("XOAUTH2", b"dXNlcj14", b"")
        await answered(protocol, command, lambda tag: f"{tag} OK in\r\n".encode())
        said = b"* CAPABILITY IMAP4rev1 MOVE\r\n"
        command = protocol.capability()  # as `sign_in` asks, whatever the way in
        await answered(protocol, command, lambda tag: said + f"{tag} OK done\r\n".encode())
    else:
        command = protocol.xoauth2("desk", "token")
        await answered(protocol, command, lambda tag: f"{tag} OK in\r\n".encode())
    protocol.state = lib.SELECTED
    moved = await answered(
        protocol,
        protocol.move("1", "Kept", by_uid=True),
        lambda tag: f"{tag} OK moved\r\n".encode(),
    )
    assert moved.result == "OK"


# Trap 9


async def test_the_stock_envelope_cannot_be_used_and_ours_asks_for_none() -> None:
    """`* ` is stripped anywhere: what the server says of a subject is not what it sent."""
    said = b'* 1 FETCH (UID 7 ENVELOPE (NIL "a * b" NIL))\r\n'
    for kind in (lib.IMAP4ClientProtocol, DeskProtocol):
        protocol = selected(kind)
        answer = await answered(
            protocol,
            protocol.fetch("7", "(UID ENVELOPE)", by_uid=True),
            lambda tag: said + f"{tag} OK done\r\n".encode(),
        )
        assert b"a * b" not in answer.lines[0]  # ours too: see the next test


@ours_and(DeskProtocol, lib.IMAP4ClientProtocol, by=AssertionError)
async def test_a_star_and_a_parenthesis_in_a_mail_change_nothing(kind: type[Any]) -> None:
    """What we fetch comes as a literal, in which nothing is stripped; a `(` merges no two mails."""
    body = b"Subject: a * (b\r\n\r\n* 9 EXISTS\r\n* (\r\n"
    quoted = b'* 2 FETCH (UID 8 X "(" BODY[] {%d}\r\n%b)\r\n' % (len(body), body)
    plain = b"* 3 FETCH (UID 9 BODY[] {%d}\r\n%b)\r\n* 12 EXISTS\r\n" % (len(body), body)
    protocol = selected(kind)
    seen: list[bytes] = []
    untagged = protocol._untagged_response

    def listened(line: bytes) -> Any:
        seen.append(bytes(line))
        return untagged(line)

    protocol._untagged_response = listened
    answer = await answered(
        protocol,
        protocol.fetch("8,9", "(UID BODY.PEEK[])", by_uid=True),
        lambda tag: quoted + plain + f"{tag} OK done\r\n".encode(),
    )
    assert b"* 12 EXISTS" in seen  # and was not taken for a part of the mail
    found = {mail.uid: mail.content for mail in read_fetch(answer.lines)}
    assert found == {8: body, 9: body}
    assert not any(b"EXISTS" in line for line in answer.lines if isinstance(line, bytes))


# Trap 10


@both
async def test_a_search_names_no_charset(kind: type[Any], silent: Silent) -> None:
    """A server without it answers `NO [BADCHARSET]` (RFC 3501, 6.4.4)."""
    line = await begun(kind, silent.port)
    search = line.search() if kind is Connection else line.uid_search("ALL")
    command = asyncio.ensure_future(search)
    await silent.got.wait()
    command.cancel()
    await asyncio.gather(command, return_exceptions=True)
    await ended(line)
    assert silent.said[-1].split(b" ", 1)[1] == b"UID SEARCH ALL"


@both
async def test_a_folder_in_korean_is_named_as_the_server_knows_it(
    kind: type[Any], silent: Silent
) -> None:
    """Modified UTF-7 in quotes (RFC 3501, 5.1.3)."""
    line = await begun(kind, silent.port)
    await line.select("처리 완료")
    await ended(line)
    assert silent.said[-1].split(b" ", 1)[1] == b'SELECT "&zJi5rA- &xkS4zA-"'


def test_there_is_no_starttls_and_none_is_offered() -> None:
    assert not hasattr(lib.IMAP4, "starttls") and not hasattr(lib.IMAP4ClientProtocol, "starttls")
    with pytest.raises(ValueError, match="tls"):
        MailboxSettings.model_validate({"host": "mail.test", "user": "desk", "tls": "starttls"})


# Trap 11


@both
async def test_mail_that_was_announced_outside_idle_ends_the_next_one(
    kind: type[Any], world: MailWorld
) -> None:
    """It came between the search and IDLE, announced in the answer to another command."""
    for raw in letters(1):
        await world.deliver(raw, world.desk_address, None)
    if kind is Connection:
        connection = await Connection.open(world.mailbox_settings())
        await connection.select("INBOX")
        assert len(await connection.search()) == 1
        await world.deliver(letters(2)[1], world.desk_address, None)
        await connection.noop()
        async with asyncio.timeout(2):
            await connection.idle(60)
        assert len(await connection.search()) == 2
        await connection.close(politely=True)
        return
    client = Stock("127.0.0.1", world.imap_port, timeout=5)
    await client.wait_hello_from_server()
    await client.login(world.desk_address, world.desk_password)
    await client.select("INBOX")
    await world.deliver(letters(2)[1], world.desk_address, None)
    await client.noop()
    idle = await client.idle_start(60)
    pushed = asyncio.ensure_future(client.wait_server_push(60))
    done, _ = await asyncio.wait({pushed}, timeout=0.3)
    said = [line for item in done for line in item.result()]
    pushed.cancel()
    client.idle_done()
    await asyncio.gather(idle, pushed, return_exceptions=True)
    await ended(client)
    assert any(b"EXISTS" in line for line in said)


# Trap 12


async def test_no_keyword_of_our_own_is_ever_asked_for(silent: Silent) -> None:
    """A server without `\\*` in PERMANENTFLAGS says OK and forgets it: only `\\Deleted` is set."""
    silent.answers.add(b"UID")
    connection = await begun(Connection, silent.port)
    await connection.expunge([1])
    await connection._copy([2], "Kept", set())
    await connection.move([3], "Kept")
    await ended(connection)
    stored = [line for line in silent.said if b"STORE" in line]
    assert len(stored) == 2 and all(line.endswith(b"(\\Deleted)") for line in stored)
    assert not any(b"KEYWORD" in line.upper() for line in silent.said)
