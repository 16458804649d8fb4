"""The sample company's map as text, to break it line by line."""

from pathlib import Path

import pytest

from subjectline.models.datamap import DataMap, load_map


@pytest.fixture(scope="session")
def sample_path() -> Path:
    return Path(__file__).parents[3] / "intake/sandbox/moment-pick/map.yaml"


@pytest.fixture(scope="session")
def sample_text(sample_path: Path) -> str:
    return sample_path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def sample(sample_path: Path) -> DataMap:
    return load_map(sample_path)
