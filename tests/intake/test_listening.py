"""The socket that the desk, the sandbox and the gate listen on."""

import socket

import pytest

from subjectline.intake.listening import bind
from subjectline.models.errors import SettingsError


def test_what_it_accepts_sends_at_once() -> None:
    """Without it an answer in two parts waits 40 ms for the other side's delayed ACK."""
    with (
        bind("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_busy_port_is_one_clear_line() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} on 127.0.0.1 cannot be opened"):
            bind("127.0.0.1", port)
