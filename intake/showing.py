"""`subjectline settings`: each value with its source, secrets masked; and a file to start from."""

import os
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
        return [(name, "********" if isinstance(value, SecretStr) else repr(value))]
    return [line for key, item in parts for line in _flat(item, f"{name}.{key}".strip("."))]


def _source(name: str, path: Path) -> str:
    variable = "SUBJECTLINE_" + name.upper().replace(".", "__")
    if variable in os.environ:
        return variable
    section, _, key = name.partition(".")
    text = path.read_text()
    written = section in text and key.split(".")[-1] in text
    return str(path) if written else "default"
