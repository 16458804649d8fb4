"""From the raw inbox to a message with its tier, and from a parcel to a signed mail at the server."""

from pathlib import Path

import pytest
from desks import CORRECT, NOW, POLICY, Office, letter
from dkim_kit import holds_for_dkimpy, key_of, pem, records, signed_by_hand, signer
from pydantic import SecretStr

from subjectline.handlers import inbox
from subjectline.handlers.inbox import Raw
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.mail import MailSender
from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.intake.mail_sink import Recent, mail_parser
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.intake.serve import _mail_parser
from subjectline.models.clock import system_clock
from subjectline.models.incoming import Door
from subjectline.models.mail_settings import DkimSettings, DnsSettings, MailboxSettings
from subjectline.models.settings import DeskSection, RegistrySection, Settings
from subjectline.models.tables import Message

DOMAIN = KO_MEMBER.email.rpartition("@")[2]


def raw(key: str, *, oversized: bool = False) -> Raw:
    plain = letter(KO_MEMBER.email, CORRECT, auth="")
    body = signed_by_hand(plain, names="from:to:subject", d=DOMAIN)
    return Raw(Door.MAIL, key, key, NOW, body, oversized)


@pytest.mark.parametrize(
    ("key", "oversized", "tier"),
    [
        ("mail:desk@box.test/INBOX:1:1", False, "aligned"),
        ("mail:desk@box.test/INBOX:1:1", True, "unknown"),
        ("mail:other@box.test/INBOX:1:1", False, "unknown"),
    ],
)
async def test_a_signed_mail_is_believed(
    office: Office, key: str, oversized: bool, tier: str
) -> None:
    parser = mail_parser(POLICY, Checker(records(domain=DOMAIN)), ("other@box.test",))
    await inbox.keep(office.desk, [raw(key, oversized=oversized)])
    assert await inbox.once(office.desk, {Door.MAIL: parser}) == 1
    [seen] = [one for one in await office.all(Message) if one.direction == "in"]
    assert seen.tier == tier
    assert seen.evidence.get("selector") == ("ed25519" if tier == "aligned" else None)


async def test_no_lookup_where_no_mailbox_asks_for_it(office: Office, tmp_path: Path) -> None:
    def settings(verify: bool) -> Settings:
        box = MailboxSettings(
            host="127.0.0.1",
            user="desk",
            password=SecretStr("x"),
            tls="none",
            verify_dkim=verify,
        )
        smtp = MailWorld(system_clock).smtp_settings(port=25)
        return Settings(
            desk=DeskSection(data_dir=tmp_path),
            registry=RegistrySection(map=tmp_path),
            mailboxes=(box,),
            smtp=smtp,
            dns=DnsSettings(nameservers=("127.0.0.1",), port=9, lookup_seconds=0.1),
        )

    for verify in (False, True):
        await inbox.keep(office.desk, [raw(f"mail:desk@127.0.0.1/INBOX:1:{verify}")])
        parser = _mail_parser(POLICY, settings(verify), Recent())
        assert await inbox.once(office.desk, {Door.MAIL: parser}) == 1
        seen = [one for one in await office.all(Message) if one.direction == "in"][-1]
        assert (seen.tier, "dkim" in seen.evidence) == ("unknown", verify)


async def test_a_parcel_arrives_signed_with_both_keys(tmp_path: Path) -> None:
    world = MailWorld(system_clock)
    await world.start()
    domain = world.desk_address.rpartition("@")[2]
    keys = []
    for kind in ("rsa", "ed25519"):
        (tmp_path / kind).write_bytes(pem(key_of(kind)))
        keys.append(DkimSettings(domain=domain, selector=kind, key_file=tmp_path / kind))
    smtp = SmtpSender(world.smtp_settings(dkim=tuple(keys)))
    parcel = Parcel(
        Door.MAIL,
        "member@member.test",
        "개인정보 정정 요구를 접수했습니다",
        "안녕하세요.\n.점\n" + "긴 " * 3000 + "\n\n\n",
        "<p>안녕하세요.</p>\n\n",
        f"<1@{domain}>",
    )
    try:
        await MailSender(smtp, system_clock).send(parcel)
        [mail] = world.mailbox("member@member.test")
    finally:
        await smtp.close()
        await world.stop()
    received = mail.raw[mail.raw.index(b"DKIM-Signature") :]
    found = await Checker(records(domain=domain)).look(received, NOW)
    assert found is not None
    assert [(one.selector, one.result) for one in found.signatures] == [
        ("rsa", "pass"),
        ("ed25519", "pass"),
    ]
    assert holds_for_dkimpy(received, 0, domain) and holds_for_dkimpy(received, 1, domain)


def test_a_signer_without_keys_leaves_a_mail_as_it_is() -> None:
    assert signer()(b"anything", NOW) == b"anything"
