"""The whole map, with its cross-checks."""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from subjectline.models.datamap.checks import problems
from subjectline.models.datamap.parts import (
    Bilingual,
    Caller,
    Company,
    Connection,
    Consent,
    Field,
    Home,
    Leave,
    Purpose,
    Recipient,
    Retention,
    Strict,
)
from subjectline.models.datamap.tables import Table


class DataMap(Strict):
    """What the company keeps about people. Made by `load_map`; unknown keys and names are refused."""

    version: int = 1
    registry: str
    company: Company
    connections: dict[str, Connection]
    home: Home
    categories: dict[str, Bilingual]
    tables: dict[str, Table]
    fields: dict[str, Field]  # type: ignore[assignment]  # BaseModel.fields is long deprecated
    purposes: dict[str, Purpose]
    recipients: dict[str, Recipient]
    consents: dict[str, Consent]
    retention: dict[str, Retention]
    leave: dict[str, Leave]
    callers: dict[str, Caller] = {}

    @model_validator(mode="before")
    @classmethod
    def _name_parts(cls, raw: Any) -> Any:
        """Tables and fields learn their names from the keys they stand under."""
        if not isinstance(raw, dict):
            return raw
        return {**raw, **{key: _named(raw[key]) for key in ("tables", "fields") if key in raw}}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for problem in problems(self):
            raise PydanticCustomError(
                "misfit", "{rule}", {"rule": problem.rule, "where": problem.where, "way_out": problem.remedy}
            )
        return self._resolved()

    def _resolved(self) -> Self:
        """Writes out ["*"] and tells each field its purposes and recipients, once, while loading."""
        everything = tuple(self.fields)
        for section in (self.purposes, self.recipients):
            for name, part in section.items():
                if part.fields == ("*",):
                    section[name] = part.model_copy(update={"fields": everything})  # type: ignore[index]
        for name, field in self.fields.items():
            told = {"purposes": self._naming(self.purposes, name), "recipients": self._naming(self.recipients, name)}
            self.fields[name] = field.model_copy(update=told)
        return self

    @staticmethod
    def _naming(section: dict[str, Purpose] | dict[str, Recipient], field: str) -> tuple[str, ...]:
        return tuple(name for name, part in section.items() if field in part.fields)

    def canonical(self, member: object) -> str:
        """The one way in which a member id is written. Raises NotCanonical."""
        return self.home.canonical(member)

    def contact_field(self, kind: str) -> Field | None:
        """The field that holds the registered contact of `kind` (email or phone)."""
        return next((field for field in self.fields.values() if field.contact == kind), None)

    def purposes_with_basis(self, basis: str) -> tuple[str, ...]:
        return tuple(name for name, purpose in self.purposes.items() if purpose.basis == basis)

    def field_labels(self, names: Iterable[str], language: str) -> tuple[str, ...]:
        return tuple(self.fields[name].labels.text(language) for name in names)


def _named(section: Any) -> Any:
    if not isinstance(section, dict):
        return section
    return {k: {**v, "name": k} if isinstance(v, dict) else v for k, v in section.items()}


def vocabulary_words(data_map: DataMap) -> dict[str, tuple[str, ...]]:
    """Field name -> the words that people use for it, Korean and English, labels first."""
    return {name: field.all_words() for name, field in data_map.fields.items()}
