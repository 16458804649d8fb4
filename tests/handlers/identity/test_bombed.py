"""Many chats that name one address do not fill its mailbox, and are told nothing of it."""

from desks import Office

from subjectline.intake.sandbox.people import KO_MEMBER


async def test_chats_together_have_one_limit_for_an_address(office: Office) -> None:
    for user in range(21, 29):
        await office.chat(user, "내 정보를 모두 보여 주세요.")
        await office.chat(user, KO_MEMBER.email)
    assert len(office.tray.to(KO_MEMBER.email)) == 3
    words = {office.tray.to(str(user))[-1].text for user in range(21, 29)}
    assert len(words) == 1
