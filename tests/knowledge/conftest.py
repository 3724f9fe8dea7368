"""The shipped knowledge, and a copy of it that a test may break."""

import shutil
from pathlib import Path

import pytest

from knowledge.library import DATA, Library, load


@pytest.fixture(scope="session")
def library() -> Library:
    return load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the knowledge files."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))
