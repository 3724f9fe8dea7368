"""Which of two versions of one resource counts, in whatever order they come."""

import itertools

import pytest

from tests.builders import Json, acetaminophen, hours_ago, teclistamab, temp
from tests.unit.fhir_mapping.mapped import facts_of, numbers


def _version(value: float, status: str = "final", **meta: str) -> Json:
    made = {**temp(value), "status": status}
    return {**made, "meta": meta} if meta else made


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param(_version(39, versionId="2"), _version(37, versionId="10"), id="by number"),
        pytest.param(
            _version(39, lastUpdated="2026-11-21T11:30:00+02:00"),
            _version(37, lastUpdated="2026-11-21T10:00:00Z"),
            id="by time, whatever the zone",
        ),
        pytest.param(
            _version(39, versionId="x", lastUpdated="2026-11-21T09:00:00Z"),
            _version(37, versionId="a", lastUpdated="2026-11-21T10:00:00Z"),
            id="by time where the versions are no numbers",
        ),
        pytest.param(_version(39), _version(37, versionId="1"), id="by who says a version"),
        pytest.param(_version(39, "preliminary"), _version(37), id="by status"),
        pytest.param(_version(39), _version(37, "corrected"), id="by a correction"),
        pytest.param(
            _version(39, versionId="1" * 30), _version(37, versionId="3"), id="no huge numbers"
        ),
    ],
)
def test_the_newer_version_counts_in_either_order(older: Json, newer: Json) -> None:
    assert numbers(facts_of(older, newer).temperatures) == [37]
    assert numbers(facts_of(newer, older).temperatures) == [37]


def test_a_version_entered_in_error_ends_the_resource() -> None:
    for pair in itertools.permutations((_version(39), _version(39, "entered-in-error"))):
        assert facts_of(*pair).temperatures == ()


def test_where_nothing_says_which_is_newer_both_are_used_and_that_is_said() -> None:
    one, other = temp(39), temp(37, at=hours_ago(2))
    for several in itertools.permutations((one, other, one, other)):
        facts = facts_of(*several)
        assert numbers(facts.temperatures) == [37, 39]
        assert [notice.code for notice in facts.notices] == ["versions-undecided"]


def test_a_newer_version_settles_what_was_undecided() -> None:
    settled = _version(38, versionId="3")
    for several in itertools.permutations((temp(39), temp(37), settled)):
        assert numbers(facts_of(*several).temperatures) == [38]


def test_one_resource_under_two_queries_is_one() -> None:
    assert len(facts_of(acetaminophen(), acetaminophen()).masking) == 1
    assert facts_of(temp(39), temp(39)).notices == ()


def test_the_newer_version_of_a_product_counts_in_either_order() -> None:
    given = teclistamab()
    del given["medicationCodeableConcept"]
    given["medicationReference"] = {"reference": "Medication/m1"}
    made: Json = {"resourceType": "Medication", "id": "m1"}
    older = {**made, "meta": {"versionId": "1"}, "code": {"text": "saline"}}
    newer = {**made, "meta": {"versionId": "2"}, "code": {"text": "talquetamab"}}
    for several in itertools.permutations((older, newer, given)):
        assert [one.ingredient for one in facts_of(*several).doses] == ["talquetamab"]
