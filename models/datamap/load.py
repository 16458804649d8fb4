"""Reading a data map from YAML: what is wrong is told with its line."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from subjectline.models.datamap import lines as lines_of
from subjectline.models.datamap.extend import extended
from subjectline.models.datamap.lines import Lines
from subjectline.models.datamap.map import DataMap
from subjectline.models.errors import DataMapError


def load_map(path: Path, *more: Path, without: Sequence[str] = ()) -> DataMap:
    """The map in the files: one of ours, whose datasets stand beside it, or Fides datasets as they are,
    or both. `without` names collections or whole datasets that are left out.

    Raises DataMapError with file, line, rule and remedy.
    """
    texts = {file.name if file is path else str(file): _text(file) for file in (path, *more)}
    folders = [file.parent for file in (path, *more)]
    return _parsed(texts, lambda name: _text(_beside(folders, name)), without)


def parse_map(
    text: str, name: str = "map.yaml", dataset: Callable[[str], str] | None = None
) -> DataMap:
    """The map (or the Fides dataset) written in `text`; `name` stands in errors, `dataset` gives the
    text of a dataset file by its name. Raises DataMapError."""
    return _parsed({name: text}, dataset or _nowhere, ())


def _parsed(
    texts: Mapping[str, str], dataset: Callable[[str], str], without: Sequence[str]
) -> DataMap:
    raw, lines, datasets = _one_map(texts)
    if datasets:
        beside = raw.get("datasets") or []
        raw["datasets"] = [*(beside if isinstance(beside, list) else [beside]), *datasets]
    if "datasets" in raw:
        raw = extended(
            raw,
            lines,
            lambda name: texts[name] if name in texts else dataset(name),
            without,
            bare=len(datasets) == len(texts),
        )
    try:
        return DataMap.model_validate(raw).written_in(lines)
    except ValidationError as error:
        raise _told(error, lines) from None


def _one_map(texts: Mapping[str, str]) -> tuple[dict[str, Any], Lines, list[str]]:
    """What our own file says, with its lines, and the names of those that are Fides datasets."""
    ours: tuple[dict[str, Any], Lines] | None = None
    datasets: list[str] = []
    for name, text in texts.items():
        raw, lines = lines_of.read(text, name)
        if not isinstance(raw, dict):
            raise DataMapError(
                "a data map is a YAML mapping", field=name, remedy="See docs/data-map.md."
            )
        if "dataset" in raw and not {"tables", "home", "datasets"} & set(raw):
            datasets.append(name)
        elif ours is None:
            ours = raw, lines
        else:
            raise DataMapError(
                "there is one data map; the other files are Fides datasets",
                field=name,
                remedy="A dataset file has a list under 'dataset'.",
            )
    made, lines = ours or ({}, Lines(next(iter(texts))))
    return made, lines, datasets


def _beside(folders: Sequence[Path], name: str) -> Path:
    known = [folder / name for folder in folders]
    return next((file for file in known if file.is_file()), known[0])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        why = "there is no such file"
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
    raise DataMapError(
        f"the data map cannot be read ({why})",
        field=path.name,
        remedy="Name a UTF-8 YAML file that may be read: --map FILE, or [registry] map.",
    )


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
