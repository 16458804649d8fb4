"""What is published: whole, small, and apart from the desk."""

import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[1]
CODE = {path.name for path in (CLIENT / "subjectline_client").glob("*.py")} | {"py.typed"}
OWN = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "tests/conftest.py")
BUILD = """
import sys
from setuptools import build_meta
into = sys.argv[1]  # which the build writes over
build_meta.build_sdist(into)
build_meta.build_wheel(into)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built from a copy."""
    source, into = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in (*OWN, *(f"subjectline_client/{name}" for name in CODE)):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes((CLIENT / name).read_bytes())
    words = [sys.executable, "-W", "ignore", "-c", BUILD, str(into)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    return into


def test_the_wheel(built: Path) -> None:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (told,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
        metadata = HeaderParser().parsestr(wheel.read(told).decode())
        assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    assert inside == {f"subjectline_client/{name}" for name in CODE}
    assert {word.split(">")[0] for word in metadata.get_all("Requires-Dist", [])} == {
        "httpx",
        "msgspec",
    }
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("MIT", ">=3.11")
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


def test_the_source(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {"LICENSE", "README.md", *(f"subjectline_client/{name}" for name in CODE)} <= inside
    assert not any(name.startswith("tests") for name in inside), "they need the desk's own tools"


def test_it_stands_without_the_desk(built: Path) -> None:
    """Every module of the wheel, where the desk's package cannot be found."""
    (wheel,) = built.glob("*.whl")
    code = f"""
import importlib, sys
sys.path.insert(0, {str(wheel)!r})
sys.modules["subjectline"] = None
for name in {sorted(CODE)!r}:
    if name.endswith(".py") and name != "__init__.py":
        found = importlib.import_module("subjectline_client." + name[:-3])
        assert found.__file__.startswith({str(wheel)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
