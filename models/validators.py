"""What a field can take: validators that turn what a person wrote into the one canonical value.

Each is idempotent: its own result comes back unchanged. Each refuses with BadValue, whose reason is
a key of `subjectline.models.reasons`, so that the member reads it in their language.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from subjectline.models import dates
from subjectline.models.errors import BadInput, BadValue

Kind = Literal[
    "text", "name", "nickname", "phone_kr", "email", "date", "birth_date", "enum", "address",
    "instagram_id", "kakao_id", "facebook_id", "bank_name", "account_number",
]  # fmt: skip

_SPACES = re.compile(r"\s+")
_HYPHENS = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d~\u301c]")
_MOBILE = re.compile(r"01[016789][0-9]{7,8}")
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")


class Option(BaseModel):
    """One value of an enum: the labels people read and the words they write for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ko: str
    en: str
    words: tuple[str, ...] = ()


class Validator(BaseModel):
    """What a field takes. In YAML either the kind alone or `{kind: text, max_length: 50}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    min_length: int = 1
    max_length: int | None = None
    options: dict[str, Option] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"kind": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _enum_has_options(self) -> "Validator":
        if (self.kind == "enum") != bool(self.options):
            raise ValueError("an enum, and only an enum, lists its options")
        return self

    def normalise(self, field: str, text: str, today: date | None = None) -> str:
        """The canonical value of `text`. Raises BadValue."""
        try:
            value = _VALIDATORS[self.kind](_clean(text), self)
            if self.kind == "birth_date" and today and value > today.isoformat():
                raise _bad("date_future", "a birth date does not lie in the future")
        except BadInput as error:
            reason = error.field or "not_taken"
            raise BadValue(field, reason, error.rule, remedy=error.remedy) from None
        return value

    def lenient(self, text: str) -> str:
        """The canonical value where `text` is a good one, else `text` as it stands."""
        try:
            return self.normalise("", text)
        except BadValue:
            return text

    def stored(self, value: str, form: str) -> str:
        """How a column of `form` (canonical, national, digits) writes the canonical value."""
        if self.kind != "phone_kr" or form == "canonical":
            return value
        shown = national(value)
        return shown.replace("-", "") if form == "digits" else shown

    def spellings(self, value: str) -> tuple[str, ...]:
        """Every way in which a column may write the canonical value."""
        forms = (self.stored(value, form) for form in ("canonical", "national", "digits"))
        return tuple(dict.fromkeys(forms))

    def display(self, value: str, language: str) -> str:
        """A canonical value as people read it in `language` (ko or en)."""
        if self.kind == "phone_kr":
            return national(value)
        if self.kind in ("date", "birth_date"):
            return dates.in_words(value, language)
        option = self.options.get(value)
        return value if option is None else (option.ko if language == "ko" else option.en)


def _clean(text: str) -> str:
    """NFKC (full-width letters become plain), one space between words, no edges."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def _bad(reason: str, rule: str) -> BadInput:
    return BadInput(rule, field=reason)


def _length(text: str, v: Validator, longest: int = 200) -> str:
    longest = v.max_length or longest
    if len(text) < max(v.min_length, 1):
        raise _bad("empty" if not text else "too_short", f"at least {v.min_length} characters")
    if len(text) > longest:
        raise _bad("too_long", f"at most {longest} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Co") for letter in text):
        raise _bad("control_characters", "the text has characters that cannot be seen")
    return text


def _text(text: str, v: Validator) -> str:
    return _length(text, v)


def _name(text: str, v: Validator) -> str:
    text = _length(text.strip("\"'“”‘’「」"), v, 60)
    if not all(
        letter.isalpha() or unicodedata.combining(letter) or letter in " .'’-" for letter in text
    ):
        raise _bad("name_characters", "a name has letters, spaces, points, apostrophes and hyphens")
    if not text[0].isalpha():
        raise _bad("name_characters", "a name begins with a letter")
    return text


def _nickname(text: str, v: Validator) -> str:
    text = _length(text, v, 30)
    if not any(letter.isalnum() for letter in text) or re.search(r"[<>@/\\]", text):
        raise _bad("nickname_characters", "a nickname has letters or digits and none of < > @ / \\")
    return text


def _phone(text: str, v: Validator) -> str:
    """A Korean mobile number as E.164 (+82, no leading zero; ITU-T E.164)."""
    bare = re.sub(r"[\s().\-/]", "", _HYPHENS.sub("-", text))
    if not bare:
        raise _bad("empty", "a phone number has digits")
    if not re.fullmatch(r"\+?[0-9]+", bare):
        raise _bad("phone_letters", "a phone number has digits, spaces and hyphens only")
    digits = _national_digits(bare)
    if not re.match(r"01[016789]", digits):
        raise _bad(
            "phone_prefix", "a Korean mobile number begins with 010, 011, 016, 017, 018 or 019"
        )
    if not _MOBILE.fullmatch(digits) or (digits.startswith("010") and len(digits) != 11):
        raise _bad("phone_length", "a number that begins with 010 has 11 digits")
    return f"+82{digits[1:]}"


def _national_digits(bare: str) -> str:
    for prefix in ("+82", "0082", "00182", "00282", "82"):
        if bare.startswith(prefix):
            return "0" + bare.removeprefix(prefix).removeprefix("0")
    if bare.startswith(("+", "00")):
        raise _bad("phone_foreign", "a Korean mobile number is needed")
    return bare


def national(value: str) -> str:
    """+821000001234 as people in Korea write it, 010-0000-1234. Anything else as it stands."""
    match = re.fullmatch(r"\+82(1[0-9])([0-9]{3,4})([0-9]{4})", value)
    return f"0{match[1]}-{match[2]}-{match[3]}" if match else value


def _email(text: str, v: Validator) -> str:
    """An address in lower case (RFC 5321 dot-string; quoted and non-ASCII local parts are refused)."""
    value = text.strip("<>").removeprefix("mailto:").lower()
    if not value:
        raise _bad("empty", "an email address is needed")
    local = value.partition("@")[0]
    if len(value) > 254 or len(local) > 64 or not _EMAIL.fullmatch(value):
        raise _bad("email_form", "an email address looks like name@example.com")
    return value


def _date(text: str, v: Validator) -> str:
    return dates.read(text)


def _birth_date(text: str, v: Validator) -> str:
    value = dates.read(text)
    if value < "1900-01-01":
        raise _bad("date_too_old", "a birth date lies after 1900")
    return value


def _enum(text: str, v: Validator) -> str:
    wanted = text.casefold()
    for value, option in v.options.items():
        known = (value, option.ko, option.en, *option.words)
        if wanted in {word.casefold() for word in known}:
            return value
    raise _bad("not_an_option", "one of: " + ", ".join(o.en for o in v.options.values()))


def _address(text: str, v: Validator) -> str:
    text = _length(text, v)
    if len(text) < 5 or not any(letter.isalpha() for letter in text):
        raise _bad("address_short", "an address names at least a street or district and a number")
    return text


def _account(
    pattern: str, reason: str, rule: str, site: str = ""
) -> Callable[[str, Validator], str]:
    shape = re.compile(pattern)
    link = re.compile(rf"(?:https?://)?(?:www\.|m\.)?{re.escape(site)}/", re.I) if site else None

    def read(text: str, v: Validator) -> str:
        if link:
            text = link.sub("", text, count=1).partition("?")[0].rstrip("/")
        value = text.removeprefix("@").lower()
        if not shape.fullmatch(value):
            raise _bad(reason if value else "empty", rule)
        return value

    return read


def _bank_name(text: str, v: Validator) -> str:
    text = _length(text, v, 40)
    if not any(letter.isalpha() for letter in text) or re.search(r"[^\w .&()-]", text):
        raise _bad("bank_name_form", "a bank's name has letters and spaces")
    return text


def _account_number(text: str, v: Validator) -> str:
    digits = re.sub(r"[\s\-.]", "", _HYPHENS.sub("-", text))
    if not re.fullmatch(r"[0-9]*", digits):
        raise _bad("account_letters", "an account number has digits and hyphens only")
    if not 10 <= len(digits) <= 16:
        raise _bad("account_length", "a Korean account number has 10 to 16 digits")
    return digits


_VALIDATORS: dict[str, Callable[[str, Validator], str]] = {
    "text": _text,
    "name": _name,
    "nickname": _nickname,
    "phone_kr": _phone,
    "email": _email,
    "date": _date,
    "birth_date": _birth_date,
    "enum": _enum,
    "address": _address,
    "instagram_id": _account(
        r"(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.]{0,28}[a-z0-9_])?",
        "instagram_form",
        "an Instagram id has up to 30 letters, digits, points and underscores",
        "instagram.com",
    ),
    "kakao_id": _account(
        r"[a-z0-9](?:[a-z0-9._-]{2,18}[a-z0-9])",
        "kakao_form",
        "a KakaoTalk id has 4 to 20 letters and digits",
    ),
    "facebook_id": _account(
        r"[a-z0-9](?:[a-z0-9.]{3,48}[a-z0-9])",
        "facebook_form",
        "a Facebook id has 5 to 50 letters, digits and points",
        "facebook.com",
    ),
    "bank_name": _bank_name,
    "account_number": _account_number,
}
