"""What every test can ask for. Real servers come from `plugins/servers.py`."""

pytest_plugins = ["servers"]
