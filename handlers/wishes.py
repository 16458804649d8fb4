"""What a person wished for in a request: sealed JSON of values and of what they confirmed.

Keys: `new` and `old` (field -> value as written), `confirmed` (the question that was answered with
yes), `new_contact_proof` (how a new contact was proven), `papers` (`came`: they wait for an agent).
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


def wish_of(desk: "Desk", request: Request) -> dict[str, Any]:
    """The sealed wish of a request: `new`, `old` (field -> value), `confirmed`, `new_contact_proof`."""
    opened: dict[str, Any] = json.loads(desk.vault.text(request.wish) or "{}")
    return opened


def set_wish(desk: "Desk", request: Request, wish: Mapping[str, Any]) -> None:
    request.wish = desk.vault.seal(request.key_id, "request.wish", json.dumps(dict(wish)))
