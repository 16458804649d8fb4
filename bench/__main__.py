"""`python -m bench`: every benchmark, one JSON object a line; exit 1 where one could not be measured."""

import importlib
import json
import pkgutil
import subprocess
import sys

import bench
from bench.gate import OTHERS


def names() -> list[str]:
    """The benchmarks of this folder, by module name, but for those that another one runs."""
    found = (module.name for module in pkgutil.iter_modules(bench.__path__))
    mine = sorted(name for name in found if not name.startswith("_") and has_main(name))
    return [name for name in mine if name not in OTHERS]


def has_main(name: str) -> bool:
    return hasattr(importlib.import_module(f"bench.{name}"), "main")


def main() -> int:
    """Runs each in a process of its own, so that memory and caches are its own too."""
    failed = 0
    for name in names():
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", "--json"], check=False)
        failed += done.returncode != 0
        if done.returncode != 0:
            print(json.dumps({"case": name, "ours": None, "note": "it did not end well"}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
