"""Deeds are the same on both databases of the desk; where no SQL of their own stands behind them, their
turn on PostgreSQL is for `make long`. The journeys of `make test` go there with all of them.
"""

import pytest

SAME = (
    "agents", "answers", "attachments", "bounces", "consents", "copies", "deadlines", "dialog",
    "export", "legal_holds", "letters", "notices", "objecting", "proposing", "recipients", "replies",
    "restrictions", "statements",
)  # fmt: skip
# Here PostgreSQL has SQL of its own: cursors; locks that another desk's claim sees; many at once.
OWN_SQL = (
    "export/test_gather.py", "recipients/test_leaving.py::test_two_desks", "test_of_two_at_once",
    "test_of_many_different_events_at_once", "test_after_many_years",
)  # fmt: skip
FILES = ("workflow/test_moves.py", "workflow/test_lifting.py", "retention/test_desk_files.py")
FOLDERS = (*(f"tests/handlers/{name}/" for name in SAME), *(f"tests/handlers/{f}" for f in FILES))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        own_sql = any(name in item.nodeid for name in OWN_SQL)
        if item.nodeid.startswith(FOLDERS) and "[postgresql" in item.nodeid and not own_sql:
            item.add_marker(pytest.mark.long)
