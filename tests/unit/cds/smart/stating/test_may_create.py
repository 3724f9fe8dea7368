"""Which granted scopes let a user create a resource (SMART App Launch 1 and 2)."""

import pytest

from cds.smart.stating.may_create import may_create


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.c",
        "patient/Observation.cruds",
        "patient/Observation.crs",
        "patient/Observation.write",
        "patient/Observation.*",
        "patient/*.write",
        "patient/*.*",
        "user/Observation.c",
        "user/*.cud",
        "patient/Observation.c?category=survey",
    ],
)
def test_a_scope_with_create_covers_it(scope: str) -> None:
    assert may_create(["openid", scope], "Observation")


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "patient/Observation.rs",
        "patient/Observation.read",
        "patient/Observation.u",
        "patient/QuestionnaireResponse.c",
        "patient/ObservationDefinition.c",
        "system/Observation.c",
        "patient/Observation.c.rs",
        "xpatient/Observation.c",
        "patient/Observation.C",
        "launch/patient",
    ],
)
def test_any_other_does_not(scope: str) -> None:
    assert not may_create(["patient/*.rs", scope], "Observation")
