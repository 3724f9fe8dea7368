"""The ward of each test: a worker, its store and its hospital."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.unit.cds.worker.ward import Ward


@pytest.fixture
def tell() -> str:
    return "nothing"


@pytest.fixture
def ward(tmp_path: Path, library: Library, codes: CodeSets, tell: str) -> Iterator[Ward]:
    made = Ward(tmp_path, library, codes, tell=tell)
    yield made
    made.close()
