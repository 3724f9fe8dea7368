"""One tally for the whole run; `make validation` keeps it in a file of its own for each part."""

import json
import os
from pathlib import Path

import pytest

from tests.properties.figures import Figures


_FIGURES = Figures()
_LEFT_OUT: list[pytest.Item] = []


@pytest.fixture(scope="session")
def figures() -> Figures:
    return _FIGURES


def pytest_deselected(items: list[pytest.Item]) -> None:
    _LEFT_OUT.extend(items)


def pytest_sessionfinish(exitstatus: int) -> None:
    """A run of some of the tests keeps nothing."""
    file = os.environ.get("BTCE_FIGURES")
    if file is not None and exitstatus == 0 and not _LEFT_OUT:
        kept = {"commit": os.environ["BTCE_COMMIT"], "counts": _FIGURES.counts}
        Path(file).write_text(json.dumps(kept), encoding="utf-8")
