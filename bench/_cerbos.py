"""Cerbos as a peer of the gate over HTTP: it speaks AuthZEN too.

Its binary comes from npm, once, into a folder under the system's temporary one. It listens on loopback
only, tells nobody of itself, and answers the same question: may these fields of this member be used?
Its policy knows the holds as a constant, the way Cerbos has data of its own.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

VERSION = "0.55.0"
PLACE = Path(tempfile.gettempdir()) / f"subjectline-bench-cerbos-{VERSION}"
BINARY = PLACE / "node_modules" / "@cerbos" / "cerbos-linux-x64" / "cerbos-linux-x64"
CONDITION = "!(R.id in C.held) || !hasIntersection(R.attr.fields, C.held[R.id])"


def policy(held: Mapping[str, Sequence[str]]) -> str:
    """Permits what is not held; `held` are the fields of each member."""
    rule = {"actions": ["marketing"], "effect": "EFFECT_ALLOW", "roles": ["system"]}
    made = {
        "version": "default",
        "resource": "member",
        "constants": {"local": {"held": {who: list(fields) for who, fields in held.items()}}},
        "rules": [rule | {"condition": {"match": {"expr": CONDITION}}}],
    }
    return json.dumps({"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": made})


CONFIG = """
server:
  httpListenAddr: "127.0.0.1:PORT"
  grpcListenAddr: "127.0.0.1:GRPC"
  requestLimits: {maxResourcesPerRequest: 500, maxActionsPerResource: 50}
storage: {driver: disk, disk: {directory: "HERE/policies"}}
telemetry: {disabled: true}
audit: {enabled: false}
"""


def installed() -> Path:
    """The binary. Raises RuntimeError where npm cannot install it."""
    if BINARY.exists():
        return BINARY
    wanted = f"@cerbos/cerbos-linux-x64@{VERSION}"
    command = ["npm", "install", "--prefix", str(PLACE), "--no-audit", "--no-fund", wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RuntimeError(f"Cerbos cannot be installed: {error.strerror}") from None
    if done.returncode != 0 or not BINARY.exists():
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RuntimeError(f"Cerbos {VERSION} cannot be installed: {last[0][:200]}")
    BINARY.chmod(0o755)
    return BINARY


@contextmanager
def running(home: Path, port: int, other: int, held: Mapping[str, Sequence[str]]) -> Iterator[int]:
    """Cerbos on that port of 127.0.0.1 (and its gRPC on the other); its process id."""
    (home / "policies").mkdir()
    (home / "policies" / "member.json").write_text(policy(held))
    told = CONFIG.replace("PORT", str(port)).replace("GRPC", str(other))
    (home / "cerbos.yaml").write_text(told.replace("HERE", str(home)))
    command = [str(installed()), "server", f"--config={home / 'cerbos.yaml'}", "--log-level=error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
