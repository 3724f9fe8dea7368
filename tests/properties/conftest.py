"""One tally for the whole run; the long run writes it into the safety file."""

import pytest

from tests.properties.figures import REPORT, Figures
from tests.properties.service import LIBRARY, VALIDATION


_FIGURES = Figures()


@pytest.fixture(scope="session")
def figures() -> Figures:
    return _FIGURES


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if VALIDATION and exitstatus == 0:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(_FIGURES.report(LIBRARY), encoding="utf-8")
