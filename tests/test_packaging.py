"""What is needed at run time is in the wheel: every folder of code, every template and data file."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
LAYERS = ("intake", "handlers", "models", "templates")
NOT_SHIPPED = {"__pycache__"}


def sources(pattern: str = "*") -> list[Path]:
    """The files below the four folders, from the root."""
    found = [path for layer in LAYERS for path in (ROOT / layer).rglob(pattern) if path.is_file()]
    return sorted(path.relative_to(ROOT) for path in found if not NOT_SHIPPED & set(path.parts))


def data_files() -> list[Path]:
    return [path for path in sources() if path.suffix not in (".py", ".pyc")]


def package(folder: Path) -> str:
    return ".".join(("subjectline", *folder.parts))


def named_as_data() -> set[Path]:
    """The files that package-data names."""
    patterns: dict[str, list[str]] = SETUPTOOLS["package-data"]
    found = set[Path]()
    for name, wanted in patterns.items():
        folder = ROOT.joinpath(*name.split(".")[1:])
        found |= {path for pattern in wanted for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(ROOT) for path in found}


def test_every_folder_of_code_is_shipped() -> None:
    shipped = set(SETUPTOOLS["packages"])
    needed = {package(path.parent) for path in sources("*.py")}
    assert needed - shipped == set(), "would be missing from the wheel"
    assert shipped - needed == {"subjectline"}, "there is no such folder of code"


def test_every_data_file_is_named() -> None:
    assert set(data_files()) - named_as_data() == set(), "would be missing from the wheel"


def test_package_data_hangs_on_packages_that_are_shipped() -> None:
    assert set(SETUPTOOLS["package-data"]) <= set(SETUPTOOLS["packages"])
    assert SETUPTOOLS["include-package-data"] is False, "then other files slip in unnamed"


@pytest.mark.timeout(300)
def test_the_wheel_has_everything(tmp_path: Path) -> None:
    """Built from a copy, so that no build folder is left behind."""
    wheel = _built(_copied(tmp_path / "source"), tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as opened:
        inside = {name for name in opened.namelist() if ".dist-info/" not in name}
        told = [
            name for name in opened.namelist() if name.endswith(("LICENSE", "entry_points.txt"))
        ]
    expected = {f"subjectline/{path}" for path in sources() if path.suffix != ".pyc"}
    assert inside == expected | {"subjectline/__init__.py", "subjectline/py.typed"}
    assert len(told) == 2
    for sample in (
        "templates/mail/ko/verify/body.txt",
        "templates/static/subjectline.css",
        "intake/sandbox/moment-pick/map.yaml",
        "intake/sandbox/moment-pick/policies/1.ko.md",
        "models/regime_data/kr-pipa.yaml",
        "models/migrations/versions/0001_the_nouns.py",
        "models/migrations/script.py.mako",
    ):
        assert f"subjectline/{sample}" in inside


def _copied(to: Path) -> Path:
    """The files that a build reads."""
    own = [Path(name) for name in ("pyproject.toml", "README.md", "LICENSE", "__init__.py")]
    for path in (*own, Path("py.typed"), *sources()):
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        (to / path).write_bytes((ROOT / path).read_bytes())
    return to


def _built(source: Path, into: Path) -> Path:
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(into))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *build, str(source)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = into.glob("subjectline-*.whl")
    return wheel
