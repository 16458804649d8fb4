"""Every error that Subjectline raises on purpose.

SubjectlineError
├── SettingsError            a setting is missing, unknown or wrong
├── DataMapError             the data map does not say what it must
├── BadInput                 what a person gave cannot be taken
│   ├── BadValue             a field of the data map cannot take this value
│   └── UnreadableMail       no text can be read from the bytes
├── Refused                  the move is not allowed
│   ├── IllegalMove          the table of moves does not have it
│   ├── StaleMove            somebody was faster
│   ├── NotPermitted         this person may not do that
│   │   └── HeldData         the gate does not open this member's data
│   └── NoticeTooSoon        a policy version takes effect too early
├── IdentityError            a proof did not hold
│   ├── WrongCode            the code is not the one that was sent
│   ├── SpentProof           the code or link was used, replaced or is too old
│   └── TooManyTries         five tries are used up
├── RegistryError            the company's database did not do what was asked
│   ├── UnknownMember        no such member
│   ├── NotCanonical         the id is not written in the registry's form
│   ├── RegistryAway         the database cannot be reached
│   └── RegistryConflict     a row is not as the agent saw it
├── FeedBroken               a replica's revision cannot be gone on from
├── ExportLost               the export that was approved is gone, or is another one
├── SealError                a key is missing or does not fit
│   └── KeyDestroyed         the key is gone on purpose, and so is the text
├── DoorAway                 a server that a door reads from is away, refuses us or hung up
├── ScannerAway              the virus scanner does not answer
│   └── DoorShut             it answers and lets us not in; asking often makes it worse
├── TokenError               no access token for a mail server was to be had
│   └── TokenRefused         the token server answered no
└── SendError                a letter did not leave
    ├── TemporarySendError   it may leave later
    └── PermanentSendError   it will never leave to this address
        └── ChatClosed       the person has blocked the bot, or left Telegram

Each carries `field`, `rule` and `remedy`: what is wrong, which rule says so, and the way out.
"""

from collections.abc import Iterable


class SubjectlineError(Exception):
    """Something that Subjectline refuses or cannot do.

    `rule` is a sentence in plain words, `field` names what it is about, `remedy` says the way out.
    """

    def __init__(self, rule: str, *, field: str = "", remedy: str = "") -> None:
        self.rule, self.field, self.remedy = rule, field, remedy
        super().__init__(" ".join(self._words()))

    def _words(self) -> Iterable[str]:
        if self.field:
            yield f"{self.field}:"
        yield self.rule if self.rule.endswith(".") else f"{self.rule}."
        if self.remedy:
            yield self.remedy


class SettingsError(SubjectlineError):
    """A setting is missing, unknown or wrong."""


class DataMapError(SubjectlineError):
    """The data map does not say what it must."""


class BadInput(SubjectlineError):
    """What a person gave cannot be taken."""


class BadValue(BadInput):
    """A field of the data map cannot take this value.

    `reason` is a key of the letters' word list, so that the member reads it in their language.
    """

    def __init__(self, field: str, reason: str, rule: str, *, remedy: str = "") -> None:
        self.reason = reason
        super().__init__(rule, field=field, remedy=remedy)


class UnreadableMail(BadInput):
    """No text can be read from the bytes."""


class Refused(SubjectlineError):
    """The move is not allowed."""


class IllegalMove(Refused):
    """The table of moves does not have it."""


class StaleMove(Refused):
    """Somebody was faster: the request is not in the state or version that was seen."""


class NotPermitted(Refused):
    """This person may not do that."""


class HeldData(NotPermitted):
    """The gate does not open this member's data. `why`: consent_withdrawn, held, no_open_request, or
    unsure where the gate could not look."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        known = ("consent_withdrawn", "held", "no_open_request")
        self.why = next((name for name in known if name in reasons), "unsure")
        super().__init__(
            f"the gate does not open this member's data: {', '.join(reasons)}",
            field="request",
            remedy="It opens inside an open request of this member.",
        )


class NoticeTooSoon(Refused):
    """A policy version takes effect too early after its announcement."""


class IdentityError(SubjectlineError):
    """A proof did not hold."""


class WrongCode(IdentityError):
    """The code is not the one that was sent."""


class SpentProof(IdentityError):
    """The code or link was used, replaced or is too old."""


class TooManyTries(IdentityError):
    """Five tries are used up."""


class RegistryError(SubjectlineError):
    """The company's database did not do what was asked.

    After an attempt to write, `results` says what each connection has (JSON-able, no secrets in it
    but the change set's own values). `reason` is a key of the console's words, so that an agent reads
    in their language what is wrong and what to do.
    """

    results: tuple[dict[str, object], ...] = ()
    reason = "registry"


class UnknownMember(RegistryError):
    """No such member."""


class NotCanonical(RegistryError):
    """The id is not written in the registry's form."""


class RegistryAway(RegistryError):
    """The database cannot be reached."""

    reason = "registry_away"


class RegistryConflict(RegistryError):
    """A row is not as the agent saw it."""

    reason = "registry_conflict"


class FeedBroken(SubjectlineError):
    """What followed that revision cannot be told any more: a new snapshot is needed."""


class ExportLost(SubjectlineError):
    """The export that was approved is gone, or what is kept is not what was approved."""


class SealError(SubjectlineError):
    """A key is missing or does not fit what it should open."""


class KeyDestroyed(SealError):
    """The key is gone on purpose, and so is the text."""


class DoorAway(SubjectlineError):
    """A server that a door reads from cannot be reached, refuses us, or hung up."""


class DoorShut(DoorAway):
    """A server answers and lets us not in: a refused sign-in, a limit. Asking often makes it worse."""


class TokenError(SubjectlineError):
    """No access token for a mail server was to be had."""


class TokenRefused(TokenError):
    """The token server answered no: client, refresh token or permission. Only the operator can mend it."""


class ScannerAway(SubjectlineError):
    """The virus scanner does not answer, or by half."""


class SendError(SubjectlineError):
    """A letter did not leave."""


class TemporarySendError(SendError):
    """It may leave later; not before `after` seconds where the other side named them.

    `tried` is false where nothing was asked of the other side, because it wants to be left alone.
    """

    def __init__(
        self,
        rule: str,
        *,
        field: str = "",
        remedy: str = "",
        after: float | None = None,
        tried: bool = True,
    ) -> None:
        self.after, self.tried = after, tried
        super().__init__(rule, field=field, remedy=remedy)


class PermanentSendError(SendError):
    """It will never leave to this address.

    `of_address` is false where the letter itself was turned down (its size, its text, our own
    standing): that says nothing of whether the address lives.
    """

    def __init__(
        self, rule: str, *, field: str = "", remedy: str = "", of_address: bool = True
    ) -> None:
        self.of_address = of_address
        super().__init__(rule, field=field, remedy=remedy)


class ChatClosed(PermanentSendError):
    """The person has blocked the bot, or left Telegram."""
