"""What a domain asks others to do with mail that is not its own (RFC 7489, 6)."""

from dataclasses import dataclass

from subjectline.intake.mailauth.alignment import organisation
from subjectline.intake.mailauth.dns import Records
from subjectline.models.dkim import parse_tags
from subjectline.models.errors import BadInput

_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Dmarc:
    """`policy` is `""` where the domain publishes none; `strict`: only the very domain aligns."""

    policy: str = ""
    strict: bool = False


async def published(domain: str, records: Records) -> Dmarc:
    """The policy for mail from `domain`: its own, else its organisation's (6.6.3).

    Raises DoorAway where the DNS did not answer.
    """
    own = await _at(domain, records)
    if own is not None:
        return _read(own, "p")
    above = organisation(domain)
    tags = await _at(above, records) if above and above != domain else None
    return Dmarc() if tags is None else _read(tags, "sp")


async def _at(domain: str, records: Records) -> dict[str, str] | None:
    found = [text for text in await records.txt(f"_dmarc.{domain}") if _is_record(text)]
    if len(found) != 1:  # several count as none
        return None
    try:
        return parse_tags(found[0])
    except BadInput:
        return None


def _is_record(text: str) -> bool:
    return text.partition(";")[0].replace(" ", "") == "v=DMARC1"


def _read(tags: dict[str, str], first: str) -> Dmarc:
    policy = (tags.get(first) or tags.get("p", "")).lower()
    # Asked for only some of the mails is asked for none: we judge the sender, not the traffic.
    whole = tags.get("pct", "100") == "100" and tags.get("t", "n").lower() != "y"
    strict = tags.get("adkim", "r").lower() == "s"
    if policy not in _POLICIES:
        return Dmarc("none", strict)
    return Dmarc(policy if whole else "none", strict)
