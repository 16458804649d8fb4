"""aioimaplib's faults, one test each: they hold on our classes and fail on the stock ones.

The day a stock class passes, `strict` says so, and the mending can go.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aioimaplib import aioimaplib as lib
from imap_kit import Silent, answered, fails, opened, ours_and, selected
from mail_support import QUICK, DovecotPost, letters
from servers import Dovecot

from subjectline.intake.imap.connection import Connection
from subjectline.intake.imap.protocol import DeskClient, DeskFetch, DeskProtocol
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.errors import DoorAway
from subjectline.models.mail_settings import MailboxSettings

# Trap 1


@ours_and(DeskProtocol, lib.IMAP4ClientProtocol, by=RecursionError)
async def test_a_thousand_lines_in_one_chunk_are_read(kind: type[Any]) -> None:
    protocol = selected(kind)
    lines = b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, n) for n in range(1, 1501))
    answer = await answered(
        protocol,
        protocol.fetch("1:1500", "(UID FLAGS)", by_uid=True),
        lambda tag: lines + f"{tag} OK done\r\n".encode(),
    )
    assert len(answer.lines) == 1501


@ours_and(DeskProtocol, lib.IMAP4ClientProtocol, by=RecursionError)
async def test_a_mass_expunge_by_another_client_is_read(kind: type[Any]) -> None:
    selected(kind).data_received(b"* 1 EXPUNGE\r\n" * 1500)


async def test_an_answer_cut_anywhere_is_read_as_if_whole() -> None:
    body = b"a (mail) with {5}\r\nand ) in it\r\n"
    whole = (
        b'* 1 FETCH (UID 7 INTERNALDATE "01-Jan-2026 00:00:00 +0000" BODY[] {%d}\r\n' % len(body)
        + body
        + b')\r\n* 2 FETCH (BODY[] "(" UID 8)\r\n* 3 FETCH (BODY[] {0}\r\n UID 9)\r\n* 9 EXISTS\r\n'
    )
    for cut in range(1, len(whole)):
        protocol = selected(DeskProtocol)
        fetch = asyncio.ensure_future(protocol.fetch("7,8,9", "(BODY.PEEK[])", by_uid=True))
        await asyncio.sleep(0)
        tag = protocol.transport.sent[-1].split(b" ")[0]
        protocol.data_received(whole[:cut])
        protocol.data_received(whole[cut:] + tag + b" OK done\r\n")
        answer = await asyncio.wait_for(fetch, 30)
        literals = [bytes(line) for line in answer.lines if isinstance(line, bytearray)]
        assert literals == [body, b""], cut
        assert answer.lines[-1] == b"done"


# Trap 2


class Counted(list[Any]):
    """A list that counts how many of its items are looked at."""

    looked_at = 0

    def __iter__(self) -> Any:
        for item in super().__iter__():
            self.looked_at += 1
            yield item


@ours_and(DeskFetch, lib.FetchCommand, by=AssertionError)
async def test_a_fetch_does_not_read_all_lines_again_at_each_line(kind: type[Any]) -> None:
    command = kind("A1", "1:400", "(UID BODY.PEEK[])")
    command._resp_lines = Counted()
    for number in range(400):
        command.append_to_resp(b"%d FETCH (UID %d BODY[] {4}" % (number, number))
        assert command.wait_data()
        command.append_to_resp(bytearray(b"mail"))
        command.append_to_resp(b")")
        assert not command.wait_data()
    assert command._resp_lines.looked_at < 10 * 1200


@ours_and(DeskFetch, lib.FetchCommand, by=AssertionError)
async def test_a_parenthesis_in_quotes_does_not_count(kind: type[Any]) -> None:
    command = kind("A1", "1", "(UID BODY.PEEK[])")
    command.append_to_resp(b'1 FETCH (UID 1 BODY[] "a smile :-(")')
    assert not command.wait_data()


# Trap 3


class Loud(bytes):
    """Bytes that notice when they are made into text."""

    made_text = 0

    def __str__(self) -> str:
        Loud.made_text += 1
        return "…"


@ours_and(DeskProtocol, lib.IMAP4ClientProtocol, by=AssertionError)
async def test_what_comes_in_is_not_formatted_for_a_log(kind: type[Any]) -> None:
    Loud.made_text = 0
    selected(kind).data_received(Loud(b"* 3 EXISTS\r\n"))
    assert Loud.made_text == 0


# Trap 4


@ours_and(DeskClient, lib.IMAP4, by=TimeoutError)
@pytest.mark.parametrize("word", ["fetch", "search", "move", "idle"])
async def test_a_lost_line_fails_what_is_pending(
    kind: type[Any], word: str, silent: Silent
) -> None:
    client = await opened(kind, silent.port)
    commands: dict[str, Callable[[], Awaitable[Any]]] = {
        "fetch": lambda: client.protocol.fetch("1", "(UID)", by_uid=True),
        "search": lambda: client.protocol.search("ALL", by_uid=True),
        "move": lambda: client.protocol.move("1", "Processed", by_uid=True),
        "idle": lambda: client.protocol.idle(),
    }
    pending = asyncio.ensure_future(commands[word]())
    await silent.got.wait()
    silent.hang_up()
    try:
        with pytest.raises(lib.Abort):
            await asyncio.wait_for(pending, 30 if kind is DeskClient else 0.3)
    finally:
        client.protocol.transport.abort()
        await asyncio.gather(pending, *client.protocol.tasks, return_exceptions=True)


# Trap 5


async def signed_in(port: int, **more: Any) -> Connection:
    known: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": "desk", "tls": "none"}
    connection = await Connection.open(MailboxSettings(**{**known, **QUICK, **more}))
    await connection.select("INBOX")
    return connection


@pytest.mark.parametrize("word", ["search", "sizes", "bodies", "move", "expunge", "noop", "idle"])
async def test_after_a_silence_the_connection_is_thrown_away(word: str, silent: Silent) -> None:
    connection = await signed_in(silent.port, command_seconds=0.2)
    commands: dict[str, Callable[[], Awaitable[Any]]] = {
        "search": connection.search,
        "sizes": lambda: connection.sizes([1]),
        "bodies": lambda: connection.bodies([1]),
        "move": lambda: connection.move([1], "Processed"),
        "expunge": lambda: connection.expunge([1]),
        "noop": connection.noop,
        "idle": lambda: connection.idle(0.1),
    }
    with pytest.raises(DoorAway):
        await commands[word]()
    await connection.close()
    assert not connection.alive


async def test_a_cancelled_command_throws_the_connection_away(silent: Silent) -> None:
    connection = await signed_in(silent.port)
    pending = asyncio.ensure_future(connection.search())
    await silent.got.wait()
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)
    await connection.close()
    assert not connection.alive


@fails(by=TimeoutError)
async def test_stock_after_a_time_out_the_next_command_answers(silent: Silent) -> None:
    client = await opened(lib.IMAP4, silent.port)
    client.timeout = 0.1
    try:
        with pytest.raises(asyncio.TimeoutError):
            await client.uid_search("ALL", charset=None)
        silent.answers.add(b"UID")
        await asyncio.wait_for(client.protocol.search("ALL", by_uid=True), 0.3)
    finally:
        client.protocol.transport.abort()


# Trap 6


async def test_commands_at_once_wait_for_each_other(world: MailWorld) -> None:
    for raw in letters(5):
        await world.deliver(raw, world.desk_address, None)
    connection = await Connection.open(world.mailbox_settings())
    await connection.select("INBOX")
    found = await asyncio.gather(*(connection.bodies([uid]) for uid in range(1, 6)))
    assert [list(bodies) for bodies in found] == [[1], [2], [3], [4], [5]]
    await connection.close(politely=True)


@fails(by=AssertionError)
async def test_stock_commands_at_once_wait_for_each_other(world: MailWorld) -> None:
    client = lib.IMAP4("127.0.0.1", world.imap_port, timeout=0.5)
    try:
        await client.wait_hello_from_server()
        await client.login(world.desk_address, world.desk_password)
        await client.select("INBOX")
        fetches = (client.uid("fetch", str(uid), "(UID)") for uid in range(1, 6))
        answers = await asyncio.wait_for(asyncio.gather(*fetches, return_exceptions=True), 5)
        assert [type(answer) for answer in answers] == [lib.Response] * 5
    finally:
        client.protocol.transport.abort()


# What the server says that makes no sense


@pytest.mark.parametrize(
    "noise", [b"ZZ9 OK what\r\n", b"* \xff\xfe\r\n", b"ZZ9 BAD x\r\n", b"* 1 FETCH (UID 1 BODY[]"]
)
async def test_noise_ends_the_connection_and_not_the_loop(noise: bytes, silent: Silent) -> None:
    connection = await signed_in(silent.port, command_seconds=0.3)
    pending = asyncio.ensure_future(connection.search())
    await silent.got.wait()
    for writer in silent._lines.values():
        writer.write(noise)
    with pytest.raises(DoorAway):
        await pending
    await connection.close()


@pytest.mark.server
async def test_a_thousand_and_more_are_fetched_and_moved_on_dovecot(dovecot: Dovecot) -> None:
    post = DovecotPost(dovecot)
    await post.deliver(*letters(1100))
    connection = await Connection.open(post.settings())
    await connection.ensure_folder("Processed")
    await connection.select("INBOX")
    protocol = connection._client.protocol
    answer = await protocol.fetch("1:*", "(UID FLAGS)", by_uid=True, timeout=5)
    assert len(answer.lines) == 1101
    moved = await asyncio.wait_for(protocol.move("1:*", "Processed", by_uid=True), 30)
    assert moved.result == "OK"
    assert await connection.search() == []
    await connection.close(politely=True)
