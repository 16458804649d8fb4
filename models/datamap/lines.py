"""Where each key of the map stands, so that what is wrong is told with file and line."""

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import yaml

from subjectline.models.errors import DataMapError

Path = tuple[str, ...]


class Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice (YAML keeps the last silently), and
    reads only true and false as booleans."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


# `no` and `on` are columns of many databases: only true and false are booleans, as in YAML 1.2.
_BOOL = "tag:yaml.org,2002:bool"
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != _BOOL]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(_BOOL, re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


class Lines:
    """File and line by path; a path that is nowhere has the place of the nearest one above it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[tuple[Path, str]] = []
        self._places: dict[Path, tuple[str, int]] = {}

    def add(self, path: Path, name: str, line: int) -> None:
        """Remembers a place; the first one stays."""
        self._places.setdefault(path, (name, line))

    def place(self, where: Sequence[str]) -> str:
        """`file:line` of the deepest key of `where` that a file has."""
        path = tuple(where)
        while path and path not in self._places:
            path = path[:-1]
        name, line = self._places.get(path, (self.name, 1))
        return f"{name}:{line}"

    def line(self, where: Sequence[str]) -> int:
        """The line of exactly this path, or 1."""
        return self._places.get(tuple(where), ("", 1))[1]

    def has(self, where: Sequence[str]) -> bool:
        """Whether a file has exactly this path."""
        return tuple(where) in self._places


def read(text: str, name: str) -> tuple[object, Lines]:
    """The document in `text` and where its keys stand. Raises DataMapError with the line."""
    loader, lines = Loader(text), Lines(name)
    try:
        root = loader.get_single_node()
        if root is None:
            return None, lines
        document = loader.construct_document(root)
        for path, line in _walk(root, ()):
            lines.add(path, name, line)
        return document, lines
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


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _walk(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            here = (*path, str(number))
            yield here, value.start_mark.line + 1
            yield from _walk(value, here)
