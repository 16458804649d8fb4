"""Who may come in: every route of the console but the sign-in is an `AgentRoute`.

No session leads to the sign-in page; a form without its session's token is refused. Nothing else in
the console checks this, so a new route cannot forget it.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from subjectline.handlers import agents
from subjectline.handlers.agents import SignedIn
from subjectline.handlers.audit import Actor, agent
from subjectline.intake.shield import from_here, same
from subjectline.intake.web import Pages

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

SESSION_COOKIE = "sl_agent"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class AgentRoute(APIRoute):
    """A route that only runs for a signed-in agent, and only on forms of their own session."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            signed = await _signed_in(request)
            if signed is None:
                return RedirectResponse(f"/sign-in{_afterwards(request)}", 303)
            request.state.agent = signed
            if request.method not in ("GET", "HEAD") and not await _own_form(request, signed):
                return pages_of(request).sorry(request, "form", 403)
            return await inner(request)

        return guarded


async def _signed_in(request: Request) -> SignedIn | None:
    token = request.cookies.get(SESSION_COOKIE, "")
    return await agents.session_of(desk_of(request), token) if token else None


async def _own_form(request: Request, signed: SignedIn) -> bool:
    form = await request.form()
    request.state.form = form
    return from_here(request) and same(form.get("csrf", ""), signed.csrf)


def _afterwards(request: Request) -> str:
    """Where to go once signed in: only pages, and only ours."""
    path = request.url.path
    return f"?next={quote(path)}" if request.method == "GET" and path != "/" else ""


def desk_of(request: Request) -> "Desk":
    desk: Desk = request.app.state.desk
    return desk


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def agent_of(request: Request) -> SignedIn:
    signed: SignedIn = request.state.agent
    return signed


def actor_of(request: Request) -> Actor:
    """The agent as audit rows name them, with the address they work from."""
    where = request.client.host if request.client else ""
    return agent(agent_of(request).agent_id, f"console {where}".strip())
