"""The whole map, with its cross-checks."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from subjectline.models.datamap.checks import problems
from subjectline.models.datamap.lines import Lines
from subjectline.models.datamap.parts import Field, Purpose, Recipient
from subjectline.models.datamap.sections import Sections
from subjectline.models.datamap.wording import UNNAMED
from subjectline.models.errors import DataMapError

_OF_OURS = ": a file of yours with datasets: [FILE.yml], home and company (docs/data-map.md)."
_Part = TypeVar("_Part", Purpose, Recipient)


class DataMap(Sections):
    """What the company keeps about people. Made by `load_map`; unknown keys and names are refused."""

    _lines: Lines | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _name_parts(cls, raw: Any) -> Any:
        """Tables and fields learn their names from the keys they stand under."""
        if not isinstance(raw, dict):
            return raw
        return {**raw, **{key: _named(raw[key]) for key in ("tables", "fields") if key in raw}}

    @model_validator(mode="after")
    def _check(self) -> "DataMap":
        for problem in problems(self):
            told = {"rule": problem.rule, "where": problem.where, "way_out": problem.remedy}
            raise PydanticCustomError("misfit", "{rule}", told)
        return self._resolved()

    def _resolved(self) -> "DataMap":
        """Writes out ["*"] and tells each field its purposes and recipients, once, while loading."""
        everything = tuple(self.fields)
        _spell_out(self.purposes, everything)
        _spell_out(self.recipients, everything)
        for name, field in self.fields.items():
            naming = {
                "purposes": _naming(self.purposes, name),
                "recipients": _naming(self.recipients, name),
            }
            self.fields[name] = field.model_copy(update=naming)
        return self

    def written_in(self, lines: Lines) -> "DataMap":
        """This map, knowing where its keys stand."""
        self._lines = lines
        return self

    def place(self, *where: str) -> str:
        """`file:line` of the key at `where`, or of the nearest one above it."""
        return self._lines.place(where) if self._lines else "map"

    def says(self, *where: str) -> bool:
        """Whether a file has exactly this key."""
        return self._lines is not None and self._lines.has(where)

    def notes(self) -> list[tuple[tuple[str, ...], str]]:
        """What was passed over while loading, with its keys."""
        return list(self._lines.notes) if self._lines else []

    @property
    def unfitted(self) -> bool:
        """Whether types or keys are left to the live database."""
        return any(
            not table.key or any(column.type == "unknown" for column in table.columns.values())
            for table in self.tables.values()
        )

    def hanging_on(self, table: str) -> list[str]:
        """The tables whose rows are told through rows of `table`."""
        return [
            name
            for name, spec in self.tables.items()
            if spec.through in spec.references and spec.target(spec.through)[0] == table
        ]

    def hanging_below(self, table: str) -> list[str]:
        """The tables told through rows of `table`, in any depth."""
        found = [table]
        for above in found:  # grows while it is read
            found += [name for name in self.hanging_on(above) if name not in found]
        return found[1:]

    def must_have_sender(self) -> None:
        """Raises DataMapError, with file, line and way out, where letters would not say who writes."""
        company = self.company
        named = self._lines is None or self.says("company", "name")
        missing = [] if named else ["name", "officer"]
        if named and company.name.en == UNNAMED["en"]:
            missing.append("name")
        if not (company.phone.strip() or company.email.strip()):
            missing.append("phone or email")
        if missing:
            raise DataMapError(
                f"letters would leave without a sender: no {', no '.join(missing)}",
                field=f"{self.place('company')} company",
                remedy="Write company: {name, officer, phone, email, policy_url} into the data map"
                + ("." if self._lines is None or self.says("home") else _OF_OURS),
            )

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


def _spell_out(section: dict[str, _Part], everything: tuple[str, ...]) -> None:
    for name, part in section.items():
        if part.fields == ("*",):
            section[name] = part.model_copy(update={"fields": everything})


def _naming(section: Mapping[str, Purpose | Recipient], field: str) -> tuple[str, ...]:
    return tuple(name for name, part in section.items() if field in part.fields)


def _named(section: Any) -> Any:
    if not isinstance(section, dict):
        return section
    return {k: {**v, "name": k} if isinstance(v, dict) else v for k, v in section.items()}


def vocabulary_words(data_map: DataMap) -> dict[str, tuple[str, ...]]:
    """Field name -> the words that people use for it, Korean and English, labels first."""
    return {name: field.all_words() for name, field in data_map.fields.items()}
