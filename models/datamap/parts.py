"""The parts of a data map that are about people and reasons: fields, purposes, recipients, consents."""

from datetime import date
from typing import Literal

import pydantic
from pydantic import BaseModel, ConfigDict, field_validator

from subjectline.models import canonical, validators
from subjectline.models.periods import Period

Value = str | int | float | bool | None


class Strict(BaseModel):
    """A part of the map: unknown keys are refused and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bilingual(Strict):
    """The same words for Korean and for English readers."""

    ko: str
    en: str

    @field_validator("ko", "en")
    @classmethod
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("words may not be empty")
        return text

    def text(self, language: str) -> str:
        """The words in `language` (ko or en; anything else reads English)."""
        return self.ko if language == "ko" else self.en


class Company(Strict):
    """Who answers: shown at the foot of every letter and on the policy page.

    `notice_days` is the company's own promise: a policy change is announced at least so many days
    before it takes effect.
    """

    name: Bilingual
    officer: Bilingual
    phone: str
    email: str
    policy_url: str
    address: Bilingual | None = None
    regime: str = "kr-pipa"
    notice_days: int = 7


class Connection(Strict):
    """One database of the company.

    Its URL is a setting. A map for the tools (`subjectline access`, `map check`) may carry `url`; a
    setting or an option overrides it, and a password is better kept there. `schema_name` is the schema
    of its tables where it is not the database's default one.
    """

    labels: Bilingual
    url: pydantic.SecretStr | None = None
    schema_name: str | None = pydantic.Field(default=None, alias="schema")


class Home(Strict):
    """The table where a person is one row, and how an id is written.

    `form` is integer, uuid or text (NFC, trimmed; `case` keep or fold). `active` names the column
    and value of those who are members now: the others get no notices. `blocked` is what the same row
    holds while a member is restricted (false information); notices go to them as well. `identity`
    names the columns that hold what other tables know the person by: {email: email_address,
    loyalty_id: card_no}.
    """

    table: str
    key: str
    form: Literal["integer", "uuid", "text"] = "integer"
    case: Literal["keep", "fold"] = "keep"
    language: str | None = None
    active: dict[str, Value] = {}
    blocked: dict[str, Value] = {}
    identity: dict[str, str] = {}

    def canonical(self, member: object) -> str:
        """`member` as the one way in which its id is written. Raises NotCanonical."""
        return canonical.member_id(member, self.form, fold=self.case == "fold")


class Copy(Strict):
    """Another column that holds the same value. `where` narrows it to rows that are still in use,
    `same` to rows that hold the old value.

    An erasure empties the column, or takes the `row` with it (a column that may not be empty).
    """

    table: str
    column: str
    where: dict[str, Value] = {}
    same: bool = False
    erase: Literal["column", "row"] = "column"


class Manual(Strict):
    """A copy that the desk cannot reach: a paper archive, a partner's system. A person corrects it."""

    labels: Bilingual
    place: str = ""


class Field(Strict):
    """One item of personal data that a member can name.

    `purposes` and `recipients` are filled in from those sections of the map. `stored` says how the
    column writes a phone number: canonical (+82…), national (010-…) or digits. An erasure empties the
    column or takes the `row`; `leave`: the membership cannot be without it, so it goes only with it.
    `waits_hours`: a corrected value is written so many hours after the approval at the earliest, and every
    registered contact hears at once how to stop it.
    """

    name: str
    table: str
    column: str
    labels: Bilingual
    words: dict[Literal["ko", "en"], tuple[str, ...]] = {}
    category: str
    validator: validators.Validator
    stored: Literal["canonical", "national", "digits"] = "canonical"
    correctable: bool = True
    evidence: Literal["none", "paper"] = "none"
    erase: Literal["column", "row", "leave"] = "column"
    contact: Literal["email", "phone"] | None = None
    waits_hours: int = pydantic.Field(default=0, ge=0, le=24 * 14)
    copies: tuple[Copy, ...] = ()
    manual: tuple[Manual, ...] = ()
    purposes: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    def normalise(self, text: str, today: date | None = None) -> str:
        """`text` as the canonical value. Raises BadValue with a reason key.

        With `today` (in the regime's zone) a birth date of tomorrow is refused as well.
        """
        return self.validator.normalise(self.name, text, today)

    def to_column(self, value: str) -> str:
        """A canonical value as the company's column writes it."""
        return self.validator.stored(value, self.stored)

    def from_column(self, value: object) -> str | None:
        """What the column holds as the canonical value; as it stands where it is not a good one."""
        return None if value is None else self.validator.lenient(str(value))

    def in_columns(self, value: str) -> tuple[str, ...]:
        """Every way in which a column may write the canonical `value`, for looking it up."""
        return self.validator.spellings(value)

    def display(self, value: str, language: str) -> str:
        """A canonical value as people read it (010-0000-0000, 여성, 1991년 3월 2일)."""
        return self.validator.display(value, language)

    def all_words(self) -> tuple[str, ...]:
        """Labels and synonyms in both languages, labels first, each once."""
        listed = [self.labels.ko, self.labels.en]
        for language in ("ko", "en"):
            listed += self.words.get(language, ())
        return tuple(dict.fromkeys(listed))


class Purpose(Strict):
    """What data is used for, and on which basis. A law names itself; `fields` may be ["*"]."""

    labels: Bilingual
    basis: Literal["consent", "contract", "law", "legitimate"]
    law: Bilingual | None = None
    fields: tuple[str, ...]


class Recipient(Strict):
    """Somebody else who gets data: a third party, or a processor working for the company.

    `purposes` are those that it gets data for (none named: any). `told`: whether it hears of holds and
    corrections; not who only works on the company's own databases. `known_by` is the field whose value
    names the member there; without it the member id does.
    """

    labels: Bilingual
    kind: Literal["third_party", "processor"]
    work: Bilingual
    fields: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    receives_corrected: bool = True
    told: bool = True
    known_by: str | None = None


class Caller(Strict):
    """A system of the company that asks the gate."""

    labels: Bilingual
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    recipient: str | None = None


class ConsentColumn(Strict):
    """What a consent column holds when the consent is given and when it is withdrawn."""

    given: Value
    withdrawn: Value


class Consent(Strict):
    """A consent that can be withdrawn: its columns, the column of the time, the tables it drops.

    `version` is the column that says to which text the person agreed.
    """

    labels: Bilingual
    purposes: tuple[str, ...]
    table: str
    columns: dict[str, ConsentColumn]
    at: str | None = None
    version: str | None = None
    where: dict[str, Value] = {}
    drops: tuple[str, ...] = ()


class Retention(Strict):
    """How long records stay. With `period` they outlive the membership, by a law or a house rule.

    `sweep`: the daily run destroys what is older in the live tables too, of members as well.
    """

    labels: Bilingual
    law: Bilingual | None = None
    period: Period | None = None
    sweep: bool = False


class Archive(Strict):
    """The database where records go that only a law still keeps. Its URL is a setting, `connection`."""

    labels: Bilingual
    connection: str = "archive"


class CaseFiles(Strict):
    """The retention rules of the desk's own records: requests with their messages, the audit, consents."""

    cases: str
    audit: str
    consents: str


class Leave(Strict):
    """What a membership withdrawal does with one table.

    delete: the member's rows go. keep: they stay for the table's retention period, counted from
    the column `counted_from` (written `from`; without it, from the day of leaving). anonymise: the
    columns of `set` get the values given, the column `at` the time. ask: the map does not say yet, an
    agent decides.
    """

    action: Literal["delete", "keep", "anonymise", "ask"]
    counted_from: str | None = pydantic.Field(default=None, alias="from")
    set: dict[str, Value] = {}
    at: str | None = None
