"""A hospital with one subscription of its own and one of another site."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cds.store.migrations import migrate
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.notifications.hospital import SOUTH, Hospital, subscription


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nothing in it: copied, because migrating takes its time."""
    file = tmp_path_factory.mktemp("empty") / "store.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def hospital_with(
    tmp_path: Path, empty_database: Path, library: Library, codes: CodeSets
) -> Iterator[Callable[..., Hospital]]:
    """Makes a hospital; what is given changes its subscription, `limits` how much it takes."""
    made: list[Hospital] = []

    def make(*, limits: Any = None, **changes: Any) -> Hospital:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        shutil.copy(empty_database, folder / "store.db")
        one = Hospital(folder, library, codes, limits=limits)
        one.subscribed.add(subscription(**changes))
        one.subscribed.add(subscription(SOUTH, "south"))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def hospital(hospital_with: Callable[..., Hospital]) -> Hospital:
    return hospital_with()
