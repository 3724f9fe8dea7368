"""Skips without the folder of public files; one loaded service for all of them."""

import pytest

from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conftest import State
from tests.payloads.source import FOLDER, Service


@pytest.fixture(autouse=True)
def _folder() -> None:
    if FOLDER is None:
        pytest.skip("BTCE_PAYLOADS names no folder of public FHIR files")
    if not FOLDER.is_dir():
        pytest.skip("the folder named by BTCE_PAYLOADS does not exist")


@pytest.fixture(scope="session")
def service(library: Library, codes: CodeSets, state: State) -> Service:
    return Service(library, codes, **state)
