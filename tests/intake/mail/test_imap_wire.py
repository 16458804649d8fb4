"""Words on the IMAP line, ours and those of servers that write them another way."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.intake.imap.wire import Fetched, folder, read_fetch, uid_set


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Processed", '"Processed"'),
        ("A folder", '"A folder"'),
        ('say "yes"\\no', '"say \\"yes\\"\\\\no"'),
        ("Q&A", '"Q&-A"'),
        ("처리됨", '"&zJi5rLQo-"'),
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),  # RFC 3501, 5.1.3
    ],
)
def test_folder_names_are_written_in_modified_utf7(name: str, written: str) -> None:
    assert folder(name) == written


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_folder_names_can_be_read_back(name: str) -> None:
    inner = folder(name)[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    pieces = inner.split("&")
    back = pieces[0]
    for piece in pieces[1:]:
        coded, _, plain = piece.partition("-")
        back += f"+{coded.replace(',', '/')}-".encode().decode("utf-7") if coded else "&"
        back += plain
    assert back == name


@given(st.sets(st.integers(1, 4_294_967_295)))
def test_a_uid_set_names_exactly_its_uids(uids: set[int]) -> None:
    named: set[int] = set()
    for word in uid_set(uids).split(",") if uids else []:
        low, _, high = word.partition(":")
        named |= set(range(int(low), int(high or low) + 1))
    assert named == uids


def test_a_uid_set_is_short() -> None:
    assert uid_set([5, 1, 2, 3, 9, 8]) == "1:3,5,8:9"


NOON = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            [b'1 FETCH (UID 7 RFC822.SIZE 44 INTERNALDATE " 2-Mar-2026 12:00:00 +0900")', b"done"],
            [Fetched(7, 44, NOON)],
        ),
        (
            [b"1 FETCH (BODY[] {4}", bytearray(b"mail"), b" UID 7)", b"done"],
            [Fetched(7, content=b"mail")],
        ),
        ([b'1 FETCH (UID 7 BODY[] "UID 9 (\\"x\\"")'], [Fetched(7, content=b'UID 9 ("x"')]),
        ([b"1 FETCH (UID 7 BODY[] NIL)"], [Fetched(7)]),
        ([b"1 FETCH (UID 7 BODY[] {0}", bytearray(), b")"], [Fetched(7, content=b"")]),
        (
            [b"1 FETCH (UID 7 BODY[HEADER]<0> {1}", bytearray(b"x"), b")"],
            [Fetched(7, content=b"x")],
        ),
        ([b"1 FETCH (FLAGS (\\Seen))", b"2 FETCH (UID 8)"], [Fetched(8)]),
        ([b"1 FETCH (FLAGS (\\Seen) UID 7)", b"Fetch completed (0.001 secs)."], [Fetched(7)]),
        ([b"1 fetch (uid 7 rfc822.size 3)"], []),
    ],
)
def test_answers_to_fetch_are_read(lines: list[bytes | bytearray], expected: list[Fetched]) -> None:
    assert read_fetch(lines) == expected
