"""What an export holds: just the member's rows, in sealed parts, until its time is over."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from browsers import EN, KO
from desks import Office

from subjectline.handlers import timers
from subjectline.handlers.export import fiveitems, gather, shelf, spool
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.wording import words
from subjectline.models.errors import SpentProof
from subjectline.models.tables import Export, ExportPart

Gathered = Callable[..., Awaitable[Head]]
OWNED = (
    "member",
    "credential",
    "profile",
    "payout_account",
    "member_consent",
    "access_log",
    "device",
)
LOG = (
    "INSERT INTO access_log (member_id, ip_address, cookie_id, path, accessed_at)"
    " VALUES (1001, '192.0.2.7', 'c', :path, '2026-11-01 03:04:05.000000')"
)


def place_of(head: Head, table: str) -> int:
    return [one["table"] for one in head.tables].index(table)


async def everything(office: Office, head: Head) -> dict[str, list[shelf.Row]]:
    return {
        table["table"]: await shelf.rows(office.desk, head, place, 0, 10**6)
        for place, table in enumerate(head.tables)
    }


@pytest.mark.parametrize(("sender", "member"), [(KO, 1001), (EN, 1002)])
async def test_the_export_holds_just_the_members_rows(
    office: Office, gathered: Gathered, sender: str, member: int
) -> None:
    rows = await everything(office, await gathered(sender))
    for table in OWNED:
        [[there]] = await office.sql(f"SELECT count(*) FROM {table} WHERE member_id = {member}")
        assert len(rows.get(table, [])) == there, table
        assert {row["member_id"] for row in rows.get(table, [])} <= {member}
    others = await office.sql(f"SELECT email, phone FROM member WHERE member_id <> {member}")
    held = json.dumps(rows, ensure_ascii=False, default=str)
    assert not [value for pair in others for value in pair if value and value in held]


async def test_a_hidden_column_is_in_no_row(office: Office, gathered: Gathered) -> None:
    head = await gathered()
    rows = await everything(office, head)
    assert "password_hash" not in rows["credential"][0]
    names = {c["name"] for c in head.table(place_of(head, "credential"))["columns"]}
    assert "password_hash" not in names


@pytest.mark.parametrize(("sender", "language"), [(KO, "ko"), (EN, "en")])
async def test_five_items_in_the_members_language(
    office: Office, gathered: Gathered, sender: str, language: str
) -> None:
    head = await gathered(sender)
    assert head.body["language"] == language
    told = fiveitems.in_words(office.desk, head, language)
    assert [item.name for item in told.items] == [
        "items",
        "purposes",
        "retention",
        "provision",
        "consents",
    ]
    for item in told.items[1:]:
        assert item.grids[0].rows, item.name
        assert all(len(row) == len(g.columns) for g in item.grids for row in g.rows)
    says = json.dumps([g.rows for item in told.items for g in item.grids], ensure_ascii=False)
    wanted = {
        "ko": ("콘텐츠 구매 회원", "5년", "계약의 체결과 이행", "광고성 정보 수신 동의"),
        "en": ("Content purchasing member", "5 years", "Contract with you", "Consent to marketing"),
    }
    assert all(text in says for text in wanted[language])


async def test_without_consent_it_is_given_to_no_third_party(
    office: Office, gathered: Gathered
) -> None:
    await office.sql("UPDATE member_consent SET third_party = 0 WHERE member_id = 1001")
    head = await gathered()
    assert [one["provided"] for one in head.body["third_parties"]] == [False]
    told = fiveitems.in_words(office.desk, head, "ko")
    assert told.items[3].grids[0].rows[0][-1] == words("ko")["state.not_provided"]


async def test_a_large_member_is_many_parts(
    office: Office, gathered: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "SIZE", 4000)
    for number in range(300):
        await office.sql(LOG, path=f"/p/{number}")
    head = await gathered()
    place = place_of(head, "access_log")
    parts = [part for part in await office.all(ExportPart) if part.table == place]
    assert len(parts) > 5
    count = head.table(place)["count"]
    assert sum(part.rows for part in parts) == count
    whole = await shelf.rows(office.desk, head, place, 0, count)
    assert len({row["log_id"] for row in whole}) == count
    for first, limit in ((0, 1), (parts[1].first - 1, 3), (count - 2, 50), (count, 10)):
        got = await shelf.rows(office.desk, head, place, first, limit)
        assert got == whole[first : first + limit]
    lines = [line async for line in shelf.parts(office.desk, head, place)]
    assert sum(line.count(b"\n") for line in lines) == count


async def test_nothing_of_it_stands_open_in_the_database(
    office: Office, gathered: Gathered
) -> None:
    await gathered()
    for part in await office.all(ExportPart):
        assert part.content is not None
        assert "김하늘".encode() not in part.content.data and b"haneul" not in part.content.data
    [row] = await office.all(Export)
    assert row.content is not None and b"1001" not in row.content.data


async def test_it_is_emptied_when_its_time_is_over(office: Office, gathered: Gathered) -> None:
    head = await gathered()
    office.clock.advance(gather.LIVES + timedelta(seconds=1))
    request = (await office.request()).id or 0
    assert await shelf.head(office.desk, request) is None
    await timers.sweep(office.desk)
    [row] = await office.all(Export)
    assert row.content is None and row.counts["member"]["rows"] == 1  # numbers stay
    assert await office.all(ExportPart) == []
    with pytest.raises(SpentProof):
        [lines async for lines in shelf.parts(office.desk, head, 0)]


async def test_a_destroyed_key_is_the_end_of_it(office: Office, gathered: Gathered) -> None:
    await gathered()
    request = await office.request()
    office.desk.vault.destroy(request.key_id, office.clock())
    assert await shelf.head(office.desk, request.id or 0) is None


async def test_what_a_kill_left_behind_goes(office: Office, gathered: Gathered) -> None:
    await gathered()
    await gather.gather(office.desk, await office.request())  # and nothing was proposed
    assert [row.state for row in await office.all(Export)] == ["ready", "gathering"]
    await timers.sweep(office.desk)
    [row] = await office.all(Export)
    assert row.state == "ready"
    assert {part.export_id for part in await office.all(ExportPart)} == {row.id}


def test_lines_are_handed_on_whole() -> None:
    glance = spool.Glance("t", 2, 3)
    with glance.open_file("t") as file:
        for piece in (b'{"a"', b": 1}\n", b'{"a": 2}\n{"a": 3}\n{"a"', b": 4}\n", b'{"a": 5}\n'):
            file.write(piece)
    with glance.open_file("other") as file:
        file.write(b'{"a": 9}\n')
    assert glance.lines == [b'{"a": 3}', b'{"a": 4}', b'{"a": 5}']
    assert shelf.read(b'{"price": 12.50}')["price"].as_tuple().digits == (1, 2, 5, 0)
