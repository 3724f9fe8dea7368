"""The tally of the long run, which these tests share with the property tests."""

from tests.properties.conftest import figures


__all__ = ["figures"]  # a fixture
