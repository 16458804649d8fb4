"""operating.md has every setting with its default, and no other; the example file is one to start from."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from documents import Document
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from subjectline.intake.showing import EXAMPLE
from subjectline.models.settings import Settings

ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| (.*?) \|", re.MULTILINE)
SECTIONS = "|".join(Settings.model_fields)
FILES = {"desk.db", "keys.db"}


def model_in(annotation: object) -> type[BaseModel]:
    """The section's model, through tuples and optional ones."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = next(each for each in get_args(annotation) if each not in (..., type(None)))
    return model_in(inner)


def default(field: FieldInfo) -> str:
    """A default as operating.md writes it."""
    value: object = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        return value.get_secret_value() or "empty"
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, str | Path):
        return f"`{value}`" if str(value) else "empty"
    return str(value)


def known() -> dict[str, str]:
    sections = {name: model_in(f.annotation) for name, f in Settings.model_fields.items()}
    return {
        f"{section}.{name}": default(field)
        for section, model in sections.items()
        for name, field in model.model_fields.items()
    }


def test_every_setting_is_told_with_its_default(operating: Document) -> None:
    told = dict(ROW.findall(operating.text))
    # An empty URL means SQLite: "none" says it better than "empty".
    assert told == known() | {"database.url": "none"}


def test_every_setting_named_exists(document: Document) -> None:
    spans = {span for span in document.code if re.fullmatch(rf"(?:{SECTIONS})\.[a-z_]+", span)}
    assert spans - FILES <= set(known())


def test_every_variable_named_exists(document: Document) -> None:
    names = {
        f"SUBJECTLINE_{name.upper().replace('.', '__')}" for name in (*known(), "mailboxes", "smtp")
    }
    spoken = re.findall(r"\bSUBJECTLINE_[A-Z_]+[A-Z]\b(?!>|_)", document.text)
    assert set(spoken) <= names


def test_the_example_has_only_known_settings() -> None:
    raw = tomllib.loads(EXAMPLE)
    flat = {
        f"{section}.{key.removesuffix('_file')}"
        for section, found in raw.items()
        for part in (found if isinstance(found, list) else [found])
        for key in part
    }
    assert flat <= set(known())
