"""The gate over HTTP for callers that ask in words of their own (handlers/gate_words.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from subjectline.handlers.gate import Ask
from subjectline.handlers.gate_file import FileGate
from subjectline.handlers.gate_words import Voice
from subjectline.intake import authzen
from subjectline.intake.asgi import App, Reply
from subjectline.intake.authzen import Action, Json, Question, Resource, Wanted
from subjectline.intake.gate_api import EVALUATIONS, GateApp, later
from subjectline.intake.gate_limits import Limits
from subjectline.models.errors import BadInput

PARTS = ("subject", "action", "resource", "context")
Asked = Question | BadInput


def create_worded_app(gate: FileGate, base_url: str, limits: Limits) -> App:
    """As `create_gate_app`, over a file of holds: it says which callers have words of their own."""
    return _WordedApp(gate, base_url.rstrip("/"), limits)


class _WordedApp(GateApp):
    _gate: FileGate

    async def _evaluated(self, path: str, caller: str, body: bytes) -> Reply:
        voice = self._gate.voice(caller)
        if voice is None:
            return await super()._evaluated(path, caller, body)
        raw = authzen.read(body)
        batch = authzen.batch_of(raw, body) if path == EVALUATIONS else None
        if batch is None or not batch.evaluations:
            one = _meant(authzen.shaped(raw, Question), raw, voice)
            return self._late(caller, 1) or Reply(200, (await self._told(caller, voice, [one]))[0])
        said = [raw | item if isinstance(item, dict) else raw for item in raw["evaluations"]]
        pairs = zip(authzen.questions(batch), said, strict=True)
        meant = [_meant(question, words, voice) for question, words in pairs]
        stop = authzen.STOPS_AT[batch.options.evaluations_semantic]
        if late := self._late(caller, len(meant)):
            return late
        return Reply(200, {"evaluations": await self._told(caller, voice, meant, stop)})

    def _late(self, caller: str, number: int) -> Reply | None:
        late = self._limits.caller(caller, number)
        return later(late, "too many questions") if late else None

    async def _told(
        self, caller: str, voice: Voice, asked: Sequence[Asked], stop: bool | None = None
    ) -> list[Json]:
        """The answers in order, as many as the semantic asks for."""
        asks = [_ask(question, voice) for question in asked]
        tokens = {ask.at_least_revision or 0 for ask in asks if ask}
        await self._gate.ready(max(tokens, default=0) or None)
        decisions = await self._gate.answers(asks, stop)
        told = [
            self._refused(question, _speaker(question, caller, voice))
            if decision is None
            else authzen.told(decision)
            for question, decision in zip(asked, decisions, strict=False)
        ]
        return [{"decision": each["decision"]} for each in told] if voice.bare else told


def _meant(question: Asked, words: Mapping[str, Any], voice: Voice) -> Asked:
    """The question in the gate's own words; as it is where no word fits it."""
    if isinstance(question, BadInput):
        return question
    word = voice.word({part: words[part] for part in PARTS if part in words})
    if word is None:
        return question
    fields = word.fields or question.resource.properties.fields
    member = Resource(authzen.MEMBER, question.resource.id, Wanted(fields))
    purpose = Action(word.purpose or question.action.name)
    return replace(question, action=purpose, resource=member)


def _ask(question: Asked, voice: Voice) -> Ask | None:
    if isinstance(question, BadInput) or question.resource.type != authzen.MEMBER:
        return None
    who = question.subject.id
    return question.ask(who) if who in voice.speaks_for else None


def _speaker(question: Asked, caller: str, voice: Voice) -> str:
    """For whom it asks, if it may ask for them: else the caller."""
    who = "" if isinstance(question, BadInput) else question.subject.id
    return who if who in voice.speaks_for else caller
