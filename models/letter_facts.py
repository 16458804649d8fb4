"""What each letter has to be told: one TypedDict per letter, so that callers are type-checked.

Labels (fields, purposes, recipients) come in the letter's language; kinds come as keys. Dates are days
in the regime's zone. Values of a person (`new_value`, `new_values`) stand in mail only: no template
of the chat prints them, apart from the last four characters of `echo`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple, NotRequired, TypedDict

QuestionName = Literal[
    "which_right",
    "which_field",
    "which_value",
    "bad_value",
    "confirm_leaving",
    "confirm_right",
    "confirm_value",  # `echo`: the value read back, covered but for its end
    "new_contact_proof",
    "wrong_code",  # `tries_left`
    "paper",
    "other_proof",
    "free",  # the agent's own question, in `note`
]
NextStep = Literal["review", "confirm_leaving", "value", "answer"]


class CompanyFacts(TypedDict):
    """Who writes. All in the letter's language."""

    name: str
    officer: str
    phone: str
    email: str
    policy_url: str


class ReferenceLine(NamedTuple):
    """One request of a letter that is about several."""

    reference: str
    kind_label: str
    due_on: date


class BodyFacts(TypedDict):
    """An outside body; `phone` may be empty."""

    name: str
    phone: str


class FieldValue(TypedDict):
    """A field by its label, with the member's own new value (mail only)."""

    label: str
    new_value: str


class KeptFacts(TypedDict):
    """What a law makes the company keep: until a day, or a sentence that says until when."""

    what: str
    law: str
    until: date | str


class Understood(TypedDict):
    """One right as the desk understood it. `fields` are labels, `new_values` label -> value."""

    kind: str
    fields: Sequence[str]
    new_values: Mapping[str, str]


class Common(TypedDict):
    """What every letter about a request says. `letters.common` builds it from the regime.

    `article` is the law the letter stands on, `counting` how its days are counted, `identity_law` why
    a person is checked. `letters.SLOTS` are the facts that may be left open: of a deed
    (`done_on`, `expires_on`) until it is done, of a letter (`sent_on`, `secure_link`) until it leaves.
    """

    company: CompanyFacts
    reference: str
    kind: str
    received_on: date
    due_on: date
    article: str
    counting: str
    identity_law: str
    kind_label: NotRequired[str]  # made from `kind` unless given
    references: NotRequired[Sequence[tuple[str, str, date]]]
    sent_on: NotRequired[date | str]
    secure_link: NotRequired[str]
    page: NotRequired[str]  # by mail: what the link's page is for, a purpose of handlers.links
    note: NotRequired[str]  # a paragraph in an agent's own words


class VerifyFacts(Common):
    """The challenge. Must read the same whether the person is in the registry or not.

    `reply_suffices`: the mail came authenticated, so 네 is enough. `hold_hours`: how long a
    provisional hold lasts, 0 for none; decide it by the mail's own evidence, never by the registry
    (the words say "if this address is registered").
    """

    code: str
    expires_minutes: int
    reply_suffices: bool
    kinds: Sequence[str]
    hold_hours: NotRequired[int]


class AckFacts(Common):
    """`held`: labels kept back from use; `held_purposes`: for which purposes, none named is all."""

    understood: Sequence[Understood]
    held: Sequence[str]
    next_step: NextStep
    held_purposes: NotRequired[Sequence[str]]


class QuestionFacts(Common):
    """`choices` are labels to choose from, `reason` a key of BadValue, `kept` for confirm_leaving."""

    question: QuestionName
    choices: NotRequired[Sequence[str]]
    field_label: NotRequired[str]
    reason: NotRequired[str]
    kept: NotRequired[Sequence[KeptFacts]]
    echo: NotRequired[str]
    masked: NotRequired[str]  # of which_value by chat: the present entry, covered but for its end
    tries_left: NotRequired[int]


class ReminderFacts(Common):
    waiting_for: Literal["proof", "answer"]


class RefusedIdentityFacts(Common):
    bodies: Sequence[BodyFacts]
    reason: NotRequired[str]


class EndedFacts(Common):
    """Lapsed and withdrawn. `released`: labels that are in use again."""

    released: NotRequired[Sequence[str]]


class MovedFacts(Common):
    moved_to: str


class RefusedFacts(Common):
    """`ground` and `ground_article` from the regime (`letters.refusal`), `reason` in agent's words.

    `unknown_member`: nothing is held under the address that was proved. `statement` of a correction:
    `kept`, or `invited` to be written.
    """

    ground: str
    ground_article: str
    reason: str
    bodies: Sequence[BodyFacts]
    unknown_member: NotRequired[bool]
    released: NotRequired[Sequence[str]]
    statement: NotRequired[str]


class PartialFacts(Common):
    done_on: date | str
    done_items: Sequence[str]
    refused_items: Sequence[str]
    ground: str
    ground_article: str
    reason: str
    bodies: Sequence[BodyFacts]
    statement: NotRequired[str]


class RestrictedFacts(Common):
    """A member suspected of false information, or with `lifted` the end of that and its `remedy`.

    `purposes`: labels of what the data is not used for meanwhile. `reason` in an agent's words.
    """

    done_on: date | str
    reason: str
    purposes: Sequence[str]
    bodies: Sequence[BodyFacts]
    lifted: NotRequired[bool]
    remedy: NotRequired[str]


class ExtendedFacts(Common):
    new_due_on: date
    reason: str
    ground_article: str
    bodies: Sequence[BodyFacts]


class PostponedFacts(Common):
    until: date
    reason: str
    ground_article: str
    bodies: Sequence[BodyFacts]


class CodeFacts(Common):
    """Only a code, to a registered contact (a request by chat) or to the new one to be proven."""

    code: str
    expires_minutes: int
    purpose: Literal["identity", "new_contact"]


class ContactChangingFacts(Common):
    """To the contact that is about to be replaced, with a stop link in `secure_link`."""

    field_label: str


class ResidentNumberFacts(TypedDict):
    """Told once, kindly. `reference` may be empty where no request stands. `law`: `letters.law_on`."""

    company: CompanyFacts
    reference: str
    law: NotRequired[str]
    kind: NotRequired[str]
    received_on: NotRequired[date]
    due_on: NotRequired[date]
    sent_on: NotRequired[date | str]


class RecipientFacts(TypedDict):
    """To a recipient of the data: never a value. `member` is the member's id there; `held_purposes`
    none: all. `has_values`: the page behind the link shows what is right now. `corrected`: which of the
    items are, where not all; `freed`: what else was held, where only the items are to be destroyed;
    `still_held`: what must not be used yet; `earlier`: other references."""

    company: CompanyFacts
    reference: str
    recipient: str
    notice: Literal["hold", "corrected", "released", "stop", "erase"]
    member: str
    items: Sequence[str]
    corrected: NotRequired[Sequence[str]]
    freed: NotRequired[Sequence[str]]
    still_held: NotRequired[Sequence[str]]
    earlier: NotRequired[Sequence[str]]
    held_purposes: NotRequired[Sequence[str]]
    has_values: bool
    reminded: bool
    law: str
    secure_link: str


class DoneFacts(Common):
    """What every result says; used alone for kinds without a form of their own (objection).

    `told`: the slot for those recipients of the data that were told by the time the letter leaves.
    """

    done_on: date | str
    told: NotRequired[str]


class DoneCorrectionFacts(DoneFacts):
    """`echo`: one new value, for the chat."""

    fields: Sequence[FieldValue]
    echo: NotRequired[str]


class DoneAccessFacts(DoneFacts):
    """Access and portability: the link stands in `secure_link`, good until `expires_on`."""

    expires_on: date | str


class DoneMarketingFacts(DoneFacts):
    """Network Act 50: sender, fact, date, result. `channels`: SMS, email; none named is all."""

    sender: str
    withdrawn_on: date
    channels: Sequence[str]


class DoneThirdPartyFacts(DoneFacts):
    recipients: Sequence[str]
    fields: Sequence[str]


class DoneErasureFacts(DoneFacts):
    """Erasure and membership withdrawal: what was destroyed, what a law keeps."""

    destroyed: Sequence[str]
    kept: Sequence[KeptFacts]


class DoneSuspensionFacts(DoneFacts):
    """`purposes`: which were stopped, none named is all."""

    fields: Sequence[str]
    purposes: Sequence[str]


class ChatClosedFacts(Common):
    """What a chat that is closed to us was to be told: the chat's own words, its link apart."""

    said: str
    secure_link: NotRequired[str]


class PolicyChange(TypedDict):
    """One line of the comparison table (신·구 대비표)."""

    clause: str
    before: str
    after: str
    reason: str


class NoticeFacts(TypedDict):
    """A policy change. The effective date is its due date. No advertising in any of the texts."""

    company: CompanyFacts
    reference: str
    version: str
    announced_on: date
    effective_on: date
    changes: Sequence[PolicyChange]
    how_to_refuse: str
    what_follows: str
    previous_url: str
    law: NotRequired[str]
    sent_on: NotRequired[date | str]
    secure_link: NotRequired[str]


class DialogFacts(TypedDict):
    """What every line of the chat's conversation is told; the bot's own texts need no more."""

    company: CompanyFacts


class StatusLine(TypedDict):
    reference: str
    kind: str
    state: str
    due_on: date


class DialogStatusFacts(DialogFacts):
    requests: Sequence[StatusLine]


class DialogCodeFacts(DialogFacts):
    """ask_code (sent to the email that was named, if it is registered) and code_wrong."""

    expires_minutes: NotRequired[int]
    tries_left: NotRequired[int]


class DialogFieldFacts(DialogFacts):
    """choose_field (`right`), bad_value, confirm_value. `echo`: labels with the new values' ends."""

    right: NotRequired[str]
    field_label: NotRequired[str]
    reason: NotRequired[str]
    echo: NotRequired[str]


class DialogPageFacts(DialogFacts):
    """page and papers: a one-time link, made when the line leaves."""

    secure_link: str


class DialogStateFacts(Common):
    """already: the request that was asked for before, and its state."""

    state: str
