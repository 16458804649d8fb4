"""The gate's OpenAPI document (3.1), as `GET /openapi.json` gives it and docs/gate-openapi.json has it.

What may be asked is taken from the very shapes that read it; what is answered is written here. After a
change: `python -m subjectline.intake.gate_openapi > docs/gate-openapi.json`.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from subjectline.intake.authzen import MAX_EVALUATIONS, Action, Batch, Item, Question
from subjectline_client import wire

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{name}"
ABOUT = (
    "OpenID AuthZEN 1.0. The subject is the asking system (its id is the caller that the key belongs"
    " to), the action the purpose, the resource a member of the company with the fields that are to"
    " be used. Denied while the member contests a field, after a consent was taken back, and whenever"
    " the gate cannot be sure. See docs/gate.md."
)
NEVER = (
    " A caller that may not ask for something is answered 200 with a denial, never 403; another content"
    " type is 400, never 415."
)
STATUSES: Mapping[int, str] = {
    400: "No question: no JSON, a key that stands twice, something missing or of a wrong type, another"
    " content type",
    401: "No key, or none that is known",
    405: "Another method than this one",
    413: "The body is longer than 1 MiB",
    429: "Too many questions of this caller, or too many wrong keys from this address",
    503: "The callers or the holds cannot be read now",
}
NO_FEED = "There is no feed: the gate is alone with a file of holds"
FEED: Mapping[str, str] = {
    wire.SNAPSHOT: "Every hold in force that concerns the caller",
    wire.CHANGES: "What happened after a revision",
    wire.STREAM: "Server-sent events: the newest revision when it moves",
    wire.USES: "Takes what a replica permitted and denied",
}


def document(base_url: str) -> Json:
    """The document of the gate at `base_url`."""
    return {**_fixed(), "servers": [{"url": base_url}]}


@cache
def _fixed() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Subjectline: the gate", "version": "1", "description": ABOUT + NEVER},
        "paths": {
            "/access/v1/evaluation": {"post": _operation("evaluation", "May this be used?")},
            "/access/v1/evaluations": {"post": _operation("evaluations", "May each be used?")},
            "/.well-known/authzen-configuration": {"get": _open("discovery", "Metadata")},
            "/openapi.json": {"get": _open("openapi", "Document")},
            wire.SNAPSHOT: {"get": _fed("snapshot", wire.SNAPSHOT)},
            wire.CHANGES: {"get": _fed("changes", wire.CHANGES)},
            wire.STREAM: {"get": _fed("stream", wire.STREAM)},
            wire.USES: {"post": _fed("uses", wire.USES)},
        },
        "components": {
            "schemas": _asked() | _told() | _fed_shapes(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "headers": {"request-id": {"schema": {"type": "string"}}},
        },
    }


def _operation(name: str, summary: str) -> Json:
    batch = name == "evaluations"
    told: Json = _ref("Decision")
    if batch:
        told = {"anyOf": [_ref("Decisions"), _ref("Decision")]}
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"key": []}],
        "parameters": [{"name": "X-Request-ID", "in": "header", "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": _json(_ref("Batch" if batch else "Question"))},
        "responses": {"200": _response("Answered: permit or deny", told)} | _refusals(),
    }


def _open(name: str, about: str) -> Json:
    told = {"200": _response(about, _ref(about)), "405": _refusals()["405"]}
    told["200"]["headers"]["Cache-Control"] = {"schema": {"type": "string"}}
    return {"operationId": name, "summary": about, "security": [], "responses": told}


def _fed(name: str, path: str) -> Json:
    """An operation of the feed; its answers have the shapes that a replica reads."""
    told: Json = _response(FEED[path], _ref(name.capitalize()))
    if name == "stream":
        events = {"text/event-stream": {"schema": {"type": "string"}}}
        told = {"description": FEED[path], "content": events}
    made: Json = {"operationId": name, "summary": FEED[path], "security": [{"key": []}]}
    if name in _QUERIES:
        made["parameters"] = [_query(*each) for each in _QUERIES[name]]
    if name == "uses":
        made["requestBody"] = {"required": True, "content": _json(_ref("Report"))}
    statuses = {*(("400", "413") if name == "uses" else ()), "401", "405", "503"}
    refused = {code: each for code, each in _refusals().items() if code in statuses}
    refused["404"] = _response(NO_FEED, _ref("Error"))
    if name == "changes":
        refused["400"] = _response("since is no revision", _ref("Error"))
        refused["410"] = _response("Take a new snapshot", _ref("Error"))
    return made | {"responses": {"200": told} | refused}


_SAID = ("ask", "Up to 64 characters that are said again in the answer", {"type": "string"}, False)
_QUERIES: Mapping[str, Sequence[tuple[str, str, Json, bool]]] = {
    "snapshot": (_SAID,),
    "changes": (
        ("since", "The revision that is known", {"type": "integer", "minimum": 0}, True),
        ("mark", "The mark that came with that revision", {"type": "string"}, False),
        ("policy", "The version of the policy that is known", {"type": "string"}, False),
        _SAID,
    ),
}


def _query(name: str, about: str, schema: Json, required: bool) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": about,
        "required": required,
        "schema": schema,
    }


def _refusals() -> Json:
    found = {str(code): _response(why, _ref("Error")) for code, why in STATUSES.items()}
    for code in ("429", "503"):
        found[code]["headers"]["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    found["401"]["headers"]["WWW-Authenticate"] = {"schema": {"type": "string"}}
    found["405"]["headers"]["Allow"] = {"schema": {"type": "string"}}
    return found


def _response(why: str, schema: Json) -> Json:
    echoed = {"X-Request-ID": {"$ref": "#/components/headers/request-id"}}
    return {"description": why, "content": _json(schema), "headers": echoed}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Json:
    return {"$ref": REFERENCE.format(name=name)}


def _asked() -> Json:
    """The shapes that `authzen` reads. Items of a batch are read one by one, so they are `Any` there."""
    _, found = msgspec.json.schema_components(
        (Question, Batch, Item, Action), ref_template=REFERENCE
    )
    found["Batch"]["properties"]["evaluations"] = {
        "type": "array",
        "items": _ref("Item"),
        "maxItems": MAX_EVALUATIONS,
        "description": "Missing or empty: one decision on the defaults.",
    }
    return found


def _told() -> Json:
    text, names = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    number = {"type": "integer"}
    context = {
        "revision": number | {"description": "Of the newest hold or release that was looked at"},
        "age_ms": number | {"description": "Of the state, in milliseconds; -1: nobody knows"},
        "valid_for_ms": number | {"description": "A permit may be acted on for this long"},
        "override": {"type": "boolean", "description": "A law opened it; the use was recorded"},
        "reason": text | {"description": "The first of the reasons; new ones may come"},
        "reasons": names,
        "held_fields": names,
        "allowed_fields": names,
        "error": _ref("Problem"),
    }
    again = {"type": "boolean", "description": "Of the feed: take a new snapshot"}
    problem = _object({"status": number, "message": text, "snapshot": again}, "status", "message")
    decision = {"decision": {"type": "boolean"}, "context": _object(context)}
    decisions = {"evaluations": {"type": "array", "items": _ref("Decision")}}
    places = ("policy_decision_point", "access_evaluation_endpoint", "access_evaluations_endpoint")
    metadata = {name: {"type": "string", "format": "uri"} for name in places}
    return {
        "Decision": _object(decision, "decision"),
        "Decisions": _object(decisions, "evaluations"),
        "Problem": problem,
        "Error": _object({"error": _ref("Problem")}, "error"),
        "Metadata": _object(metadata, *places),
        "Document": {"type": "object"},
    }


def _fed_shapes() -> Json:
    """The shapes of the feed: what a replica reads, and what it reports."""
    _, found = msgspec.json.schema_components(
        (wire.Snapshot, wire.Changes, wire.Uses), ref_template=REFERENCE
    )
    found["Report"] = found.pop("Uses")
    found["Uses"] = _object({"counted": {"type": "integer"}}, "counted")
    return {str(name): shape for name, shape in found.items()}


def _object(properties: Json, *required: str) -> Json:
    made: Json = {"type": "object", "properties": properties}
    return made | ({"required": list(required)} if required else {})


if __name__ == "__main__":
    print(json.dumps(document("https://gate.example"), indent=1, ensure_ascii=False))  # noqa: T201
