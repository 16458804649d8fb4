"""Whether what the gate answers is what its OpenAPI document says, as far as that document goes."""

import json
from functools import cache
from typing import Any

import httpx
from documents import ROOT

DOCUMENT = ROOT / "docs" / "gate-openapi.json"
KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
}  # fmt: skip


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return found


async def as_documented(response: httpx.Response) -> None:
    """A hook for httpx: each answer has a status, headers and a body of the document."""
    told = await response.aread()
    path, method = response.request.url.path, response.request.method.lower()
    operations = document()["paths"].get(path)
    if operations is None:
        return
    asked = operations.get("get" if method == "head" else method)
    if asked is None:  # another method: the same refusal for each that is not there
        asked = next(iter(operations.values()))
        assert response.status_code == 405
    said = asked["responses"][str(response.status_code)]
    _headers(response, said.get("headers", {}))
    content = said["content"][response.headers["content-type"]]
    if method != "head":
        fits(json.loads(told), content["schema"])


def _headers(response: httpx.Response, said: dict[str, Any]) -> None:
    """Those that are named are there; the request's identifier only if it was shown."""
    for name in said:
        if name != "X-Request-ID":
            assert name in response.headers
    shown = response.request.headers.get("x-request-id")
    assert response.headers.get("x-request-id") == shown


def fits(told: Any, schema: dict[str, Any]) -> None:
    """Types, what is required, the length of what has one, nothing that is not named."""
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return _any(told, schema["anyOf"])
    assert isinstance(told, KINDS[schema["type"]])
    assert not isinstance(told, bool) or schema["type"] == "boolean"
    if isinstance(told, dict):
        _object(told, schema)
    if isinstance(told, list):
        _list(told, schema)


def _any(told: Any, schemas: list[dict[str, Any]]) -> None:
    for schema in schemas:
        try:
            return fits(told, schema)
        except AssertionError:
            continue
    raise AssertionError("it fits none of them")


def _object(told: dict[str, Any], schema: dict[str, Any]) -> None:
    known, others = schema.get("properties"), schema.get("additionalProperties")
    assert set(schema.get("required", ())) <= told.keys()
    if known is not None:
        assert told.keys() <= known.keys()
    for name, value in told.items():
        if found := (known or {}).get(name, others):
            fits(value, found)


def _list(told: list[Any], schema: dict[str, Any]) -> None:
    first = schema.get("prefixItems", [])
    assert schema.get("minItems", 0) <= len(told) <= schema.get("maxItems", len(told))
    for each, one in zip(told, first, strict=False):
        fits(each, one)
    rest = schema.get("items")
    for each in told[len(first) :]:
        fits(each, rest or {"type": "object"})
