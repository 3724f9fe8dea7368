"""A plugin of `make validation`: how many hostile inputs a run sent, once all of it held.

The numbers are those of the test modules themselves; nothing is judged here.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


COUNTED: dict[str, tuple[str, Callable[[ModuleType], int]]] = {
    "test_mutated_requests": (
        "requests that are nearly right: no fault, no answer over two seconds",
        lambda module: int(module.COUNT),
    ),
    "test_jwt": ("forged, malformed or misdirected tokens", lambda module: len(module.NAMES)),
    "test_foreign_urls": (
        "spellings of addresses elsewhere: nobody is asked",
        lambda module: len(module.SPELLINGS),
    ),
    "test_smart_injection": (
        "hostile texts in records: nothing of them acts on a page",
        lambda module: len(module.HOSTILE),
    ),
}
_MODULES: dict[str, ModuleType] = {}
_LEFT_OUT: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Remembers the modules that are run."""
    for item in items:
        if isinstance(item, pytest.Function):
            _MODULES[item.path.stem] = item.module


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A run of some of the tests counts nothing."""
    _LEFT_OUT.extend(items)


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keeps the counts where every test held."""
    file = os.environ.get("BTCE_FIGURES")
    if file is None or exitstatus != 0 or _LEFT_OUT:
        return
    counts = {
        sentence: number(_MODULES[name])
        for name, (sentence, number) in COUNTED.items()
        if name in _MODULES
    }
    kept = {"commit": os.environ["BTCE_COMMIT"], "counts": counts}
    Path(file).write_text(json.dumps(kept), encoding="utf-8")
