"""A hospital with one subscription of its own and one of another site."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.notifications.hospital import SOUTH, Hospital, subscription
from tests.databases import migrated


@pytest.fixture
def hospital_with(
    tmp_path: Path, library: Library, codes: CodeSets
) -> Iterator[Callable[..., Hospital]]:
    """Makes a hospital; what is given changes its subscription, `limits` how much it takes."""
    made: list[Hospital] = []

    def make(*, limits: Any = None, **changes: Any) -> Hospital:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        migrated(folder / "store.db")
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
