"""What a granted scope covers: SMART App Launch 2.2, "Scopes for requesting FHIR Resources"."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cds.backend import needs, uncovered
from cds.backend.retry_after import retry_after
from cds.config import Events, Site


NEEDS = ("Observation.rs", "Patient.r", "Flag.cu")


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ("system/*.cruds", ()),
        ("system/*.*", ()),
        ("system/*.rs", ("Flag.cu",)),
        ("system/*.read system/Flag.write", ()),
        ("system/Observation.rs system/Patient.r system/Flag.cu", ()),
        ("system/Observation.r system/Patient.r system/Flag.cud", ("Observation.rs",)),
        ("system/Observation.r system/Observation.s system/Patient.read", ("Flag.cu",)),
        (
            "system/Observation.rs?category=vital-signs system/Patient.r system/Flag.cu",
            ("Observation.rs",),
        ),
        ("patient/*.rs system/Patient.r", ("Observation.rs", "Flag.cu")),
        ("launch openid Observation.Read", ()),
        ("", ()),
    ],
)
def test_what_is_not_covered_is_named(granted: str, lacking: tuple[str, ...]) -> None:
    assert uncovered(granted, NEEDS) == lacking


def test_what_is_read_and_told_is_what_is_needed() -> None:
    events = Events(secret_file=Path("secret"), tell="communication")
    site = Site(id="x", fhir_base=None, protocol="x", zone=ZoneInfo("UTC"), events=events)
    asked = ("Patient/{{context.patientId}}", "Observation?patient=1", "Observation?category=x")
    assert needs(site, asked) == ("Observation.rs", "Patient.r", "Communication.cu")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "99999999999999"}, 3600),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        (
            {
                "Date": "Fri, 31 Dec 1999 23:58:59 GMT",
                "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT",
            },
            60,
        ),
        (
            {
                "Date": "Fri, 31 Dec 1999 23:59:59 GMT",
                "Retry-After": "Fri, 31 Dec 1999 23:58:59 GMT",
            },
            0,
        ),
    ],
)
def test_how_long_to_wait_is_read_from_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds
