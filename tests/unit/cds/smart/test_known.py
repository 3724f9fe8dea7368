"""What is known already: every value with its time and source, in plain words, nothing twice."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import Raw

from cds.hook_request import HookRequest
from cds.pipeline import Evaluation, evaluate
from cds.smart.known import Scale, known, lines
from fhir_mapping.codes import load_codes
from fhir_mapping.neuro import SYSTEM
from knowledge.library import load
from tests.beside import site_at
from tests.builders import (
    BASE,
    NOW,
    Json,
    acetaminophen,
    as_bytes,
    bundle,
    charted_grade,
    hours_ago,
    ice,
    norepinephrine,
    patient,
    teclistamab,
    temp,
)


LONDON = ZoneInfo("Europe/London")


def _evaluation(*resources: Json) -> Evaluation:
    prefetch = {
        "patient": Raw(as_bytes(patient())),
        "vitals": Raw(as_bytes(bundle(*resources))),
    }
    request = HookRequest(
        hook="patient-view",
        hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        patient_id="p1",
        fhir_server=BASE,
        draft_orders=None,
        selections=None,
        prefetch=prefetch,
    )
    return evaluate(request, site=site_at(BASE), library=load(), codes=load_codes(), now=NOW)


def ice_item(code: str, points: int) -> Json:
    """One item of an ICE as a component."""
    coding = {"system": SYSTEM, "code": code}
    return {"code": {"coding": [coding]}, "valueInteger": points}


def _scales(*resources: Json) -> dict[str, Scale]:
    return {one.code: one for one in known(_evaluation(*resources), LONDON).scales}


def test_a_value_has_its_time_in_the_sites_zone_and_the_reference_it_is_from() -> None:
    crs = _scales(teclistamab(), temp(38.6, at=hours_ago(2)))["crs"]
    (fever,) = (one for one in crs.axes if one.label == "Fever")
    (value,) = fever.values
    assert fever.level == "present"
    assert value.text == "38.6 °C (101.5 °F), 21 Nov 2026 10:00 GMT"
    assert (value.ref, value.stated) == ("Observation/t1", "")


@pytest.mark.parametrize(
    ("id_", "stated"),
    [
        ("btce-cds-stated-1", "now"),
        ("btce-cds-kept-" + "0a" * 16, "kept"),
        ("stated-1", ""),
        ("o1", ""),
    ],
)
def test_what_is_stated_now_or_kept_here_is_told_from_the_record(id_: str, stated: str) -> None:
    icans = _scales(teclistamab(), ice(8, resource_id=id_))["icans"]
    (axis,) = (one for one in icans.axes if one.label == "ICE")
    assert [one.stated for one in axis.values] == [stated]


def test_a_charted_grade_is_there_with_its_source() -> None:
    crs = _scales(teclistamab(), temp(38.6), charted_grade("crs", 2))["crs"]
    assert any(line.startswith("Charted grade 2, 21 Nov 2026") for line in crs.course)
    assert crs.charted_ref == "Observation/crs-grade-1"


def test_medicines_that_bear_on_the_grade_are_listed_newest_first() -> None:
    given = known(
        _evaluation(
            teclistamab(),
            acetaminophen(at=hours_ago(3)),
            norepinephrine(at=hours_ago(1)),
            temp(38.6),
        ),
        LONDON,
    ).given
    assert [(one.name, one.kind) for one in given] == [
        ("norepinephrine", "vasopressor"),
        ("acetaminophen", "antipyretic"),
        ("teclistamab", "bispecific"),
    ]
    assert given[2].at == NOW - timedelta(hours=24)
    assert given[2].ref == "MedicationAdministration/tec1"


def test_only_the_newest_doses_of_the_bispecific_are_listed() -> None:
    doses = [teclistamab(at=hours_ago(h), resource_id=f"tec{h}") for h in (24, 48, 72, 96)]
    given = known(_evaluation(*doses), LONDON).given
    assert [one.ref for one in given] == [f"MedicationAdministration/tec{h}" for h in (24, 48, 72)]


def test_what_is_missing_is_named_and_nothing_is_shown_as_normal() -> None:
    scales = _scales(teclistamab())
    assert scales["icans"].grade == "ICANS not assessed"
    assert "temperature: not recorded" in scales["crs"].missing
    assert "ICE score: not known: assessments not read" in scales["icans"].missing
    assert "raised ICP: not known: assessments not read" in scales["icans"].missing
    assert "oxygen device: not known: oxygen not read" in scales["crs"].missing
    assert all(one.axes == () for one in scales.values())


def test_a_partial_ice_is_a_span_in_words() -> None:
    part = {**ice(4), "component": [ice_item("ice-orientation", 4)]}
    del part["valueInteger"]
    icans = _scales(teclistamab(), part)["icans"]
    (axis,) = (one for one in icans.axes if one.label == "ICE")
    assert axis.level == "4 to 10"
    assert axis.values[0].text.startswith("4 to 10, 21 Nov 2026")
    (motor,) = (one for one in icans.axes if one.label == "Motor")
    assert (motor.values, motor.unread) == ((), "assessments not read")


def test_what_nobody_could_read_is_said_of_the_medicines_too() -> None:
    found = known(_evaluation(), LONDON)
    assert (found.given, found.given_unread) == ((), "administrations not read")
    assert found.unread == (
        "Administrations were not available: exposure to a bispecific is possible.",
    )


def test_the_signs_that_protect_a_text_in_markdown_are_gone() -> None:
    assert lines("Title\n- a\\_b \\*c\\* \\<d\\>") == ("a_b *c* <d>",)
    assert lines("") == ()
