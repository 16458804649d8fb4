"""Measures our DKIM signatures beside dkimpy's: `python -m bench.dkim_sign --json`.

One letter as the desk sends it (Korean, two parts, some 6 kB) is signed again and again, in
interleaved rounds; the figure is signatures per CPU second of one process.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from subjectline.handlers.senders.compose import build_mail
from subjectline.handlers.senders.dkim import DkimKey, DkimSigner, make_key

ROUNDS = 5
SECONDS = 0.6
AT = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
TEXT = "안녕하세요. 요청하신 내용을 접수했습니다. 기한 안에 알려 드리겠습니다.\n" * 20


def letter() -> bytes:
    return build_mail(
        from_address="privacy@desk.test",
        from_name="모먼트픽 개인정보보호팀",
        to="member@member.test",
        subject="개인정보 정정 요구를 접수했습니다",
        text=TEXT,
        html=f"<p>{TEXT}</p>",
        message_id="<1@desk.test>",
        sent_at=AT,
        reply_to="privacy+token@desk.test",
    )


def rate(sign: Callable[[], object]) -> float:
    """Calls a CPU second."""
    begun, count = time.process_time(), 0
    while (spent := time.process_time() - begun) < SECONDS:
        sign()
        count += 1
    return count / spent


def case(kind: str, raw: bytes) -> dict[str, Any]:
    key = DkimKey("desk.test", "s", make_key("ed25519" if kind == "ed25519" else "rsa"))
    ours = DkimSigner([key])
    theirs = peer(key, raw)
    rounds = [
        (rate(lambda: ours(raw, AT)), rate(theirs) if theirs else None) for _ in range(ROUNDS)
    ]
    mine = statistics.median(one for one, _ in rounds)
    other = statistics.median(two for _, two in rounds if two) if theirs else None
    return {
        "case": f"dkim_sign/{kind}",
        "ours": round(mine, 1),
        "peer": round(other, 1) if other else None,
        "unit": "signatures/CPU s",
        "ratio": round(mine / other, 2) if other else None,
        "note": f"letter of {len(raw)} bytes; peer: dkimpy"
        if other
        else "dkimpy is not installed (make setup with the dev extra)",
    }


def peer(key: DkimKey, raw: bytes) -> Callable[[], object] | None:
    try:
        import dkim
    except ImportError:
        return None
    secret = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if key.algorithm.startswith("ed25519"):
        import base64

        seed = key.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        secret = base64.b64encode(seed)
    more = {"canonicalize": (b"relaxed", b"relaxed"), "signature_algorithm": key.algorithm.encode()}
    return lambda: dkim.sign(raw, b"s", b"desk.test", secret, **more)


def results() -> Iterator[dict[str, Any]]:
    raw = letter()
    for kind in ("rsa", "ed25519"):
        yield case(kind, raw)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    as_json = parser.parse_args().json
    for result in results():
        print(json.dumps(result) if as_json else "  ".join(f"{k}={v}" for k, v in result.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
