"""The watch is on from the first test to the last, and the search is the last.

This file is read when the tests are collected, before any of them runs; nothing else has to know
of it. A run of some of the tests searches what these left behind.
"""

from collections.abc import Iterator

import pytest

from tests.canaries.watch import Watch


SEARCH = "tests/canaries/test_search.py"
WATCH = Watch()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search after everything else, whatever the order was."""
    items.sort(key=lambda item: item.nodeid.startswith(SEARCH))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """Watch while the tests run."""
    WATCH.start()
    try:
        return (yield)
    finally:
        WATCH.stop()


@pytest.fixture(scope="session")
def watch() -> Watch:
    return WATCH
