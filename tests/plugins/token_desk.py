"""A stand-in token server (RFC 6749), and an SMTP server that takes its tokens."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.smtp import SMTP, AuthResult

from subjectline.models.mail_settings import OAuthSettings

Answer = tuple[int, dict[str, Any]]
SECRET, REFRESH = "client-secret-1", "refresh-token-1"


class TokenServer:
    """Gives `token-1`, `token-2` …; `answer` may be set to answer otherwise. `asked` keeps the forms."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.good: set[str] = set()  # share it with a mail server's account
        self.life: int | None = 3600
        self.answer: Callable[[dict[str, str]], Answer] = self.gives
        self.silent = False
        self.port = 0
        self._lines: set[asyncio.Task[None]] = set()

    def gives(self, form: dict[str, str]) -> Answer:
        token = f"token-{len(self.asked)}"
        self.good.add(token)
        life = {} if self.life is None else {"expires_in": self.life}
        return 200, {"access_token": token, "token_type": "Bearer", **life}

    def refuses(self, error: str, description: str = "", status: int = 400) -> None:
        told = {"error": error, "error_description": description}
        self.answer = lambda form: (status, told)

    def settings(self, **more: Any) -> OAuthSettings:
        known = {"token_url": f"http://127.0.0.1:{self.port}/token", "client_id": "desk-client"}
        known |= {"client_secret": SECRET, "refresh_token": REFRESH}
        return OAuthSettings.model_validate({**known, **more})

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TokenServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._lines:
                task.cancel()
            await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split()[0])
            form = parse_qs((await reader.readexactly(length)).decode())
            self.asked.append({name: values[0] for name, values in form.items()})
            if self.silent:
                await asyncio.Event().wait()
            status, told = self.answer(self.asked[-1])
            body = json.dumps(told).encode()
            line = f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n"
            writer.write(f"{line}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            writer.close()
            self._lines.discard(task)


class TokenPost:
    """A handler for aiosmtpd that signs in by token only and keeps what comes."""

    def __init__(self, user: str, good: set[str]) -> None:
        self.user, self.good = user, good
        self.mails: list[bytes] = []
        self.sign_ins: list[str] = []

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._judge(server, args[1])

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._judge(server, args[1])

    async def _judge(self, server: SMTP, first: str) -> AuthResult:
        words = b64decode(first).decode()
        token = words.partition("auth=Bearer ")[2].partition("\1")[0]
        self.sign_ins.append(token)
        if self.user in words and token in self.good:
            return AuthResult(success=True, auth_data=self.user)
        told = b64encode(b'{"status":"400","schemes":"Bearer"}').decode()
        await server.push(f"334 {told}")
        await server._reader.readline()
        await server.push("535 5.7.8 the token is not good here")
        return AuthResult(success=False, handled=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if not session.authenticated:
            return "530 5.7.0 sign in first"
        self.mails.append(bytes(envelope.content))
        return "250 OK"
