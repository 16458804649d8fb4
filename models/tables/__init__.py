"""The nouns, as tables. Importing this package registers all of them in the metadata."""

from subjectline.models.tables.gate import (
    GateCaller,
    GateHead,
    GateKey,
    GateReach,
    GateUse,
    Hold,
)
from subjectline.models.tables.intake import Conversation, Message, MessageFile, RawInbox
from subjectline.models.tables.keeping import (
    Certificate,
    ConsentEntry,
    LegalHold,
    Paper,
    Restriction,
    RetentionRun,
)
from subjectline.models.tables.letters import (
    GroupCard,
    Notice,
    NoticeRecipient,
    Outbox,
    PolicyVersion,
    SentMessage,
)
from subjectline.models.tables.people import Agent, AgentSession, Audit
from subjectline.models.tables.proofs import Mandate, MandateUse, MobileProof
from subjectline.models.tables.recipients import Telling
from subjectline.models.tables.requests import (
    Approval,
    Attempt,
    Challenge,
    Export,
    ExportPart,
    History,
    Link,
    ManualCopy,
    Proposal,
    Request,
    RequestMessage,
    Statement,
    Task,
)
from subjectline.models.tables.returned import DeadAddress, ReturnedLetter

__all__ = [
    "Agent",
    "AgentSession",
    "Approval",
    "Attempt",
    "Audit",
    "Certificate",
    "Challenge",
    "ConsentEntry",
    "Conversation",
    "DeadAddress",
    "Export",
    "ExportPart",
    "GateCaller",
    "GateHead",
    "GateKey",
    "GateReach",
    "GateUse",
    "GroupCard",
    "History",
    "Hold",
    "LegalHold",
    "Link",
    "Mandate",
    "MandateUse",
    "ManualCopy",
    "Message",
    "MessageFile",
    "MobileProof",
    "Notice",
    "NoticeRecipient",
    "Outbox",
    "Paper",
    "PolicyVersion",
    "Proposal",
    "RawInbox",
    "Request",
    "RequestMessage",
    "Restriction",
    "RetentionRun",
    "ReturnedLetter",
    "SentMessage",
    "Statement",
    "Task",
    "Telling",
]
