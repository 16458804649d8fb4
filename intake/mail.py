"""One mail: bytes to Incoming. Pure: no I/O, no clock, no state.

The stages are libraries in `intake.mailparse`: `mime` (parts), `body` (text and attachments),
`quotes` (what is new), `addresses`, `authenticity` (tier) and `rules` (outcome).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from subjectline.intake.attachments.names import is_picture, names_paper
from subjectline.intake.mailauth.evidence import OwnCheck
from subjectline.intake.mailparse.addresses import Address, addresses, message_ids, reply_token
from subjectline.intake.mailparse.authenticity import judge
from subjectline.intake.mailparse.body import Body, read_body
from subjectline.intake.mailparse.charsets import clean, decode_any
from subjectline.intake.mailparse.mime import Headers, Part, read
from subjectline.intake.mailparse.quotes import Split, split
from subjectline.intake.mailparse.reports import read_reports
from subjectline.intake.mailparse.rules import Facts, decide
from subjectline.intake.mailparse.told import files_told, told
from subjectline.models.errors import UnreadableMail
from subjectline.models.files import Apart
from subjectline.models.incoming import Attachment, Contact, Door, Incoming, Outcome
from subjectline.models.masking import mark_has_resident_number, mask_resident_numbers

_BEGINNING = 1_000_000  # bytes read of an oversized mail
_ELSEWHERE = re.compile(r"\S{1,300}@\S{1,300}|https?://\S{1,2000}")
_HANGUL = re.compile("[가-힣ㄱ-ㆎ]")
_LATIN = re.compile("[A-Za-z]")
_KOREAN_SHARE = 0.2
_SPACE = re.compile(r"\s+")
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """What the mail door knows of its own side.

    `authserv_ids`: our border's names in Authentication-Results. `desk_addresses`: ours, without
    plus tags. `max_bytes`: larger mails are held, and only their beginning is read.
    """

    authserv_ids: tuple[str, ...] = ()
    desk_addresses: tuple[str, ...] = ()
    max_bytes: int = 25 * 1024 * 1024  # as `mailboxes.max_mail_bytes`


def parse_mail(
    raw: bytes,
    *,
    source_key: str,
    arrived_at: datetime,
    policy: MailPolicy,
    own_check: OwnCheck | None = None,
) -> Incoming:
    """The mail in `raw` (RFC 5322, or what became of it), masked.

    `arrived_at` is the server's, aware; the Date header is not looked at. `own_check` is what was
    found of its signatures, where they were verified (`mailauth.check`). Raises UnreadableMail
    when there is nothing to read at all, and nothing else, whatever the bytes.
    """
    try:
        return _parse(raw, source_key, arrived_at, policy, own_check)
    except UnreadableMail:
        raise
    # The last net: a fault of ours must not lose a person's request.
    except Exception as fault:
        return _unparsed(raw, source_key, arrived_at, type(fault).__name__)


def _parse(
    raw: bytes,
    source_key: str,
    arrived_at: datetime,
    policy: MailPolicy,
    own_check: OwnCheck | None,
) -> Incoming:
    root = read(raw[:_BEGINNING] if len(raw) > policy.max_bytes else raw)
    body = read_body(root)
    _refuse_nothing(root, body)
    masked = _Masked()
    subject = masked(root.headers.text("subject", 1000))
    parts = split(masked(body.text))
    rest = "\n\n".join(text for text in (parts.rest, *map(masked, body.unseen)) if text.strip())
    paper = names_paper(f"{subject}\n{body.text[:20_000]}")
    files = _files(body, masked, paper=paper, cut=len(raw) > policy.max_bytes)
    parts, rest = _something_to_read(parts, rest)
    senders = addresses(root.headers.raw("from"), root.headers.hint)
    sender = _sender(root.headers, senders)
    judgement = judge(root.headers, senders, policy.authserv_ids, own_check)
    token = reply_token(root.headers, policy.desk_addresses)
    facts = _facts(root, body, sender, subject, parts, token, len(raw), policy)
    rule, outcome, reason = decide(facts)
    told = rule in ("bounce", "complaint")
    return Incoming(
        door=Door.MAIL,
        source_key=source_key,
        arrived_at=arrived_at,
        sender=Contact("email", sender.value),
        sender_name=masked(sender.name),
        text=parts.new,
        subject=subject,
        rest=rest,
        message_id=next(iter(_marks(root.headers, "message-id")), ""),
        in_reply_to=next(iter(_marks(root.headers, "in-reply-to")), ""),
        references=_marks(root.headers, "references"),
        reply_token=token,
        tier=judgement.tier,
        evidence=judgement.evidence,
        rule=rule,
        outcome=outcome,
        reason=reason,
        language=language_of(parts.new or subject),
        resident_number_found=masked.found or body.hidden_resident_number,
        body_hash=body_hash(parts.new, files),
        attachments=files,
        reports=read_reports(root, body.text, policy.desk_addresses, complained=rule == "complaint")
        if told
        else (),
    )


def _unparsed(raw: bytes, source_key: str, arrived_at: datetime, fault: str) -> Incoming:
    """The mail as it stands, masked, for an agent."""
    text, found = mask_resident_numbers(decode_any(raw[:_BEGINNING]))
    return Incoming(
        door=Door.MAIL,
        source_key=source_key,
        arrived_at=arrived_at,
        sender=Contact("email", ""),
        text=clean(text),
        rule="unparsed",
        outcome=Outcome.HOLD,
        reason=f"the parser failed: {fault}",
        evidence={"why": "not parsed"},
        language=language_of(text),
        resident_number_found=found,
        body_hash=body_hash(text, ()),
    )


class _Masked:
    """Masks, and remembers whether there was anything to mask."""

    def __init__(self) -> None:
        self.found = False

    def __call__(self, text: str) -> str:
        text, found = mask_resident_numbers(text)
        self.found = self.found or found
        return text


def _refuse_nothing(root: Part, body: Body) -> None:
    if not root.headers.items and not body.text.strip() and not body.files:
        raise UnreadableMail(
            "no text can be read from the bytes",
            field="mail",
            remedy="It stands sealed among the dead letters; an agent can retry it.",
        )


def _something_to_read(parts: Split, rest: str) -> tuple[Split, str]:
    """A mail that only carries another one: the other one's words are all there is."""
    if parts.new or not rest:
        return parts, rest
    return Split(rest, "", only_quoted=True), ""


def _files(body: Body, masked: _Masked, *, paper: bool, cut: bool) -> tuple[Attachment, ...]:
    """With masked names. Where the letter speaks of an identity card, pictures may show a number."""
    if cut:
        return ()
    masked.found = masked.found or any(Apart.RESIDENT_NUMBER in one.apart for one in body.files)
    return tuple(
        replace(
            one,
            name=masked(one.name),
            apart=one.apart
            or ((Apart.MAY_SHOW,) if paper and is_picture(one.content_type) else ()),
        )
        for one in body.files
    )


def _marks(headers: Headers, name: str) -> tuple[str, ...]:
    """The ids in a header; they are kept plain, so one like a resident number is not taken."""
    found = message_ids(headers.raw(name))
    return tuple(one for one in found if not mark_has_resident_number(one))


def _sender(headers: Headers, senders: list[Address]) -> Address:
    """Who is to be answered: From, and only without one Sender, Reply-To or the return path."""
    for name in ("sender", "reply-to", "return-path"):
        if senders:
            break
        senders = addresses(headers.raw(name))
    return senders[0] if senders else Address("", "")


def _facts(
    root: Part, body: Body, sender: Address, subject: str, parts: Split, token: str, size: int,
    policy: MailPolicy,
) -> Facts:  # fmt: skip
    is_report = root.type == "multipart/report"
    return Facts(
        headers=root.headers,
        type=root.type,
        report_type=root.parameters.get("report-type", "").lower() if is_report else "",
        kinds=frozenset(body.kinds),
        senders=(sender,) if sender.value else (),
        subject=subject,
        text=parts.new,
        has_files=bool(body.files),
        only_quoted=parts.only_quoted,
        encrypted=body.encrypted,
        is_answer=bool(token) or "in-reply-to" in root.headers or "references" in root.headers,
        size=size,
        max_bytes=policy.max_bytes,
        desk_addresses=policy.desk_addresses,
    )


def language_of(text: str) -> str:
    """`ko` or `en`, by the share of Hangul among the letters; addresses and links do not count."""
    text = _ELSEWHERE.sub(" ", text[:20_000])
    hangul, latin = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    return "ko" if not latin or hangul >= _KOREAN_SHARE * (hangul + latin) else "en"


def body_hash(text: str, files: Sequence[Attachment]) -> str:
    """SHA-256, in hex, of the words of `text` and of the attachments: equal for the same mail."""
    digest = hashlib.sha256(_SPACE.sub(" ", text).strip().encode())
    for one in files:
        digest.update(hashlib.sha256(one.content).digest())
    return digest.hexdigest()


def explain(raw: bytes, policy: MailPolicy, own_check: OwnCheck | None = None) -> dict[str, object]:
    """What the desk makes of `raw`, for `subjectline mail explain`: JSON-able, masked."""
    try:
        mail = parse_mail(
            raw, source_key="", arrived_at=_NO_TIME, policy=policy, own_check=own_check
        )
    except UnreadableMail as error:
        return {
            "text": "",
            "rest": "",
            "rule": "unreadable",
            "outcome": "dead",
            "reason": error.rule,
            "attachments": [],
        }
    masked = _Masked()
    values = {
        key: _masked_through(value, masked)
        for key, value in _explained(raw, policy, mail, own_check).items()
    }
    # As one piece an address is a machine's mark, in which digits are not taken for a number.
    values["sender"] = "@".join(map(masked, mail.sender.value.split("@")))
    return values | {"resident_number_found": mail.resident_number_found or masked.found}


def _masked_through(value: object, masked: _Masked) -> object:
    """`value` with every text in it masked: a sender writes addresses, types and selectors too."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _masked_through(one, masked) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked_through(one, masked) for one in value]
    return value


def _explained(
    raw: bytes, policy: MailPolicy, mail: Incoming, own_check: OwnCheck | None
) -> dict[str, object]:
    return {
        "sender": mail.sender.value,
        "sender_name": mail.sender_name,
        "subject": mail.subject,
        "text": mail.text,
        "rest": mail.rest,
        "rule": mail.rule,
        "outcome": mail.outcome.value,
        "reason": mail.reason,
        "tier": mail.tier.value,
        "evidence": mail.evidence,
        "signatures": [asdict(one) for one in own_check.signatures] if own_check else [],
        "attachments": files_told(mail.attachments),
        **_told(raw[:_BEGINNING] if len(raw) > policy.max_bytes else raw, mail),
        "language": mail.language,
        "resident_number_found": False,  # told when all is masked
        "reply_token": mail.reply_token,
    }


def _told(raw: bytes, mail: Incoming) -> dict[str, object]:
    return {"troubles": [mail.reason], "parts": []} if mail.rule == "unparsed" else told(raw)
