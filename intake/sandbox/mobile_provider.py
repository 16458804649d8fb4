"""The sandbox's provider of mobile identity proof: it asks who you are and believes you.

It speaks the provider's side of `handlers.mobile_identity`: checks our signed start, asks the person,
and lets their browser post a signed result back. A real provider would ask the person's phone.
"""

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from subjectline.handlers import mobile_identity
from subjectline.intake.shield import Shield
from subjectline.intake.web import Pages
from subjectline.models.mobile_settings import MobileSettings

if TYPE_CHECKING:
    from subjectline.intake.sandbox.stage import Stage

PATH = "/sandbox/identity"
CLIENT = "moment-pick"
ASKED = ("client", "nonce", "back", "at", "signature")


def settings(base: str) -> MobileSettings:
    """What the sandbox's desk is told of its provider; the secret is new each time."""
    return MobileSettings.model_validate(
        {"url": f"{base}{PATH}", "client": CLIENT, "secret": secrets.token_urlsafe(32)}
    )


def routes(stage: "Stage") -> list[BaseRoute]:
    """The provider's two pages."""
    provider = Provider(stage)
    app = Shield(
        Starlette(
            routes=[
                Route(PATH, provider.ask),
                Route(PATH, provider.answer, methods=["POST"]),
            ]
        )
    )
    return [Route(PATH, app)]


class Provider:
    """Whose start is signed is asked who they are; a person has a CI of their own, made of the name."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self._pages = Pages(stage.desk, "sandbox")

    async def ask(self, request: Request) -> Response:
        """The form, filled with the members that the sandbox shows."""
        asked = {name: request.query_params.get(name, "") for name in ASKED}
        if not self._signed(request.url.query):
            return Response("The start was not signed by a client of ours.", 400)
        people = [await self._known(person) for person in self._stage.cast.now.values()]
        return self._pages.page(request, "identity", asked=asked, people=people, path=PATH)

    async def answer(self, request: Request) -> Response:
        """A page whose one button posts the signed result to the client."""
        form = await request.form()
        said = {name: str(form.get(name, "")) for name in ("name", "phone", "birth")}
        told = said | {
            "client": self._settings.client,
            "nonce": str(form.get("nonce", "")),
            "at": int(self._stage.desk.clock().timestamp()),
            "ci": hashlib.sha256(f"{said['name']}{said['birth']}".encode()).hexdigest(),
        }
        result = mobile_identity.packed(told)
        signature = mobile_identity.sign(self._secret, "result", result)
        return self._pages.page(
            request, "identity_back", back=str(form.get("back", "")),
            result=result, signature=signature,
        )  # fmt: skip

    async def _known(self, person: Any) -> dict[str, str]:
        held = await self._stage.desk.registry.read(person.member, ["birth_date"])
        return {"name": person.name, "phone": person.phone, "birth": held["birth_date"] or ""}

    def _signed(self, query: str) -> bool:
        asked, _, signature = query.rpartition("&signature=")
        wanted = mobile_identity.sign(self._secret, "start", asked)
        return hmac.compare_digest(wanted, signature)

    @property
    def _settings(self) -> MobileSettings:
        found = self._stage.desk.mobile
        assert found is not None  # the sandbox's own settings
        return found

    @property
    def _secret(self) -> str:
        return self._settings.secret.get_secret_value()
