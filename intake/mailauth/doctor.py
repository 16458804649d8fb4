"""What the doctor says of our signing keys and of the DNS that we verify others by."""

import stat
from collections.abc import Sequence

from subjectline.handlers.senders.dkim import DkimKey, load_key, public_bytes
from subjectline.intake.mailauth.alignment import aligned
from subjectline.intake.mailauth.dns import Records
from subjectline.models.dkim import parse_tags, read_key_record
from subjectline.models.errors import BadInput, DoorAway, SettingsError
from subjectline.models.mail_settings import DkimSettings, Finding


async def signing_key(settings: DkimSettings, from_domain: str, records: Records) -> Finding:
    """Whether the key can be used, is kept from others, speaks for From, and is published."""
    try:
        key = load_key(settings)
    except SettingsError as wrong:
        return Finding(False, f"dkim: {wrong}")
    name = f"dkim: {key.record_name}"
    wrong_here = _at_home(settings, from_domain)
    if wrong_here:
        return Finding(False, f"{name}: {wrong_here}")
    try:
        published = await records.txt(key.record_name)
    except DoorAway:
        return Finding(False, f"{name}: the DNS did not answer, so the record was not compared.")
    wrong_there = _published(key, published)
    if wrong_there:
        return Finding(False, f"{name}: {wrong_there}")
    return Finding(True, f"{name} holds the public half of {settings.key_file} ({key.algorithm}).")


def _at_home(settings: DkimSettings, from_domain: str) -> str:
    mode = stat.S_IMODE(settings.key_file.stat().st_mode)
    if mode & 0o077:
        return (
            f"others can read {settings.key_file} (mode {mode:04o}). chmod 600 {settings.key_file}"
        )
    if not aligned(settings.domain, from_domain.lower()):
        return (
            f"it does not speak for {from_domain}, the domain of smtp.from_address,"
            " so DMARC does not count it. Sign with that domain."
        )
    return ""


def _published(key: DkimKey, texts: Sequence[str]) -> str:
    found = [text for text in texts if "p=" in text]
    remedy = "Publish the record that subjectline mail dkim-key printed."
    if not found:
        return f"there is no such record, so our signatures fail. {remedy}"
    if len(found) > 1:
        return "there are several records, so verifiers take any or none. Leave one."
    try:
        record = read_key_record(found[0])
    except BadInput as wrong:
        return f"the record cannot be used: {wrong.rule}. {remedy}"
    if public_bytes(record.key) != public_bytes(key.key.public_key()):
        return f"the record holds another key than {key.selector}'s file. {remedy}"
    if "y" in parse_tags(found[0]).get("t", ""):
        return "the record has t=y (testing), so our signatures count as none. Take it out."
    return ""


async def dns_answers(domain: str, records: Records, *, needed: bool) -> Finding:
    """Whether keys and policies of others can be looked up. `needed`: nobody else verifies for us."""
    try:
        await records.txt(f"_dmarc.{domain}")
    except DoorAway:
        lost = "signatures cannot be verified, so mails without a word of the border stay unknown"
        return Finding(not needed, f"dns: no answer; {lost}.")
    return Finding(True, "dns: it answers; signatures can be verified.")
