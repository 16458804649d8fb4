"""Every .eml of tests/mails, with what is expected of it in the .json beside it.

Keys are those of `explain`, compared whole; `text_contains` and `rest_contains` list fragments,
`sender`, `sender_name`, `message_id`, `in_reply_to` and `references` are of the Incoming.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from subjectline.intake.mail import MailPolicy, explain, parse_mail
from subjectline.models.incoming import Incoming

MAILS = sorted((Path(__file__).parents[2] / "mails").glob("*.eml"))


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_mail(path: Path, policy: MailPolicy, arrived_at: datetime) -> None:
    raw = path.read_bytes()
    mail = parse_mail(raw, source_key="inbox/1/1", arrived_at=arrived_at, policy=policy)
    seen = explain(raw, policy) | _of_the_incoming(mail)
    for key, wanted in json.loads(path.with_suffix(".json").read_text("utf-8")).items():
        _compare(key, wanted, seen)


def _of_the_incoming(mail: Incoming) -> dict[str, object]:
    return {
        "sender": mail.sender.value,
        "sender_name": mail.sender_name,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": list(mail.references),
        "attachments": [[one.name, one.content_type, len(one.content)] for one in mail.attachments],
    }


def _compare(key: str, wanted: Any, seen: dict[str, Any]) -> None:
    if key.endswith("_contains"):
        for fragment in wanted:
            assert fragment in seen[key.removesuffix("_contains")]
    else:
        assert seen[key] == wanted, key


def test_every_mail_has_its_expectation() -> None:
    assert len(MAILS) >= 150
    assert [path for path in MAILS if not path.with_suffix(".json").exists()] == []


def test_no_text_is_thrown_away(policy: MailPolicy, arrived_at: datetime) -> None:
    """What is cut from `text` stands in `rest`: every quoted letter is still somewhere."""
    for path in (path for path in MAILS if path.stem.startswith("quote-")):
        raw = path.read_bytes()
        mail = parse_mail(raw, source_key="", arrived_at=arrived_at, policy=policy)
        body = raw.partition(b"\n\n")[2].decode()
        kept = set(f"{mail.text} {mail.rest}".split())
        assert [word for word in body.split() if word not in kept] == [], path.stem
