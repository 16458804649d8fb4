"""The receivers of recipients.md check what the desk signs: in Python, and in Node where it is there."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desks import NOW
from told import SECRET

from subjectline.handlers.senders.webhook import headers_of
from subjectline.models.recipient_settings import Reach

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipients.md"
BODY = '{"type":"recipient.hold","id":"n1","data":{"fields":["이름"]}}'.encode()
AT = int(NOW.timestamp())
Check = Callable[[dict[str, str], bytes, float], bool]


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def signed() -> dict[str, str]:
    reach = Reach.model_validate({"webhook": "https://post.example/told", "secret": SECRET})
    return headers_of(reach, "n1", NOW, BODY)


def in_python() -> Check:
    space: dict[str, Any] = {}
    exec(compile(block("python"), "recipients.md", "exec"), space)
    return lambda headers, body, now: bool(space["genuine"](headers, body, SECRET, now))


def in_node() -> Check:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")

    def check(headers: dict[str, str], body: bytes, now: float) -> bool:
        given = json.dumps([headers, body.decode(), SECRET, now])
        script = f"{block('js')}\nconst [h, b, s, n] = {given};"
        script += "\nconsole.log(genuine(h, Buffer.from(b), s, n));"
        done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
        return done.stdout.strip() == "true"

    return check


@pytest.mark.parametrize("made", [in_python, in_node])
def test_a_receiver_takes_what_was_signed_and_nothing_else(made: Callable[[], Check]) -> None:
    genuine, headers = made(), signed()
    assert genuine(headers, BODY, AT + 290)
    two = headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}
    assert genuine(two, BODY, AT)
    assert not genuine(headers, BODY + b" ", AT)
    assert not genuine(headers, BODY, AT + 310)
    assert not genuine(headers | {"webhook-id": "n2"}, BODY, AT)
    assert not genuine(headers | {"webhook-timestamp": "soon"}, BODY, AT)
    assert not genuine(headers | {"webhook-signature": "v1,AAAA"}, BODY, AT)
