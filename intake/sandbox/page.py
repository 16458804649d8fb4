"""`/sandbox`: the member, the agents and the company side by side, on one page that follows the world.

Every button is an ordinary form, so the page can be read and used without a script; with one, forms
are sent in place and the parts that changed are fetched after each event of `/sandbox/events`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from subjectline.handlers import agents
from subjectline.intake.console.guard import SESSION_COOKIE
from subjectline.intake.sandbox import board, mobile_provider, partners, samples
from subjectline.intake.sandbox.director import Director
from subjectline.intake.sandbox.people import Person
from subjectline.intake.sandbox.stage import Stage
from subjectline.intake.sandbox.stories import KINDS
from subjectline.intake.sandbox.world import AGENTS, PASSWORD
from subjectline.intake.shield import PAGE_POLICY, Shield, from_here
from subjectline.intake.web import LANGUAGES, Pages, status_of
from subjectline.models.errors import BadInput, SubjectlineError
from subjectline.models.regimes import regime_named

POLICY = f"{PAGE_POLICY}; connect-src 'self'"
DOORS = ("mail", "chat", "texts")
QUIET = 15.0  # seconds of silence after which the line is shown to be alive
Deed = Callable[["Sandbox", FormData], Awaitable[object]]


def routes(stage: Stage) -> list[BaseRoute]:
    """The routes that the sandbox adds to the desk's own: its page, and the chat's Bot API."""
    sandbox = Sandbox(stage)
    page = Shield(
        Starlette(
            routes=[
                Route("/sandbox", sandbox.show),
                Route("/sandbox/live", sandbox.live),
                Route("/sandbox/events", sandbox.events),
                Route("/sandbox/agents/{login}", sandbox.become, methods=["POST"]),
                Route("/sandbox/{deed}", sandbox.do, methods=["POST"]),
            ]
        )
    )
    return [
        *mobile_provider.routes(stage),
        Route("/sandbox", page),
        Route("/sandbox/{rest:path}", page),
        Mount("/telegram", stage.world.telegram.app),
        Mount("/sms", stage.world.texts.app),
        Mount(partners.PATH, stage.world.partners.app),
    ]


class Sandbox:
    """The page of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.director = stage, Director(stage)
        stage.closers.append(self.director.close)
        self._pages = Pages(stage.desk, "sandbox")

    # looking

    async def show(self, request: Request) -> Response:
        return await self._page(request, "page")

    async def live(self, request: Request) -> Response:
        """The parts that follow the world, for the page's script."""
        return await self._page(request, "live")

    async def events(self, request: Request) -> Response:
        """Server-sent events: one line whenever there is something new to look at."""
        return StreamingResponse(
            self._beats(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def _beats(self) -> AsyncIterator[str]:
        pulse, seen = self.stage.pulse, None
        while not pulse.closed:
            count = pulse.count
            looks = (*await board.looks(self.stage), *self.director.looks)
            if looks != seen or count == pulse.count:
                yield "data: changed\n\n" if looks != seen else ": still here\n\n"
            seen = looks
            await pulse.after(count, QUIET)

    async def _page(self, request: Request, name: str, status: int = 200, **more: Any) -> Response:
        language = self._pages.language(request)
        shown = await self._shown(request, language)
        response = self._pages.page(request, name, status, **shown, **{"trouble": "", **more})
        response.headers["Content-Security-Policy"] = POLICY
        return response

    async def _shown(self, request: Request, language: str) -> dict[str, Any]:
        """Everything the templates need. While a story is played the page follows its member."""
        stage, director = self.stage, self.director
        who = _one_of(LANGUAGES, request.query_params.get("who"), language)
        door = _one_of(DOORS, request.query_params.get("door"), "mail")
        play = director.play
        if play is not None and director.playing:
            who, door = play.story.language, play.story.door
        person = stage.cast.now[who]
        return {
            "who": who,
            "door": door,
            "person": person,
            "cast": stage.cast.now,
            "letters": board.letters(stage, person),
            "lines": board.lines(stage, person),
            "texts": board.texts(stage, person),
            "code_of": board.code_of,
            "keyboard": stage.world.telegram.keyboard(stage.cast.chat_of(person)),
            "bot": stage.world.telegram.state.world.bot.id,
            "samples": samples.of("mail" if door == "texts" else door, who),
            "cases": await board.cases(stage),
            "deeds": await board.deeds(stage),
            "agents": AGENTS,
            "side": await board.company(stage, person),
            "play": play,
            "playing": director.playing,
            "passed": director.passed,
            "now": stage.desk.clock(),
            "moved": stage.world.clock.ahead.days,
            "linked": board.linked,
            "address": stage.desk.manner.address,
            "from_unix": board.from_unix,
            "reflowed": board.reflowed,
            "hour": self._hour,
            **self._labels(language),
        }

    def _hour(self, at: datetime) -> str:
        """The time of a day in the regime's zone; before today with its day."""
        zone = regime_named(self.stage.desk.manner.regime).tz
        local, now = at.astimezone(zone), self.stage.desk.clock().astimezone(zone)
        return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%m.%d. %H:%M}"

    def _labels(self, language: str) -> dict[str, Any]:
        """Words of the data map in the page's language."""
        known = self.stage.desk.data_map
        return {
            "zone": regime_named(self.stage.desk.manner.regime).tz,
            "system_label": lambda name: known.callers[name].labels.text(language),
            "recipient_label": lambda name: known.recipients[name].labels.text(language),
            "consent_label": lambda name: known.consents[name].labels.text(language),
            "fields": lambda names: [known.fields[name].labels.text(language) for name in names],
            "purposes": lambda names: [
                known.purposes[name].labels.text(language) for name in names
            ],
        }

    # doing

    async def do(self, request: Request) -> Response:
        """One of the page's forms; afterwards the page again, or nothing for the script."""
        form = await request.form()
        deed = DEEDS.get(request.path_params["deed"])
        try:
            if deed is None or not from_here(request):
                raise BadInput("there is no such button on this page", field="form")
            await deed(self, form)
        except SubjectlineError as wrong:
            return await self._page(request, "page", status_of(wrong), trouble=str(wrong))
        if "x-live" in request.headers:
            return Response(status_code=204)
        who, door = _text(form, "who") or "ko", _text(form, "door") or "mail"
        return RedirectResponse(f"/sandbox?who={who}&door={door}", 303)

    async def become(self, request: Request) -> Response:
        """Opens the console signed in as one of the two agents."""
        login = request.path_params["login"]
        form = await request.form()
        if not from_here(request) or login not in {each[0] for each in AGENTS}:
            return await self._page(request, "page", 403, trouble="")
        signed = await agents.sign_in(self.stage.desk, login, PASSWORD, "sandbox")
        reference = _text(form, "reference")
        response = RedirectResponse(f"/requests/{reference}" if reference else "/queue", 303)
        response.set_cookie(SESSION_COOKIE, signed.token, httponly=True, samesite="strict")
        return response

    def person(self, form: FormData) -> Person:
        """The member whom the form is about."""
        return self.stage.cast.now[_one_of(LANGUAGES, _text(form, "who"), "ko")]


async def _mail(sandbox: Sandbox, form: FormData) -> None:
    """A sample or typed words, as a new mail or in answer to the newest one."""
    cast, person, kind = sandbox.stage.cast, sandbox.person(form), _text(form, "sample")
    if kind:
        chosen = samples.sample("mail", person, kind)
        await cast.write(person, chosen.subject, chosen.text)
        return
    mails, text = cast.mails(person), _text(form, "text")
    if _text(form, "as") == "answer" and mails:
        await cast.answer(person, mails[-1], text)
    else:
        await cast.write(person, text.splitlines()[0][:40] if text else "", text)


async def _chat(sandbox: Sandbox, form: FormData) -> None:
    """A sample, typed words, the member's own number, or a button under one of the bot's lines."""
    cast, person, kind = sandbox.stage.cast, sandbox.person(form), _text(form, "sample")
    if kind == "email":
        cast.say(person, person.email)
    elif press := _text(form, "press"):
        number, _, data = press.partition(" ")
        cast.press(person, int(number) if number.isdecimal() else 0, data)
    elif kind:
        cast.say(person, samples.sample("chat", person, kind).text)
    else:
        cast.say(person, _text(form, "text"))


async def _approve(sandbox: Sandbox, form: FormData) -> None:
    """Signs a request on the console's own form, as one of the agents."""
    login = _one_of([each[0] for each in AGENTS], _text(form, "agent"), AGENTS[0][0])
    await sandbox.stage.agent(login).approve(_text(form, "reference"))


async def _try(sandbox: Sandbox, form: FormData) -> None:
    """One of the company's systems asks the gate."""
    systems = sandbox.stage.systems
    name = _one_of(list(systems.all), _text(form, "system"), next(iter(systems.all)))
    await systems.ask(name, sandbox.person(form).member)
    sandbox.stage.pulse.beat()


async def _play(sandbox: Sandbox, form: FormData) -> None:
    kind = _one_of((*KINDS, "notice"), _text(form, "kind"), "correction")
    who = _one_of(LANGUAGES, _text(form, "who"), "ko")
    door = _one_of(DOORS, _text(form, "door"), "mail")
    sandbox.director.start(kind if kind == "notice" else f"{kind}-{who}-{door}")


async def _attack(sandbox: Sandbox, form: FormData) -> None:
    kind = _one_of(("forged", "code", "other"), _text(form, "kind"), "forged")
    sandbox.director.start(f"attack-{kind}-{_one_of(LANGUAGES, _text(form, 'who'), 'ko')}")


async def _later(sandbox: Sandbox, form: FormData) -> None:
    await sandbox.director.later()


async def _next(sandbox: Sandbox, form: FormData) -> None:
    """Another member takes the stage, to whom nothing has happened yet."""
    sandbox.stage.cast.next(_one_of(LANGUAGES, _text(form, "who"), "ko"))
    sandbox.stage.pulse.beat()


DEEDS: dict[str, Deed] = {
    "mail": _mail,
    "chat": _chat,
    "approve": _approve,
    "try": _try,
    "play": _play,
    "attack": _attack,
    "later": _later,
    "next": _next,
}


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _one_of(known: Any, wanted: str | None, otherwise: str) -> str:
    return wanted if wanted is not None and wanted in known else otherwise
