"""`subjectline settings`: each value with its source, secrets masked; and a file to start from."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from subjectline.models.settings import load_settings

EXAMPLE = """# Subjectline: where the desk finds its mail, its bot, its data. Secrets may also be given as
# <name>_file = "FILE" or <name>_command = "COMMAND".

[desk]
address = "privacy@example.com"          # the address that members write to
public_url = "https://privacy.example.com"
data_dir = "var"                          # the desk's own database, keys and lock
authserv_ids = ["mx.example.com"]         # your border server, in Authentication-Results

[registry]
map = "map.yaml"                          # see docs/data-map.md
[registry.urls]
members = "postgresql+asyncpg://subjectline@127.0.0.1/members"

[[mailboxes]]
host = "imap.example.com"
user = "privacy@example.com"
password_file = "imap.password"

[smtp]
host = "smtp.example.com"
user = "privacy@example.com"
password_file = "smtp.password"
from_address = "privacy@example.com"
from_name = "Example"

[telegram]
# token_file = "bot.token"
# updates = "webhook"                     # else the desk asks Telegram for them

[listen]
host = "127.0.0.1"
public_port = 8080                        # members: policy, secure pages
internal_port = 8081                      # agents: console, gate, metrics
"""


def shown(path: Path) -> list[str]:
    """`section.key = value  (source)`, one a line. Raises SettingsError."""
    settings = load_settings(path)
    return [f"{name} = {value}  ({_source(name, path)})" for name, value in _flat(settings, "")]


def _flat(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, BaseModel):
        parts = [(key, getattr(value, key)) for key in type(value).model_fields]
    elif isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        parts = [(str(number), item) for number, item in enumerate(value)]
    else:
        told = str(value) if isinstance(value, Path) else value
        return [(name, "********" if isinstance(value, SecretStr) else repr(told))]
    return [line for key, item in parts for line in _flat(item, f"{name}.{key}".strip("."))]


def _source(name: str, path: Path) -> str:
    """The variable or file that says it; `default` where none does."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        variable = "SUBJECTLINE_" + "__".join(parts[:end]).upper()
        said = os.environ.get(variable)
        if said is not None and (end == len(parts) or _written(json.loads(said), parts[end:])):
            return variable
    return str(path) if _written(tomllib.loads(path.read_text()), parts) else "default"


def _written(raw: Any, parts: list[str]) -> bool:
    """Whether the parts lead somewhere, the last one also as a file or a command."""
    if not parts:
        return True
    head, rest = parts[0], parts[1:]
    if isinstance(raw, list):
        return int(head) < len(raw) and _written(raw[int(head)], rest)
    names = (head, f"{head}_file", f"{head}_command")
    return isinstance(raw, dict) and any(n in raw and _written(raw[n], rest) for n in names)
