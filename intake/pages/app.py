"""Builds the public application."""

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from subjectline.intake.pages import (
    files,
    forms,
    member,
    mobile,
    papers,
    policy,
    proxy,
    stop,
    told,
)
from subjectline.intake.shield import Shield, covered
from subjectline.intake.web import STATIC, Pages
from subjectline.models.errors import SubjectlineError

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PREFIXES = ("/policy", "/m/")  # what is ours where both applications share a port


def create_pages(desk: "Desk") -> FastAPI:
    """The public application: `/policy`, `/policy/<name>`, `/m/<token>` and its files."""
    app = FastAPI(title="Subjectline", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.state.pages = Pages(desk, "pages")
    app.include_router(policy.router)
    app.include_router(mobile.router)
    app.include_router(proxy.router)
    app.include_router(stop.router)
    app.include_router(told.router)
    app.include_router(member.router)
    app.include_router(files.router)
    app.include_router(forms.router)
    app.include_router(papers.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Shield, uploads={papers.PATH: papers.largest_body(desk.files)})
    app.add_exception_handler(SubjectlineError, _refused)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    return app


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


async def _refused(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, SubjectlineError)
    pages = _pages(request)
    return pages.refusal(request, wrong)


async def _incomplete(request: Request, wrong: Exception) -> Response:
    return _pages(request).sorry(request, "other", 422)


async def _http(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    return _pages(request).sorry(request, str(wrong.status_code), wrong.status_code)


async def _broken(request: Request, wrong: Exception) -> Response:
    return covered(_pages(request).sorry(request, "500", 500))
