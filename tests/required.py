"""What a test needs and a machine may lack: skipped there, saying so, and required in CI."""

import os
from typing import NoReturn

import pytest


REQUIRED = "BTCE_LIVE"  # set to "required" where nothing may be missing


def missing(reason: str) -> NoReturn:
    """Skip this test because of `reason`; fail it where `BTCE_LIVE=required` is set."""
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"required here: {reason}", pytrace=False)
    pytest.skip(reason)
