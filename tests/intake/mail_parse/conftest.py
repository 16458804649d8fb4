"""Mails written by us, one per defect, client and rule."""

from datetime import UTC, datetime

import pytest

from subjectline.intake.mail import MailPolicy


@pytest.fixture
def policy() -> MailPolicy:
    return MailPolicy(
        authserv_ids=("mx.desk.test",), desk_addresses=("privacy@desk.test",), max_bytes=100_000
    )


@pytest.fixture
def arrived_at() -> datetime:
    return datetime(2026, 5, 12, 6, 4, 5, tzinfo=UTC)
