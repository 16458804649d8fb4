"""Reading a data map from YAML: what is wrong is told with its line."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from subjectline.models.datamap.map import DataMap
from subjectline.models.errors import DataMapError


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice (YAML keeps the last silently)."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def load_map(path: Path) -> DataMap:
    """The map in the file at `path`. Raises DataMapError with file, line, rule and remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataMapError(
            f"the data map cannot be read ({type(error).__name__})",
            field=path.name,
            remedy="Point [registry] map at a UTF-8 YAML file that the desk may read.",
        ) from None
    return parse_map(text, path.name)


def parse_map(text: str, name: str = "map.yaml") -> DataMap:
    """The map written in `text`; `name` stands in errors. Raises DataMapError."""
    root, raw = _yaml(text, name)
    if not isinstance(raw, dict):
        raise DataMapError(
            "a data map is a YAML mapping", field=name, remedy="See docs/data-map.md."
        )
    try:
        return DataMap.model_validate(raw)
    except ValidationError as error:
        raise _told(error, root, name) from None


def _yaml(text: str, name: str) -> tuple[yaml.Node | None, object]:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return root, loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataMapError(
            f"this is not good YAML: {error.problem}",
            field=f"{name}:{line}",
            remedy="Mend that line; indentation is by spaces.",
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise DataMapError("this is not YAML", field=name, remedy="See docs/data-map.md.") from None
    finally:
        loader.dispose()


def _told(error: ValidationError, root: yaml.Node | None, name: str) -> DataMapError:
    """The first error, in our words. The offending value is left out: it could be anything."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    where = [str(part) for part in (*first["loc"], *context.get("where", ()))]
    rule, remedy = _words(first["type"], where, str(first["msg"]), context)
    return DataMapError(rule, field=f"{name}:{_line(root, where)} {'.'.join(where)}", remedy=remedy)


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


def _line(node: yaml.Node | None, where: Sequence[str]) -> int:
    """The line of the deepest key of `where` that the file has."""
    line = 1
    for part in where:
        step = _child(node, part)
        if step is None:
            break
        line, node = step
    return line


def _child(node: yaml.Node | None, part: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        found = ((k.start_mark.line + 1, v) for k, v in node.value if k.value == part)
        return next(found, None)
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        child = node.value[int(part)]
        return child.start_mark.line + 1, child
    return None
