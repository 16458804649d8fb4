"""A missing server is a skip that is named, and a failure where the forge runs."""

import pytest
from servers import MISSING, find


def test_a_missing_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match=f"{MISSING}no-such-program .*servers.sh"):
        find("no-such-program", "its-package")


def test_a_missing_server_fails_on_the_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=f"{MISSING}no-such-program"):
        find("no-such-program", "its-package")
