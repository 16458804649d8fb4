"""What the desk keeps of its own: each table, what becomes of it, and why.

`PARTS` are the kinds of records with a period of their own (settings, `[retention]`); `TABLES` names
every table of the desk. The daily run (`handlers.retention`) obeys both; a table without a line here
is a failing test.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from subjectline.models.datamap.parts import Bilingual
from subjectline.models.periods import Period

Way = Literal["deleted", "emptied", "with", "stays"]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of the desk's records: what it is called in a certificate, since when time counts, why."""

    labels: Bilingual
    since: str
    why: str


@dataclass(frozen=True, slots=True)
class TableRule:
    """What becomes of one table's rows.

    deleted: the run deletes them when the part's period is over. emptied: it takes the person out of
    them and destroys their key. with: they go with the table `part`, on which they hang. stays: never
    destroyed, because of `why`.
    """

    way: Way
    part: str
    why: str


class Periods(BaseModel):
    """How long each part is kept. `cases`, `audit` and `consents` yield to the data map's `case_files`."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    cases: Period = "3 years"  # type: ignore[assignment]
    audit: Period = "2 years"  # type: ignore[assignment]
    consents: Period = "5 years"  # type: ignore[assignment]
    holds: Period = "3 years"  # type: ignore[assignment]
    decisions: Period = "3 years"  # type: ignore[assignment]
    notices: Period = "3 years"  # type: ignore[assignment]
    codes: Period = "90 days"  # type: ignore[assignment]
    traces: Period = "90 days"  # type: ignore[assignment]


def _part(ko: str, en: str, since: str, why: str) -> Part:
    return Part(Bilingual(ko=ko, en=en), since, why)


PARTS: dict[str, Part] = {
    "cases": _part(
        "권리 요구의 처리 기록",
        "Records of requests handled",
        "the request was closed; a conversation since its last message",
        "complaints and disputes, E-Commerce Act",
    ),
    "audit": _part(
        "개인정보 접속기록",
        "Records of access to personal data",
        "the row was written",
        "safety standard: 1 year, 2 years from 50,000 people",
    ),
    "consents": _part(
        "동의와 철회의 기록",
        "Consents given and withdrawn",
        "the member left",
        "the company has to show that there was a consent (contracts, E-Commerce Act)",
    ),
    "holds": _part(
        "이용 정지의 기록",
        "Records of data held back",
        "the hold ended",
        "shows that contested data was not used (PIPA 73(1)); as long as its case",
    ),
    "decisions": _part(
        "이용 제한, 파기 보류, 서류 파쇄의 기록",
        "Restrictions, legal holds, shredded papers",
        "it was lifted, ended or shredded",
        "shows who decided what; as long as a dispute can come",
    ),
    "notices": _part(
        "처리방침 변경 안내의 발송 기록",
        "Proof of policy notices",
        "the letter's last move, once its mailing is done",
        "shows that each member was told (PIPA 30 and the policy's own promise)",
    ),
    "codes": _part(
        "본인확인 번호의 기록",
        "One-time codes",
        "the code expired",
        "abuse is looked into within weeks; that a code proved somebody stands in the history",
    ),
    "traces": _part(
        "접수와 작업의 흔적",
        "Traces of work",
        "it was done",
        "the same mail is known again by its message; faults are looked for within weeks",
    ),
}


def _deleted(part: str, why: str = "") -> TableRule:
    return TableRule("deleted", part, why or PARTS[part].why)


def _with(table: str, why: str) -> TableRule:
    return TableRule("with", table, why)


def _stays(why: str) -> TableRule:
    return TableRule("stays", "", why)


TABLES: dict[str, TableRule] = {
    "agent": _stays("staff, not members; access records and signatures name them"),
    "agent_session": _deleted("traces", "a browser that was signed in; useless once it expired"),
    "approval": _with("proposal", "the signature under the bytes"),
    "attempt": _with("request", "proof of what was changed in the registry"),
    "audit": _deleted("audit"),
    "certificate": _stays("proof of destruction; names nobody"),
    "challenge": _deleted("codes"),
    "consent_entry": _deleted("consents"),
    "conversation": TableRule("emptied", "cases", "its key goes, and whom it was with"),
    "statement": _with("request", "what a member says against a refused correction, sealed"),
    "mandate": _with("conversation", "who acts for whom, within which scope; names are sealed"),
    "mandate_use": _with("mandate", "which requests were opened under it"),
    "manual_copy": _with("request", "who corrected a copy by hand, and when"),
    "dead_address": _deleted("notices", "a blind index; which addresses are not mailed any more"),
    "export": _with("request", "receipts of opening; the content itself goes after 7 days"),
    "export_part": _with("export", "goes after 7 days"),
    "gate_caller": _stays("systems, not people"),
    "gate_head": _stays("one number"),
    "gate_key": _stays("of systems, not people; goes when it is rotated out or revoked"),
    "gate_reach": _stays("a number and a time"),
    "gate_use": _deleted(
        "audit",
        "who used a held field for what; of an ended hold as long as its row has a person",
    ),
    "history": _with("request", "the steps of the case"),
    "group_card": _with("proposal", "the message in the agents' group; names nobody"),
    "hold": TableRule(
        "emptied", "holds", "revisions have no gap, so the row stays without a person"
    ),
    "legal_hold": _deleted("decisions"),
    "link": _with("request", "whether and when the result was opened"),
    "message": _with("conversation", "what was written"),
    "message_file": _with("message", "what was attached"),
    "mobile_proof": _with("request", "when a mobile identity proof was tried; never its result"),
    "notice": _stays("which version was mailed when; names no member"),
    "notice_recipient": _deleted("notices"),
    "outbox": _with("conversation", "the letters as they left"),
    "paper": _deleted("decisions"),
    "policy_version": _stays("published texts; an old version must stay readable"),
    "proposal": _with("request", "the answer, byte for byte"),
    "raw_inbox": _deleted("traces", "emptied when read; a dead letter's key goes after 30 days"),
    "request": TableRule(
        "emptied", "cases", "reference, kind, state and days stay, without a person"
    ),
    "request_message": _with("request", "which message belongs to which request"),
    "restriction": _deleted("decisions"),
    "retention_run": _stays("when the run ran; names nobody"),
    "returned_letter": _deleted("notices", "shows how a person was told whose letter came back"),
    "sent_message": _with("outbox", "where bounces look; of a notice: with its proof"),
    "task": _deleted("traces", "names a request by number"),
    "telling": _with("request", "which recipient was told what, and its answer; values are sealed"),
}
