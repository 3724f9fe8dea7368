"""Debian's Chromium, driven by Playwright, and the demo it looks at: real processes, real HTTP."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.demo import Demo, running_demo
from tests.required import missing


CHROMIUM = shutil.which("chromium")
# A container has neither a sandbox of its own nor a /dev/shm worth the name.
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
SHOTS = Path("build/screenshots")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each takes a context of its own."""
    if CHROMIUM is None:
        missing("Chromium is not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo as `btce-cds demo` starts it, in a process of its own."""
    with running_demo(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots are kept for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
