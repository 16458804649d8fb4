"""Access tokens: had once, replaced in time, one request at a time, and refusals that are said."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from servers import free_port
from token_desk import REFRESH, SECRET, TokenServer

from subjectline.handlers.senders.tokens import TokenSource, TokenSources, oauthbearer, xoauth2
from subjectline.models.errors import TokenError, TokenRefused
from subjectline.models.mail_settings import OAuthSettings


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    async with TokenServer().running() as one:
        yield one


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_token_is_kept_until_shortly_before_its_end(server: TokenServer) -> None:
    time = Time()
    source = TokenSource(server.settings(scope="mail"), monotonic=time)
    assert [await source.token() for _ in range(3)] == ["token-1"] * 3
    time.now = 3599 - 300
    assert await source.token() == "token-1"
    time.now = 3601 - 300
    assert await source.token() == "token-2"
    assert server.asked[0] == {
        "grant_type": "refresh_token",
        "refresh_token": REFRESH,
        "client_id": "desk-client",
        "client_secret": SECRET,
        "scope": "mail",
    }


@pytest.mark.parametrize(("life", "used"), [(40, 30), (None, 450)])
async def test_a_short_life_is_used_to_three_quarters(
    server: TokenServer, life: int | None, used: int
) -> None:
    time, server.life = Time(), life
    source = TokenSource(server.settings(), monotonic=time)
    await source.token()
    time.now = used - 1
    assert await source.token() == "token-1"
    time.now = used + 1
    assert await source.token() == "token-2"


async def test_a_client_may_sign_in_for_itself(server: TokenServer) -> None:
    await TokenSource(server.settings(refresh_token="")).token()
    assert server.asked[0]["grant_type"] == "client_credentials"
    assert "refresh_token" not in server.asked[0]


async def test_one_request_at_a_time_for_all_doors(server: TokenServer) -> None:
    sources = TokenSources()
    first, second = sources.of(server.settings()), sources.of(server.settings())
    assert first is second and first is not None
    assert sources.of(None) is None
    found = await asyncio.gather(*(first.token() for _ in range(20)))
    assert set(found) == {"token-1"} and len(server.asked) == 1


async def test_a_spent_token_is_replaced_and_an_old_one_spends_nothing(server: TokenServer) -> None:
    source = TokenSource(server.settings())
    source.spent(await source.token())
    assert await source.token() == "token-2"
    source.spent("token-1")
    assert await source.token() == "token-2"


@pytest.mark.parametrize(
    ("error", "description", "words", "remedy"),
    [
        ("invalid_client", "", "does not know the client", "client_secret"),
        ("invalid_client", "AADSTS7000222: old", "secret is wrong or expired", "client_secret"),
        (
            "invalid_grant",
            "",
            "refresh token is expired or was withdrawn (invalid_grant)",
            "Sign in",
        ),
        (
            "invalid_grant",
            "AADSTS700082: …",
            "is expired or was withdrawn (AADSTS700082)",
            "Sign in",
        ),
        ("invalid_grant", "AADSTS65001: …", "nobody has allowed", "administrator"),
        ("unauthorized_client", "", "may not ask for tokens in this way", "console"),
        ("invalid_scope", "", "does not know the scope", "scope"),
        ("<b>odd</b>", "privacy@desk.test", "gave no token (400)", "oauth"),
    ],
)
async def test_a_refusal_is_told_in_words_of_ours(
    server: TokenServer, error: str, description: str, words: str, remedy: str
) -> None:
    server.refuses(error, description)
    with pytest.raises(TokenRefused) as caught:
        await TokenSource(server.settings()).token()
    said = str(caught.value)
    assert words in said and remedy in said
    assert not {REFRESH, SECRET, "privacy@desk.test", "odd"} & set(said.replace(".", " ").split())


async def test_a_server_that_refuses_is_asked_seldom(server: TokenServer) -> None:
    time = Time()
    source = TokenSource(server.settings(retry_seconds=60, retry_max_seconds=200), monotonic=time)
    server.refuses("invalid_grant")
    asked = []
    for now in (0, 1, 59, 61, 100, 179, 182, 381, 383):
        time.now = now
        with pytest.raises(TokenRefused, match="invalid_grant"):
            await source.token()
        asked.append(len(server.asked))
    assert asked == [1, 1, 1, 2, 2, 2, 3, 3, 4]
    server.answer, time.now = server.gives, 1000
    assert (await source.token()).startswith("token-")


async def test_a_server_that_is_away_or_silent_is_no_refusal(server: TokenServer) -> None:
    away = server.settings(token_url=f"http://127.0.0.1:{free_port()}/token")
    server.silent = True
    for settings in (away, server.settings(seconds=0.1)):
        with pytest.raises(TokenError, match="cannot be reached") as caught:
            await TokenSource(settings).token()
        assert not isinstance(caught.value, TokenRefused)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_of_the_server_is_no_refusal(server: TokenServer, status: int) -> None:
    server.refuses("temporarily_unavailable", status=status)
    with pytest.raises(TokenError, match=f"answered {status}") as caught:
        await TokenSource(server.settings()).token()
    assert not isinstance(caught.value, TokenRefused)


@pytest.mark.parametrize("token", [None, "", 7, "two words", "line\r\nend"])
async def test_an_answer_without_a_token_is_none(server: TokenServer, token: object) -> None:
    server.answer = lambda form: (200, {"access_token": token})
    with pytest.raises(TokenError, match="holds no token"):
        await TokenSource(server.settings()).token()


async def test_a_newer_refresh_token_outlives_the_process(
    server: TokenServer, tmp_path: Path
) -> None:
    def rotate(form: dict[str, str]) -> tuple[int, dict[str, object]]:
        number = len(server.asked)
        return 200, {"access_token": f"t{number}", "refresh_token": f"newer-{number}"}

    server.answer, keep = rotate, tmp_path / "refresh"
    for _ in range(3):
        await TokenSource(server.settings(keep=keep)).token()
    assert [form["refresh_token"] for form in server.asked] == [REFRESH, "newer-1", "newer-2"]
    assert keep.stat().st_mode & 0o777 == 0o600
    await TokenSource(server.settings(keep=keep, refresh_token="set-by-hand")).token()
    assert server.asked[-1]["refresh_token"] == "set-by-hand"


async def test_a_file_that_cannot_be_written_costs_no_token(
    server: TokenServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda form: (200, {"access_token": "t", "refresh_token": "newer"})
    caplog.set_level(logging.ERROR)
    assert await TokenSource(server.settings(keep=tmp_path / "no" / "refresh")).token() == "t"
    assert "cannot be kept" in caplog.text and "newer" not in caplog.text


async def test_no_secret_is_in_logs_or_names(
    server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = server.settings()
    token = await TokenSource(settings).token()
    told = caplog.text + repr(settings)
    assert not [secret for secret in (SECRET, REFRESH, token) if secret in told]


def test_a_token_server_is_reached_over_tls() -> None:
    known = {"client_id": "c", "client_secret": "s"}
    for bad in ("http://login.test/token", "ftp://x.test", "login.test/token", "https://"):
        with pytest.raises(ValidationError):
            OAuthSettings.model_validate({"token_url": bad, **known})
    with pytest.raises(ValidationError, match="refresh_token or a client_secret"):
        OAuthSettings(token_url="https://login.test/token", client_id="c")


def test_the_words_of_both_mechanisms() -> None:
    """Google's own example, and that of RFC 7628 section 4.1."""
    google = xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")
    assert google == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJo"
        b"ZG1semRHRXVZMjl0Q2cBAQ=="
    )
    rfc = oauthbearer(
        "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143
    )
    assert rfc == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZG"
        b"OWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
