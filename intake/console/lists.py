"""The queue, the search, what is unsorted and what could not be handled."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from subjectline.handlers import opaque, queries, sorting
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go

router = APIRouter(route_class=AgentRoute)


@router.get("/")
async def home() -> Response:
    return RedirectResponse("/queue", 303)


@router.get("/queue")
async def queue(request: Request, show: str = "todo", after: str = "") -> Response:
    show = show if show in queries.SHOWN else "todo"
    found = await queries.queue(desk_of(request), show, after)
    return pages_of(request).page(
        request, "queue", show=show, queue=found, counts=found.counts, after=after
    )


@router.post("/find")
async def find(request: Request, q: Annotated[str, Form()] = "") -> Response:
    """By POST and shown at once: what is searched for may be somebody's address."""
    found = await queries.find(desk_of(request), q, actor_of(request))
    if len(found.rows) == 1 and found.rows[0].reference == q.strip().upper():
        return go(f"/requests/{found.rows[0].reference}")
    return pages_of(request).page(
        request, "found", found=found, q=q, counts=await queries.counts(desk_of(request))
    )


@router.get("/unsorted")
async def unsorted(request: Request) -> Response:
    desk = desk_of(request)
    return pages_of(request).page(
        request, "unsorted", rows=await queries.unsorted(desk), counts=await queries.counts(desk)
    )


@router.get("/dead")
async def dead(request: Request) -> Response:
    desk = desk_of(request)
    return pages_of(request).page(
        request, "dead", rows=await queries.dead(desk), counts=await queries.counts(desk)
    )


@router.post("/dead/{handle}/retry")
async def retry(request: Request, handle: str) -> Response:
    desk = desk_of(request)
    number = opaque.show(desk.vault, "raw_inbox", handle)
    await sorting.retry_dead(desk, number, actor_of(request))
    return go("/dead", "retried")
