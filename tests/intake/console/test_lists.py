"""Sorting, dead letters, the pages of a long queue, policy notices."""

import re
from datetime import timedelta

from browsers import KO, Browser, actions
from desks import Office
from sqlmodel import select

from subjectline.handlers import opaque, queries
from subjectline.models.errors import BadInput
from subjectline.models.tables import Conversation, PolicyVersion, RawInbox, Request


async def unsorted(office: Office) -> None:
    """A mail that no rule could sort."""
    await office.mail("hello@mail.test", "사진집이 정말 좋네요. 닉네임이 왜 이런가요?")
    async with office.desk.db.write() as session:
        row = (await session.exec(select(Conversation))).one()
        row.state = "unsorted"


async def test_an_unsorted_conversation_becomes_a_request(
    console: Browser, staffed: Office
) -> None:
    await unsorted(staffed)
    page = (await console.get("/unsorted")).text
    assert "hello@mail.test" not in page
    address = re.search(r"/conversations/[0-9a-z]{13}", page)
    assert address is not None
    page = (await console.get(address[0])).text
    assert "hello@mail.test" in page and "사진집" in page
    assert "view" in await actions(staffed)
    response = await console.post(f"{address[0]}/open-case", kind="correction", fields=["nickname"])
    row = (await staffed.all(Request))[-1]
    assert response.url.path == f"/requests/{row.reference}"
    assert (row.kind, row.fields) == ("correction", ["nickname"])


async def test_a_conversation_without_a_request_is_closed(
    console: Browser, staffed: Office
) -> None:
    await unsorted(staffed)
    row = await staffed.conversation()
    address = f"/conversations/{opaque.hide(staffed.desk.vault, 'conversation', row.id or 0)}"
    await console.get(address)
    assert (await console.post(f"{address}/close", reason=" ")).status_code == 422
    await console.get(address)
    await console.post(f"{address}/close", reason="문의가 아닙니다.")
    assert (await staffed.conversation()).state == "closed"


async def test_a_dead_letter_is_tried_again(console: Browser, staffed: Office) -> None:
    async with staffed.desk.db.write() as session:
        now = staffed.clock()
        session.add(
            RawInbox(
                door="mail",
                source_key="x",
                lane="x",
                arrived_at=now,
                kept_at=now,
                state="dead",
                reason="broken",
            )
        )
    page = (await console.get("/dead")).text
    address = re.search(r"/dead/[0-9a-z]{13}/retry", page)
    assert address is not None
    await console.post(address[0])
    assert (await staffed.all(RawInbox))[0].state == "new"
    await console.get("/dead")
    form = console.hidden("/sign-out")
    assert (await console.post(address[0], **form)).status_code == 409


async def test_the_next_page_begins_behind_the_last_row(staffed: Office) -> None:
    now = staffed.clock()
    async with staffed.desk.db.write() as session:
        talk = Conversation(
            door="mail",
            contact_kind="email",
            contact_index=b"x",
            key_id="k",
            made_at=now,
            last_at=now,
        )
        session.add(talk)
        await session.flush()
        for number in range(queries.PAGE * 2 + 3):
            due = now + timedelta(days=number // 7)
            session.add(
                Request(
                    reference=f"SL-{number:09d}",
                    group_id="g",
                    conversation_id=talk.id or 0,
                    kind="access",
                    state="open",
                    key_id="k",
                    arrived_at=now,
                    due_at=due,
                    due_on=due.date().isoformat(),
                )
            )
    seen: list[str] = []
    after = ""
    while True:
        page = await queries.queue(staffed.desk, "todo", after)
        seen += [row.reference for row in page.rows]
        after = page.following
        if not after:
            break
    assert seen == [f"SL-{number:09d}" for number in range(queries.PAGE * 2 + 3)]
    assert page.counts.todo == len(seen)


async def test_handles_hide_ids_and_come_back(office: Office) -> None:
    vault = office.desk.vault
    handles = {opaque.hide(vault, "conversation", number): number for number in range(1, 500)}
    assert len(handles) == 499
    assert all(opaque.show(vault, "conversation", h) == n for h, n in handles.items())
    first = opaque.hide(vault, "conversation", 1)
    assert first != opaque.hide(vault, "raw_inbox", 1)
    for wrong in ("", "x" * 12, "u" * 13, "z" * 13):
        try:
            opaque.show(vault, "conversation", wrong)
        except BadInput as refused:
            assert refused.field == "address"
        else:
            raise AssertionError(wrong)


async def test_a_policy_version_is_written_and_announced(console: Browser, staffed: Office) -> None:
    await console.get("/notices")
    form = {
        "name": "2027-01",
        "announced_on": "2026-11-23",
        "effective_on": "2026-11-25",
        "text_ko": "# 처리방침\n\n## 제1조\n본문",
        "text_en": "# Policy\n\n## Article 1\nText",
    }
    for part in ("clause", "before", "after", "reason"):
        form |= {f"change.0.{part}.ko": "내용", f"change.0.{part}.en": "words"}
    response = await console.post("/notices", **form)
    assert response.status_code == 409
    assert "시행일이 너무 이릅니다" in response.text
    await console.get("/notices")
    response = await console.post("/notices", **{**form, "effective_on": "2026-12-01"})
    assert response.url.path == "/notices/2027-01"
    row = (await staffed.all(PolicyVersion))[-1]
    assert row.changes[0]["clause"] == {"ko": "내용", "en": "words"}
    response = await console.post("/notices/2027-01/announce")
    assert "정리하고 있습니다" in response.text


async def test_a_date_that_is_none_is_said_plainly(console: Browser) -> None:
    await console.get("/notices")
    response = await console.post("/notices", name="x", announced_on="soon", effective_on="later")
    assert response.status_code == 422
    assert "입력한 내용을 확인해 주세요" in response.text


async def test_the_lists_are_empty_in_words(console: Browser) -> None:
    for path in ("/queue", "/queue?show=waiting", "/queue?show=done", "/unsorted", "/dead"):
        response = await console.get(path)
        assert response.status_code == 200
        assert 'class="empty"' in response.text
    await console.get("/queue")
    assert "맞는 요청이 없습니다" in (await console.post("/find", q=KO)).text
