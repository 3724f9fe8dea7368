"""One tally for the whole run; the long run writes it into the safety file."""

import pytest

from tests.properties.figures import REPORT, Figures
from tests.properties.service import LIBRARY, VALIDATION


_FIGURES = Figures()
_WHOLE = ["tests/properties", "tests/crash"]  # what `make validation` runs
_LEFT_OUT: list[pytest.Item] = []


@pytest.fixture(scope="session")
def figures() -> Figures:
    return _FIGURES


def pytest_deselected(items: list[pytest.Item]) -> None:
    _LEFT_OUT.extend(items)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run of some of the tests writes no page."""
    whole = not _LEFT_OUT and session.config.args == _WHOLE
    if VALIDATION and exitstatus == 0 and whole:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(_FIGURES.report(LIBRARY), encoding="utf-8")
