"""What every test can ask for: real servers (`plugins/servers.py`), desks and browsers.

Databases of tests stand in memory where there is enough of it: most of what they wait for on a
disk is that a commit is on it.
"""

import os
import shutil
import tempfile

MEMORY = "/dev/shm"
ENOUGH = 4 << 30  # bytes; what a test that passed has left goes with it

pytest_plugins = [
    "servers",
    "patience",
    "parsed",
    "desks",
    "reused",
    "browsers",
    "page_links",
    "pairs",
]


def _roomy() -> bool:
    if not os.access(MEMORY, os.W_OK):
        return False
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, shutil.disk_usage(MEMORY).free) > ENOUGH


if "TMPDIR" not in os.environ and _roomy():
    os.environ["TMPDIR"] = MEMORY  # for the processes that tests start, too
    tempfile.tempdir = None  # looked up again
