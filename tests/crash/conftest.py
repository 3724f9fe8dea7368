"""The tally of the long run, which these tests share with the property tests."""

from tests.properties.conftest import figures, pytest_deselected, pytest_sessionfinish


__all__ = ["figures", "pytest_deselected", "pytest_sessionfinish"]  # a fixture, and the tally
