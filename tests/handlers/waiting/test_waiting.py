"""Why a conversation stands on the agents' list, and that the fourth request of an hour is not forgotten."""

from datetime import timedelta

from desks import ACCESS, CORRECT, LEAVE, MARKETING, THIRD_PARTY, Office, agent

from subjectline.handlers import casefile, queries, timers
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Challenge, Conversation, Request

ME = "someone-else@stranger.test"


async def four(office: Office) -> None:
    for words in (CORRECT, ACCESS, LEAVE, "제3자 제공 동의를 철회합니다."):
        await office.mail(ME, words)


async def sweep(office: Office) -> int:
    steps = await timers.sweep(office.desk)
    await office.work()
    return steps


async def why(office: Office) -> tuple[str, ...]:
    [row] = await queries.unsorted(office.desk)
    return row.waits


async def test_the_list_says_that_codes_are_spent(office: Office) -> None:
    await four(office)
    assert [r.state for r in await office.all(Request)] == ["verifying"] * 3 + ["received"]
    assert await why(office) == ("too_many_codes",)
    [row] = await queries.unsorted(office.desk)
    talk = await casefile.talk(office.desk, row.handle, agent(1))
    assert talk.waits == ("too_many_codes",)


async def test_the_desk_sends_the_code_when_the_hour_is_over(office: Office) -> None:
    await four(office)
    sent = len(office.tray.to(ME))
    office.clock.advance(timedelta(minutes=59))
    assert await sweep(office) == 0 and len(office.tray.to(ME)) == sent
    office.clock.advance(timedelta(minutes=2))
    assert await sweep(office) == 1 and len(office.tray.to(ME)) == sent + 1
    assert [r.state for r in await office.all(Request)] == ["verifying"] * 4
    assert [c.state for c in await office.all(Conversation)] == ["quiet"]
    assert await queries.unsorted(office.desk) == ()
    assert await sweep(office) == 0 and len(office.tray.to(ME)) == sent + 1


async def test_the_late_code_proves_its_request(office: Office) -> None:
    for words in (CORRECT, ACCESS, LEAVE, THIRD_PARTY + " " + MARKETING):
        await office.mail(KO_MEMBER.email, words, auth="none")
    late = [r for r in await office.all(Request) if r.state == "received"]
    assert late
    office.clock.advance(timedelta(minutes=61))
    assert await sweep(office) == 1
    await office.mail(KO_MEMBER.email, "네", answers=office.last(KO_MEMBER.email))
    states = {r.id: r.state for r in await office.all(Request)}
    assert all(states[r.id] not in ("received", "verifying") for r in late)


async def test_the_days_limit_holds_for_the_desk_too(office: Office) -> None:
    await four(office)
    async with office.desk.db.write() as session:
        row = (await office.all(Challenge))[0]
        for _ in range(7):
            facts = row.model_dump(exclude={"id", "token_hash", "contact"})
            session.add(Challenge(**facts, token_hash=bytes(32)))
    office.clock.advance(timedelta(hours=2))
    assert await sweep(office) == 0 and await why(office) == ("too_many_codes",)
    office.clock.advance(timedelta(hours=23))
    assert await sweep(office) >= 1


async def test_each_reason_is_told_apart(office: Office) -> None:
    await office.mail(ME, "안녕하세요. 좋은 하루 보내세요.")
    assert await why(office) == ("not_understood",)


async def test_mails_beyond_the_hours_number_say_so(office: Office) -> None:
    for number in range(office.desk.manner.mails_an_hour + 1):
        await office.mail(ME, f"안녕하세요. 인사 {number}번째입니다.", work=False)
    await office.work()
    assert await why(office) == ("flood", "not_understood")


async def test_a_contact_that_cannot_prove_itself_is_no_missing_code(office: Office) -> None:
    await office.mail(KO_MEMBER.email, "제 이메일을 new-one@example.com 으로 바꿔 주세요.")
    assert await why(office) == ("other_proof",)
    office.clock.advance(timedelta(hours=2))
    await sweep(office)
    assert (await office.all(Challenge)) == []
