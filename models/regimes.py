"""The laws whose clocks the desk keeps, as data: every figure stands in regime_data/*.yaml.

`kr-pipa` (the default) and `eu-gdpr` are shipped; an operator may load a file of their own.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from subjectline.models.errors import BadInput, SettingsError

DEFAULT_REGIME = "kr-pipa"
Topic = Literal["identity", "resident_number", "notice", "recipients"]
SHIPPED = Path(__file__).parent / "regime_data"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone") from error
    return name


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Facts):
    """One text in both languages."""

    ko: str
    en: str

    def in_(self, language: str) -> str:
        return self.ko if language == "ko" else self.en


class Extension(_Facts):
    """By how much a period may be made longer, and how often."""

    days: int | None = Field(default=None, gt=0)
    months: int | None = Field(default=None, gt=0)
    times: int = Field(gt=0)
    article: Words


class Ground(_Facts):
    """One ground on which a request may be refused. `unknown_member`: nothing is held at all."""

    article: Words
    text: Words
    unknown_member: bool = False


class OutsideBody(_Facts):
    """Whom a person can turn to outside of the company."""

    name: Words
    phone: str


class Rule(_Facts):
    """The clock of one right: days or calendar months from receipt.

    `statutory` is false where the law says "without delay" or nothing, and the figure is the desk's
    own mark. `postpone` names the article that allows it; None where nothing does.
    """

    days: int | None = Field(default=None, gt=0)
    months: int | None = Field(default=None, gt=0)
    statutory: bool = True
    warn_after_days: int | None = Field(default=None, gt=0)
    warn_before_days: int | None = Field(default=None, gt=0)
    article: Words
    words: Words
    extension: Extension | None = None
    postpone: Words | None = None
    grounds: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.days is None) == (self.months is None):
            raise ValueError("a rule has either days or months")
        if (self.warn_after_days is None) == (self.warn_before_days is None):
            raise ValueError("a rule has either warn_after_days or warn_before_days")
        return self


class Regime(_Facts):
    """One law's clocks, grounds of refusal, working days and outside bodies.

    `weekend` counts Monday as 0. `extra_days` are days off that no calendar knows yet (temporary
    public holidays). `half_time` is the share of a period after which the desk reminds.
    `told_before_lifting`: a hold ends only when the letter of the result has left (GDPR 18(3)).
    """

    name: str
    labels: Words
    zone: Annotated[str, AfterValidator(_known_zone)]
    country: str
    weekend: tuple[int, ...]
    extra_days: tuple[date, ...] = ()
    half_time: float = Field(gt=0, lt=1)
    told_before_lifting: bool = False
    counting: Words
    sentences: Mapping[Topic, Words]
    rules: Mapping[str, Rule]
    grounds: Mapping[str, Ground]
    bodies: tuple[OutsideBody, ...]

    @model_validator(mode="after")
    def _grounds_exist(self) -> Self:
        for kind, rule in self.rules.items():
            if missing := set(rule.grounds) - set(self.grounds):
                raise ValueError(f"rule {kind} names unknown grounds: {', '.join(sorted(missing))}")
        return self

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def rule(self, kind: str) -> Rule:
        """The clock of a right. BadInput if the regime has none for it."""
        try:
            return self.rules[kind]
        except KeyError:
            raise BadInput(f"{self.name} has no rule for {kind!r}", field="kind") from None

    def ground(self, kind: str, key: str) -> Ground:
        """A ground that this right may be refused on. BadInput if it is not in the rule's list."""
        if key not in self.rule(kind).grounds:
            known = ", ".join(self.rule(kind).grounds)
            raise BadInput(
                f"{self.name} knows no ground {key!r} against {kind}",
                field="ground",
                remedy=f"Use one of: {known}.",
            )
        return self.grounds[key]

    def with_extra_days(self, days: tuple[date, ...]) -> "Regime":
        """The same regime with an operator's further days off."""
        return self.model_copy(update={"extra_days": tuple(sorted({*self.extra_days, *days}))})


def load_regime(path: Path) -> Regime:
    """A regime from a YAML file. SettingsError names the file and what is wrong in it."""
    try:
        return Regime.model_validate(_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(first["msg"], field=f"{path.name} {place}".strip()) from error


def load_extra_days(path: Path) -> tuple[date, ...]:
    """An operator's days off: a YAML list of dates, `- 2027-10-02`. SettingsError if it is not one."""
    days = _yaml(path) or []
    if not isinstance(days, list) or any(type(day) is not date for day in days):
        raise SettingsError("the file is no list of dates", field=path.name)
    return tuple(days)


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("the file cannot be read", field=path.name) from error
    except yaml.YAMLError as error:
        raise SettingsError("the file is no YAML", field=path.name) from error


@cache
def regime_named(name: str) -> Regime:
    """A shipped regime. SettingsError if there is none of that name."""
    known = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    if name not in known:
        raise SettingsError(
            f"{name!r} is no known regime",
            field="regime",
            remedy=f"Use one of: {', '.join(known)}.",
        )
    return load_regime(SHIPPED / f"{name}.yaml")
