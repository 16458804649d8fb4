"""The vectors in `vectors/`, in the form of AuthZEN's interop events, played over HTTP.

`gate serve` runs for real over `vectors/interop.yaml` and gives what is expected; the desk's own gate knows
none of the public vectors' words and denies them all, in the same form.
"""

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from desks import CORRECT, NOW, MakeDesk, Office
from openapi import as_documented
from servers import certificate, free_port

from subjectline.handlers import gate_callers, holds
from subjectline.handlers.gate_file import FileGate
from subjectline.handlers.holds import HoldPlan
from subjectline.intake.gate_serve import create_app
from subjectline.intake.serve import Parts, internal_app
from subjectline.models.clock import system_clock
from subjectline.models.errors import SettingsError
from subjectline.models.gate_settings import GateSettings
from subjectline_client import wire

VECTORS = Path(__file__).parent / "vectors"
INTEROP = VECTORS / "interop.yaml"
FEED = (wire.SNAPSHOT, wire.CHANGES, wire.STREAM)
PUBLIC = ("scenario", "todo", "routes")
RUN = "import sys; from subjectline.intake.main import main; sys.argv[0] = 'subjectline'; main()"
Case = dict[str, Any]


def vectors(name: str) -> dict[str, list[Case]]:
    """`evaluation`, `evaluations` and `refused`: requests with what is expected of each."""
    found: dict[str, list[Case]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return {kind: cases for kind, cases in found.items() if kind != "about"}


async def played(http: httpx.AsyncClient, kind: str, request: Any) -> Any:
    """What the harness of the interop events looks at."""
    response = await http.post(f"/access/v1/{kind}", json=request)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    told = response.json()
    return told["evaluations"] if "evaluations" in told else told["decision"]


def bare(told: Any) -> Any:
    """Without the contexts."""
    return [{"decision": each["decision"]} for each in told] if isinstance(told, list) else told


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """`subjectline gate serve` in a process of its own, with TLS (cert.pem); where it listens."""
    certificate(folder)
    port, tls = str(free_port()), (folder / "cert.pem", folder / "key.pem")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "gate", "serve", "--holds", str(INTEROP)),
        *("--port", port, "--processes", "1"),
        *("--certificate", str(tls[0]), "--private-key", str(tls[1])),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout and b"listens" in await process.stdout.readline()
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert await process.wait() in (0, -signal.SIGTERM)


def asking(url: str, key: str, **how: Any) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, **how)


def trusted(folder: Path) -> dict[str, Any]:
    """For a client that believes the certificate of that folder."""
    return {"verify": ssl.create_default_context(cafile=str(folder / "cert.pem"))}


async def test_gate_serve_plays_all_of_them(tmp_path: Path) -> None:
    """Over TLS, as AuthZEN 10.1 has it and as the identifier in the metadata must be (9.1.1)."""
    async with (
        served(tmp_path) as url,
        asking(url, "harness", **trusted(tmp_path)) as harness,
        asking(url, "mailer", **trusted(tmp_path)) as mailer,
    ):
        for name, http in (*((name, harness) for name in PUBLIC), ("members", mailer)):
            for kind in ("evaluation", "evaluations"):
                for case in vectors(name).get(kind, ()):
                    told = await played(http, kind, case["request"])
                    told = told if http is harness else bare(told)  # `bare` in the file
                    assert told == case["expected"], (name, case)
        await _refused(harness)
        await _discovered(harness, url)


async def _refused(http: httpx.AsyncClient) -> None:
    for case in vectors("scenario")["refused"]:
        for kind in ("evaluation", "evaluations"):
            response = await http.post(f"/access/v1/{kind}", json=case["request"])
            assert response.status_code == case["status"], case
            assert isinstance(response.json()["error"]["message"], str)


async def _discovered(http: httpx.AsyncClient, url: str) -> None:
    """The scenario's section 6.5: the identifier is what was asked."""
    response = await http.get("/.well-known/authzen-configuration")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "policy_decision_point": url,
        "access_evaluation_endpoint": f"{url}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{url}/access/v1/evaluations",
    }


async def _contested(office: Office) -> str:
    """The email address of member 1001 is held; the key of `mailer`."""
    await office.mail("haneul.kim@mail.test", CORRECT)
    request = await office.request()
    async with office.desk.write() as session:
        plan = HoldPlan("correction", ("email",))
        registry = office.desk.data_map.registry
        await holds.place(session, request.id or 0, registry, "1001", plan, "firm", NOW)
        return await gate_callers.add_caller(session, "mailer", ["marketing", "service"])


async def test_the_desks_mount_plays_them(make_desk: MakeDesk) -> None:
    office = await make_desk()
    key = await _contested(office)
    transport = httpx.ASGITransport(app=internal_app(Parts(office.desk)))
    async with asking("http://desk.test", key, transport=transport) as http:
        for kind, cases in vectors("members").items():
            for case in cases:
                assert bare(await played(http, kind, case["request"])) == case["expected"], case
        for kind, cases in vectors("scenario").items():
            for case in cases if kind != "refused" else ():
                assert _nothing(await played(http, kind, case["request"])), case
        await _refused(http)


def _nothing(told: Any) -> bool:
    """Whether no decision in an answer is a permit."""
    return not any(each["decision"] for each in told) if isinstance(told, list) else told is False


@pytest.fixture
async def interop() -> AsyncIterator[tuple[FileGate, httpx.AsyncClient]]:
    gate = FileGate(INTEROP, system_clock)
    await gate.refresh()
    transport = httpx.ASGITransport(app=create_app(gate, GateSettings()))
    async with asking("http://gate.test", "harness", transport=transport) as http:
        yield gate, http
    await gate.close()


async def test_it_asks_only_for_those_it_speaks_for(
    interop: tuple[FileGate, httpx.AsyncClient],
) -> None:
    _, http = interop
    asked = vectors("members")["evaluation"][1]["request"]
    assert await played(http, "evaluation", asked) is False  # `mailer` has a key of its own
    as_itself = asked | {"subject": {"type": "system", "id": "harness"}}
    assert await played(http, "evaluation", as_itself) is False


async def test_a_gate_alone_has_no_feed(interop: tuple[FileGate, httpx.AsyncClient]) -> None:
    """As the OpenAPI document says it."""
    _, http = interop
    http.event_hooks = {"response": [as_documented]}
    told = [(await http.get(path, headers={"x-request-id": "r1"})).status_code for path in FEED]
    assert told == [404] * len(FEED)
    assert (await http.get("/healthz")).json()["ok"] is True


async def test_words_open_nothing_that_is_held(tmp_path: Path) -> None:
    """A gateway in the company's words: the hold counts, reasons and freshness are told."""
    told = """
        policy: {ids: integer, fields: [email], purposes: {marketing: {basis: consent}}}
        callers:
          - {name: letters, purposes: [marketing]}
          - name: gateway
            key: secret
            speaks_for: [letters]
            words:
              - {if: {action: {name: send}, resource: {type: customer}}, purpose: marketing, fields: [email]}
        holds: [{subject: "7"}]
    """
    path = tmp_path / "holds.yaml"
    path.write_text(told)
    gate = FileGate(path, system_clock)
    await gate.refresh()
    transport = httpx.ASGITransport(app=create_app(gate, GateSettings()))
    async with asking("http://gate.test", "secret", transport=transport) as http:
        asked = {"subject": {"type": "app", "id": "letters"}, "action": {"name": "send"}}
        contexts = {}
        for number in ("8", "7", "07"):
            body = asked | {"resource": {"type": "customer", "id": number}}
            contexts[number] = (await http.post("/access/v1/evaluation", json=body)).json()
    assert contexts["8"]["decision"] and contexts["8"]["context"]["valid_for_ms"] > 0
    assert contexts["7"]["context"]["held_fields"] == ["email"]
    assert contexts["07"]["context"]["reason"] == "subject_not_canonical"
    await gate.close()


async def test_what_one_caller_of_a_batch_is_permitted_the_next_is_not(tmp_path: Path) -> None:
    """Answers are shared within a batch, among questions of one caller."""
    path = tmp_path / "holds.yaml"
    path.write_text("""
        policy:
          ids: integer
          fields: [email]
          purposes: {marketing: {basis: consent}, orders: {basis: contract}}
        callers:
          - {name: letters, purposes: [marketing]}
          - {name: shop, purposes: [orders]}
          - {name: gateway, key: secret, speaks_for: [letters, shop]}
    """)
    gate = FileGate(path, system_clock)
    await gate.refresh()
    fields = {"fields": ["email"]}
    members = [{"type": "member", "id": str(n), "properties": fields} for n in range(3)]
    askers = [{"type": "app", "id": name} for name in ("letters", "shop", "letters")]
    items = [{"subject": s, "resource": r} for s, r in zip(askers, members, strict=True)]
    transport = httpx.ASGITransport(app=create_app(gate, GateSettings()))
    async with asking("http://gate.test", "secret", transport=transport) as http:
        body = {"action": {"name": "marketing"}, "evaluations": items}
        told = (await http.post("/access/v1/evaluations", json=body)).json()["evaluations"]
    assert [each["decision"] for each in told] == [True, False, True]
    assert told[1]["context"]["reason"] == "caller_not_scoped"
    await gate.close()


@pytest.mark.parametrize(
    "caller",
    [
        "speaks_for: [nobody]",
        "words: [{if: {}, purpose: spying}]",
        "words: [{if: {}, fields: [shoe]}]",
        "words: [{purpose: marketing}]",
        "key_sha256: word",
    ],
)
def test_a_name_that_nobody_knows_is_told_at_the_start(tmp_path: Path, caller: str) -> None:
    path = tmp_path / "holds.yaml"
    path.write_text(
        "policy: {fields: [email], purposes: {marketing: {basis: consent}}}\n"
        f"callers: [{{name: gateway, {caller}}}]\n"
    )
    with pytest.raises(SettingsError):
        FileGate(path, system_clock)
