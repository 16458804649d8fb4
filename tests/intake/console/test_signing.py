"""Signing in, out, and what an outsider gets."""

from datetime import timedelta

import pytest
from browsers import PASSWORD, Browser, actions
from desks import Office
from sqlmodel import select

from subjectline.handlers import agents
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.keys import token_hash
from subjectline.models.tables import Agent, AgentSession


async def test_a_stranger_is_led_to_the_sign_in(stranger: Browser) -> None:
    response = await stranger.get("/queue")
    assert response.url.path == "/sign-in"
    assert response.url.params["next"] == "/queue"


@pytest.mark.parametrize(
    "path", ["/", "/queue", "/unsorted", "/dead", "/notices", "/requests/SL-X"]
)
async def test_no_page_opens_without_a_session(stranger: Browser, path: str) -> None:
    response = await stranger.http.get(path, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/sign-in")


async def test_no_form_is_taken_without_a_session(stranger: Browser) -> None:
    response = await stranger.http.post("/requests/SL-X/approve", follow_redirects=False)
    assert response.headers["location"] == "/sign-in"


async def test_the_session_is_kept_as_a_hash(stranger: Browser, staffed: Office) -> None:
    response = await stranger.sign_in("bora")
    assert response.url.path == "/queue"
    token = stranger.http.cookies["sl_agent"]
    rows = await staffed.all(AgentSession)
    assert rows[-1].token_hash == token_hash(token)


async def test_the_cookie_is_out_of_reach(stranger: Browser) -> None:
    await stranger.get("/sign-in")
    form = {**stranger.hidden("/sign-in"), "login": "bora", "password": PASSWORD}
    response = await stranger.http.post("/sign-in", data=form, follow_redirects=False)
    cookie = next(c for c in response.headers.get_list("set-cookie") if c.startswith("sl_agent="))
    for part in ("HttpOnly", "SameSite=strict", "Secure"):
        assert part in cookie


async def test_unknown_and_wrong_read_the_same(stranger: Browser) -> None:
    wrong = await stranger.sign_in("bora", "not the password")
    unknown = await stranger.sign_in("nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("bora", "") == unknown.text.replace("nobody", "")


async def test_five_wrong_tries_lock_for_a_quarter_of_an_hour(staffed: Office) -> None:
    for _ in range(5):
        with pytest.raises(NotPermitted):
            await agents.sign_in(staffed.desk, "bora", "not the password")
    with pytest.raises(NotPermitted):
        await agents.sign_in(staffed.desk, "bora", PASSWORD)
    staffed.clock.advance(timedelta(minutes=15, seconds=1))
    assert (await agents.sign_in(staffed.desk, "bora", PASSWORD)).name == "한보라"


async def test_a_disabled_account_stays_out(staffed: Office) -> None:
    signed = await agents.sign_in(staffed.desk, "bora", PASSWORD)
    async with staffed.desk.db.write() as session:
        row = (await session.exec(select(Agent).where(Agent.login == "bora"))).one()
        row.disabled_at = staffed.clock()
    assert await agents.session_of(staffed.desk, signed.token) is None
    with pytest.raises(NotPermitted):
        await agents.sign_in(staffed.desk, "bora", PASSWORD)


@pytest.mark.parametrize(
    ("idle", "alive"), [(timedelta(hours=1), True), (timedelta(hours=3), False)]
)
async def test_a_session_left_alone_ends(staffed: Office, idle: timedelta, alive: bool) -> None:
    signed = await agents.sign_in(staffed.desk, "bora", PASSWORD)
    staffed.clock.advance(idle)
    assert (await agents.session_of(staffed.desk, signed.token) is not None) is alive


async def test_a_busy_session_ends_after_twelve_hours(staffed: Office) -> None:
    signed = await agents.sign_in(staffed.desk, "bora", PASSWORD)
    for _ in range(11):
        staffed.clock.advance(timedelta(hours=1))
        assert await agents.session_of(staffed.desk, signed.token) is not None
    staffed.clock.advance(timedelta(hours=1))
    assert await agents.session_of(staffed.desk, signed.token) is None


async def test_signing_out_ends_the_session(console: Browser, staffed: Office) -> None:
    token = console.http.cookies["sl_agent"]
    response = await console.post("/sign-out")
    assert response.url.path == "/sign-in"
    assert await agents.session_of(staffed.desk, token) is None
    assert "sign_out" in await actions(staffed)


async def test_a_form_of_another_site_is_refused(console: Browser) -> None:
    await console.get("/queue")
    form = console.hidden("/sign-out")
    response = await console.http.post(
        "/sign-out", data=form, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403
    assert (await console.get("/queue")).url.path == "/queue"


async def test_a_form_without_its_token_is_refused(console: Browser) -> None:
    response = await console.http.post("/sign-out", data={"csrf": "guessed"})
    assert response.status_code == 403
    assert "화면이 오래되었습니다" in response.text


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_signing_in_never_leads_off_the_site(stranger: Browser, elsewhere: str) -> None:
    await stranger.get("/sign-in", next=elsewhere)
    response = await stranger.post("/sign-in", login="bora", password=PASSWORD)
    assert response.url.path == "/queue"


@pytest.mark.parametrize(
    ("login", "name", "password"),
    [
        ("bora", "B", PASSWORD),
        ("x y", "X", PASSWORD),
        ("new", " ", PASSWORD),
        ("new", "N", "short"),
    ],
)
async def test_what_an_account_may_not_be(
    staffed: Office, login: str, name: str, password: str
) -> None:
    with pytest.raises(BadInput):
        await agents.add(staffed.desk, login, name, password)


async def test_the_password_is_argon2id(staffed: Office) -> None:
    rows = await staffed.all(Agent, Agent.login == "bora")
    assert rows[0].password_hash.startswith("$argon2id$")
