"""Fides dataset files, read as they are (https://ethyca.github.io/fideslang/resources/dataset/).

Of a file only its `dataset:` list is read; what we do not use (descriptions, retention notes, masking
strategies) is passed over. `fidesops_meta` is the older spelling of `fides_meta`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from subjectline.models.datamap.lines import Lines, read
from subjectline.models.errors import DataMapError


@dataclass(frozen=True, slots=True)
class Reference:
    """`dataset`, `table` and `column` that a field is joined with. `direction`: "from" (data flows
    from there to this field), "to" (from this field there), "" (either)."""

    dataset: str
    table: str
    column: str
    direction: str


@dataclass(frozen=True, slots=True)
class FidesField:
    """One field; `fields` are the nested ones. `data_type` without its [] where there are `many`."""

    name: str
    line: int
    categories: tuple[str, ...] = ()
    data_type: str = ""
    many: bool = False
    primary_key: bool = False
    identity: str = ""
    references: tuple[Reference, ...] = ()
    read_only: bool = False
    redact: bool = False
    length: int | None = None
    fields: tuple["FidesField", ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """One table. `after` names collections (dataset.collection) that Fides would visit first."""

    name: str
    line: int
    fields: tuple[FidesField, ...]
    after: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset of the file `file`. `schema` is that of its namespace, where it has one."""

    key: str
    name: str
    file: str
    line: int
    collections: tuple[Collection, ...]
    schema: str = ""


def datasets(text: str, file: str) -> tuple[Dataset, ...]:
    """The datasets in `text`; `file` stands in errors. Raises DataMapError with the line."""
    raw, lines = read(text, file)
    listed = raw.get("dataset") if isinstance(raw, dict) else None
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        raise DataMapError(
            "a Fides dataset file has a list under 'dataset'", field=file, remedy="Name another."
        )
    reader = _Reader(lines, file)
    return tuple(reader.dataset(item, ("dataset", str(n))) for n, item in enumerate(listed))


class _Reader:
    def __init__(self, lines: Lines, file: str) -> None:
        self._lines, self._file = lines, file

    def dataset(self, raw: Any, at: tuple[str, ...]) -> Dataset:
        key = self._word(raw, "fides_key", at)
        collections = tuple(
            self.collection(item, (*at, "collections", str(n)))
            for n, item in enumerate(_list(raw.get("collections")))
        )
        space = _meta(raw).get("namespace")
        schema = str(space.get("schema") or "") if isinstance(space, dict) else ""
        name = str(raw.get("name") or key)
        return Dataset(key, name, self._file, self._lines.line(at), collections, schema)

    def collection(self, raw: Any, at: tuple[str, ...]) -> Collection:
        name, meta = self._word(raw, "name", at), _meta(raw)
        return Collection(
            name=name,
            line=self._lines.line(at),
            fields=tuple(self._fields(raw, at)),
            after=tuple(str(a) for a in _list(meta.get("after") or raw.get("after"))),
            categories=_words(raw.get("data_categories")),
            skipped=_true(meta.get("skip_processing")),
        )

    def _fields(self, raw: Any, at: tuple[str, ...]) -> Iterator[FidesField]:
        for number, item in enumerate(_list(raw.get("fields"))):
            yield self.field(item, (*at, "fields", str(number)))

    def field(self, raw: Any, at: tuple[str, ...]) -> FidesField:
        name, meta = self._word(raw, "name", at), _meta(raw)
        kind = str(meta.get("data_type") or "")
        length = meta.get("length")
        return FidesField(
            name=name,
            line=self._lines.line(at),
            categories=_words(raw.get("data_categories") or meta.get("data_categories")),
            data_type=kind.removesuffix("[]"),
            many=kind.endswith("[]"),
            primary_key=_true(meta.get("primary_key")),
            identity=str(meta.get("identity") or ""),
            references=tuple(self._reference(r, at) for r in _list(meta.get("references"))),
            read_only=_true(meta.get("read_only")),
            redact=_true(meta.get("redact")),
            length=length if isinstance(length, int) else None,
            fields=tuple(self._fields(raw, at)),
        )

    def _reference(self, raw: Any, at: tuple[str, ...]) -> Reference:
        field = raw.get("field") if isinstance(raw, dict) else None
        table, _, column = str(field or "").partition(".")
        direction = str(raw.get("direction") or "") if isinstance(raw, dict) else ""
        if not column or direction not in ("", "from", "to"):
            raise self._wrong(
                at, "a reference has dataset, field (collection.field) and direction (from, to)"
            )
        return Reference(str(raw.get("dataset") or ""), table, column, direction)

    def _word(self, raw: Any, key: str, at: tuple[str, ...]) -> str:
        word = raw.get(key) if isinstance(raw, dict) else None
        if not isinstance(word, str | int) or not str(word):
            raise self._wrong(at, f"the key {key!r} is missing")
        return str(word)

    def _wrong(self, at: tuple[str, ...], rule: str) -> DataMapError:
        return DataMapError(
            rule, field=f"{self._lines.place(at)} {'.'.join(at)}", remedy="Mend the dataset file."
        )


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _true(raw: Any) -> bool:
    return raw is True or str(raw).lower() in ("yes", "on", "y", "1")


def _words(raw: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in _list(raw))


def _meta(raw: dict[str, Any]) -> dict[str, Any]:
    found = raw.get("fides_meta") or raw.get("fidesops_meta")
    return found if isinstance(found, dict) else {}
