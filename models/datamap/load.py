"""Reading a data map from YAML: what is wrong is told with its line."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from subjectline.models.datamap import lines as lines_of
from subjectline.models.datamap.extend import extended
from subjectline.models.datamap.lines import Lines
from subjectline.models.datamap.map import DataMap
from subjectline.models.errors import DataMapError


def load_map(path: Path) -> DataMap:
    """The map in the file at `path`; its datasets stand beside it. Raises DataMapError with file,
    line, rule and remedy."""
    return parse_map(_text(path), path.name, lambda name: _text(path.parent / name))


def parse_map(
    text: str, name: str = "map.yaml", dataset: Callable[[str], str] | None = None
) -> DataMap:
    """The map written in `text`; `name` stands in errors, `dataset` gives the text of a dataset file
    by its name. Raises DataMapError."""
    raw, lines = lines_of.read(text, name)
    if not isinstance(raw, dict):
        raise DataMapError(
            "a data map is a YAML mapping", field=name, remedy="See docs/data-map.md."
        )
    if "datasets" in raw:
        raw = extended(raw, lines, dataset or _nowhere)
    try:
        return DataMap.model_validate(raw).written_in(lines)
    except ValidationError as error:
        raise _told(error, lines) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataMapError(
            f"the data map cannot be read ({type(error).__name__})",
            field=path.name,
            remedy="Point [registry] map at a UTF-8 YAML file that the desk may read.",
        ) from None


def _nowhere(name: str) -> str:
    raise DataMapError("there is no such dataset file", field=name)


def _told(error: ValidationError, lines: Lines) -> DataMapError:
    """The first error, in our words. The offending value is left out: it could be anything."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    where = [str(part) for part in (*first["loc"], *context.get("where", ()))]
    rule, remedy = _words(first["type"], where, str(first["msg"]), context)
    return DataMapError(rule, field=f"{lines.place(where)} {'.'.join(where)}", remedy=remedy)


def _words(
    kind: str, where: Sequence[str], message: str, context: dict[str, Any]
) -> tuple[str, str]:
    if kind == "misfit":
        return str(context["rule"]), str(context["way_out"])
    if kind == "extra_forbidden":
        return f"the map has no key {where[-1]!r} here", "Take it out, or mend its spelling."
    if kind == "missing":
        return f"the key {where[-1]!r} is missing", "Add it; docs/data-map.md shows every key."
    return message.removeprefix("Value error, "), "See docs/data-map.md."
