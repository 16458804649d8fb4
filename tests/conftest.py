"""What every test can ask for: real servers (`plugins/servers.py`), desks and browsers."""

pytest_plugins = ["servers", "desks", "browsers", "page_links", "pairs"]
