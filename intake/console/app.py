"""Builds the console."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from subjectline.handlers import casefile
from subjectline.handlers.views import Step
from subjectline.intake.console import (
    archive,
    calls,
    conversations,
    dead,
    deeds,
    exports,
    files,
    legal_holds,
    lists,
    notices,
    papers,
    proxies,
    requests,
    restrictions,
    retention,
    returned,
    signing,
)
from subjectline.intake.console.guard import desk_of, pages_of
from subjectline.intake.shield import Shield, covered
from subjectline.intake.web import STATIC, Pages
from subjectline.models.errors import StaleMove, SubjectlineError

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KEEPING = (restrictions, legal_holds, papers, archive, retention)
TYPED = ("reason", "note", "member", "name", "text_ko", "text_en")


def create_console(desk: "Desk") -> FastAPI:
    """The internal application: sign-in, lists, requests, conversations, notices, what is kept."""
    app = FastAPI(title="Subjectline", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.state.pages = Pages(desk, "console", _context)
    for part in (
        signing,
        lists,
        dead,
        requests,
        files,
        exports,
        deeds,
        calls,
        proxies,
        conversations,
        returned,
        notices,
        *KEEPING,
    ):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Shield)
    app.add_exception_handler(SubjectlineError, _refused)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    return app


def _context(request: Request) -> Mapping[str, Any]:
    """What every page of the console knows: who is signed in, and where it stands."""
    signed = getattr(request.state, "agent", None)
    return {
        "agent": signed,
        "csrf": signed.csrf if signed else "",
        "path": request.url.path,
        # a page that answers a form cannot be loaded again in the other language
        "again": "" if request.method == "GET" else "/queue",
    }


async def _refused(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, SubjectlineError)
    return pages_of(request).refusal(
        request,
        wrong,
        back=_back(request),
        steps=await _steps(request, wrong),
        wrote=_wrote(request),
    )


async def _steps(request: Request, wrong: Exception) -> tuple[Step, ...]:
    """What happened to the request since the agent loaded it."""
    reference = request.path_params.get("reference")
    seen = _form(request).get("version", "")
    if not isinstance(wrong, StaleMove) or not reference or not str(seen).isdecimal():
        return ()
    return await casefile.changed_since(desk_of(request), reference, int(str(seen)))


def _back(request: Request) -> str:
    """The page that the form stood on."""
    if "reference" in request.path_params:
        return f"/requests/{request.path_params['reference']}"
    if "handle" in request.path_params and request.url.path.startswith("/conversations/"):
        return f"/conversations/{request.path_params['handle']}"
    return "/queue"


def _wrote(request: Request) -> dict[str, str]:
    """The texts of the form, so that nothing typed is lost."""
    return {
        name: value
        for name, value in _form(request).items()
        if (name in TYPED or name.startswith("value.")) and isinstance(value, str) and value.strip()
    }


def _form(request: Request) -> Mapping[str, Any]:
    form: Mapping[str, Any] = getattr(request.state, "form", {})
    return form


async def _incomplete(request: Request, wrong: Exception) -> Response:
    return pages_of(request).sorry(request, "form", 422, back=_back(request), wrote=_wrote(request))


async def _http(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    return pages_of(request).sorry(request, str(wrong.status_code), wrong.status_code)


async def _broken(request: Request, wrong: Exception) -> Response:
    return covered(pages_of(request).sorry(request, "500", 500))
