"""A socket that is bound first, so that a busy port is one clear line."""

import os
import socket

from subjectline.models.errors import SettingsError


def bind(host: str, port: int, choose: str = "make run PORT={port}") -> socket.socket:
    """A listening socket. Raises SettingsError naming the port and the way out: `choose`, with the
    number of the next.

    What it accepts sends at once: asyncio asks for that only on sockets that name their protocol,
    and an answer in two parts would wait 40 ms for the other side's delayed ACK.
    """
    try:
        listening = socket.create_server((host, port), reuse_port=False, backlog=256)
    except OSError as busy:
        raise SettingsError(
            f"port {port} on {host} cannot be opened ({os.strerror(busy.errno or 0)})",
            field="port",
            remedy=f"Stop what uses it, or choose another: {choose.format(port=port + 1)}",
        ) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
