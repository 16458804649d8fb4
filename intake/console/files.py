"""What came attached: always a download, never shown; what is kept apart only on the agent's word."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import attachments
from subjectline.handlers.views import OpenedFile
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, saved_name
from subjectline.models.errors import BadInput

router = APIRouter(route_class=AgentRoute, prefix="/files/{handle}")

# Whatever a browser makes of it, it may do nothing: no script, no form, no request, an origin of its own.
DOWNLOAD_POLICY = "default-src 'none'; sandbox"


@router.get("")
async def file(request: Request, handle: str) -> Response:
    """The file, or the page that says why it is kept apart."""
    desk, actor = desk_of(request), actor_of(request)
    shown = await attachments.named(desk, handle, actor)
    if shown.held:
        return pages_of(request).page(request, "file", file=shown)
    return _download(await attachments.open_file(desk, handle, actor))


@router.post("/open")
async def open_apart(
    request: Request, handle: str, knowing: Annotated[str, Form()] = ""
) -> Response:
    """The agent's word that they know: recorded, then a download."""
    if knowing != "yes":
        raise BadInput("tick the box first", field="knowing")
    opened = await attachments.open_file(desk_of(request), handle, actor_of(request), knowing=True)
    return _download(opened)


@router.post("/destroy")
async def destroy(request: Request, handle: str) -> Response:
    await attachments.destroy(desk_of(request), handle, actor_of(request))
    return go(f"/files/{quote(handle)}", "file_destroyed")


def _download(opened: OpenedFile) -> Response:
    """RFC 6266: a plain name for old clients, the whole one by RFC 8187."""
    name = saved_name(opened.name, apart=opened.apart)
    plain = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name
    )
    told = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {
        "Content-Disposition": told,
        "Content-Security-Policy": DOWNLOAD_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Download-Options": "noopen",
    }
    return Response(opened.content, media_type="application/octet-stream", headers=headers)
