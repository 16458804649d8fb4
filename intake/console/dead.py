"""One dead letter, seen through the mask."""

from fastapi import APIRouter, Request, Response

from subjectline.handlers import dead_letters
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.glimpse import glimpse

router = APIRouter(route_class=AgentRoute, prefix="/dead/{handle}")


@router.get("")
async def show(request: Request, handle: str) -> Response:
    letter = await dead_letters.opened(desk_of(request), handle, actor_of(request))
    text = glimpse(letter.row.door, letter.body) if letter.body is not None else ""
    return pages_of(request).page(
        request, "dead_letter", row=letter.row, text=text, gone=letter.body is None
    )
