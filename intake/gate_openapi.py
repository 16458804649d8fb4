"""The gate's OpenAPI document (3.1), as `GET /openapi.json` gives it and docs/gate-openapi.json has it.

What may be asked is taken from the very shapes that read it; what is answered is written here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from subjectline.intake.authzen import MAX_EVALUATIONS, Action, Batch, Item, Question

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{name}"
ABOUT = (
    "OpenID AuthZEN 1.0. The subject is the asking system (its id is the caller that the key belongs"
    " to), the action the purpose, the resource a member of the company with the fields that are to"
    " be used. Denied while the member contests a field, after a consent was taken back, and whenever"
    " the gate cannot be sure. See docs/gate.md."
)
STATUSES: Mapping[int, str] = {
    400: "No question: no JSON, a key that stands twice, something missing or of a wrong type, another"
    " content type",
    401: "No key, or none that is known",
    413: "The body is longer than 1 MiB",
    429: "Too many questions of this caller, or too many wrong keys from this address",
    503: "The callers cannot be read now",
}


def document(base_url: str) -> Json:
    """The document of the gate at `base_url`."""
    return {**_fixed(), "servers": [{"url": base_url}]}


@cache
def _fixed() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Subjectline: the gate", "version": "1", "description": ABOUT},
        "paths": {
            "/access/v1/evaluation": {"post": _operation("evaluation", "May this be used?")},
            "/access/v1/evaluations": {"post": _operation("evaluations", "May each be used?")},
            "/.well-known/authzen-configuration": {"get": _open("discovery", "Metadata")},
            "/openapi.json": {"get": _open("openapi", "Document")},
        },
        "components": {
            "schemas": _asked() | _told(),
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
    told = {"200": _response(about, _ref(about))}
    return {"operationId": name, "summary": about, "security": [], "responses": told}


def _refusals() -> Json:
    found = {str(code): _response(why, _ref("Error")) for code, why in STATUSES.items()}
    for code in ("429", "503"):
        found[code]["headers"]["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    found["401"]["headers"]["WWW-Authenticate"] = {"schema": {"type": "string"}}
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
    problem = _object({"status": number, "message": text}, "status", "message")
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


def _object(properties: Json, *required: str) -> Json:
    made: Json = {"type": "object", "properties": properties}
    return made | ({"required": list(required)} if required else {})
