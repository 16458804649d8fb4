"""What every test can ask for: real servers (`plugins/servers.py`), desks (`plugins/desks.py`)."""

pytest_plugins = ["servers", "desks"]
