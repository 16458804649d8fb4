"""Pages are the same on both databases of the desk: on PostgreSQL they are for `make long`.

What stands behind them runs on both in `make test` (tests/handlers), and so do the journeys. With the
pages too it would take more than its ten minutes.
"""

import pytest

PAGES = ("tests/intake/console/", "tests/intake/pages/")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(PAGES) and "[postgresql" in item.nodeid:
            item.add_marker(pytest.mark.long)
