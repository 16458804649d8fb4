"""What the sink parsed is handed to the inbox once, within bounds."""

from datetime import UTC, datetime

from subjectline.intake.mail_sink import Recent
from subjectline.models.incoming import Contact, Door, Incoming

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def one(key: str) -> Incoming:
    return Incoming(Door.MAIL, key, NOW, Contact("email", "a@mail.test"), "words")


def test_it_is_taken_once() -> None:
    recent = Recent()
    recent.put(one("mail:a:1:1"), 10)
    assert recent.take("mail:a:1:1") == one("mail:a:1:1")
    assert recent.take("mail:a:1:1") is None


def test_the_oldest_go_when_the_bytes_are_too_many() -> None:
    recent = Recent(most=100)
    for number in range(5):
        recent.put(one(f"mail:a:1:{number}"), 40)
    kept = [n for n in range(5) if recent.take(f"mail:a:1:{n}") is not None]
    assert kept == [3, 4]
    recent.put(one("mail:a:1:9"), 100)  # what was taken counts no more
    assert recent.take("mail:a:1:9") is not None


def test_a_mail_that_comes_again_is_counted_once() -> None:
    recent = Recent(most=100)
    for _ in range(5):  # as when the disk is full: the batch comes until it is kept
        for number in range(2):
            recent.put(one(f"mail:a:1:{number}"), 40)
    assert [recent.take(f"mail:a:1:{n}") is not None for n in range(2)] == [True, True]
    recent.put(one("mail:a:1:3"), 100)
    assert recent.take("mail:a:1:3") is not None
