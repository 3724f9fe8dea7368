"""No temperature, pressure, saturation or weight of a vitals bundle disappears: each is used or
named. The raw JSON is sorted here by its own short code list, not by the code under test.
"""

from collections import Counter
from typing import Any

import pytest

from knowledge.facts import Facts
from tests.functional.bodies import Json
from tests.payloads.source import ALL_TIME, Service, body_of, order_sign, utc


pytestmark = pytest.mark.payloads
NOW = utc("2026-05-20T12:00:00Z")
LOINC = "http://loinc.org"
FACT_OF = {
    "8310-5": "temperatures",
    "8331-1": "temperatures",
    "85354-9": "systolic",
    "55284-4": "systolic",
    "2708-6": "saturations",
    "59408-5": "saturations",
    "29463-7": "weights",
    "3141-9": "weights",
}
CAPTURES = "ehr-sandbox-captures"
# Per file: entries used, named as unreadable, of no fact that is read; counted in the captures.
BUNDLES = [
    ("epic/observation-vital-signs-erXuFYUfucBZaryVksYEcMg3.json", "erXuFYUfucBZaryVksYEcMg3"),
    ("epic/observation-vital-signs-eAB3mDIBBcyUKviyzrxsnAw3.json", "eAB3mDIBBcyUKviyzrxsnAw3"),
    ("cerner/observation-vital-signs-12724066.json", "12724066"),
    ("cerner/observation-vital-signs-12742399.json", "12742399"),
    ("cerner/observation-vital-signs-12752183.json", "12752183"),
    ("meditech/observation-vital-signs-bundle.json", "9bec5771-4796-5189-a54e-352c571a44c8"),
]


def fact_of(resource: Json) -> str | None:
    """Which series the entry belongs to, by the LOINC codes in the raw JSON."""
    codings = resource["code"].get("coding", [])
    known = [FACT_OF.get(one.get("code")) for one in codings if one.get("system") == LOINC]
    return next((fact for fact in known if fact is not None), None)


def used_refs(facts: Facts) -> dict[str, Counter[str]]:
    """How often each resource appears as the evidence of each series."""
    return {
        name: Counter(one.evidence.ref for one in getattr(facts, name))
        for name in set(FACT_OF.values())
    }


@pytest.mark.parametrize(("path", "patient"), BUNDLES, ids=[path for path, _ in BUNDLES])
def test_every_entry_is_used_or_accounted_for(service: Service, path: str, patient: str) -> None:
    vitals = body_of(f"{CAPTURES}/{path}")
    answer = service.ask(order_sign(patient, {"vitals": vitals}), NOW, rules=ALL_TIME)
    used = used_refs(answer.known)
    named = {one.at for one in answer.known.unreadable}
    tally: Counter[str] = Counter()
    for index, entry in enumerate(vitals["entry"]):
        resource = entry["resource"]
        at = f"prefetch.vitals.entry[{index}]"
        if resource["resourceType"] == "OperationOutcome":
            tally["outcome"] += 1
            named.discard(at)  # said of the query, not of an observation
            continue
        fact = fact_of(resource)
        times = 0 if fact is None else used[fact][f"Observation/{resource['id']}"]
        if resource["status"] in {"entered-in-error", "cancelled"}:
            assert times == 0, at
            tally["dropped"] += 1
        elif fact is None:
            assert at not in named, at
            tally["other"] += 1
        else:
            assert times + (at in named) == 1, f"{at}: used {times} times, named {at in named}"
            tally["used" if times else "unreadable"] += 1
    assert sum(tally.values()) == len(vitals["entry"])
    assert tally["used"] == sum(sum(refs.values()) for refs in used.values())
    assert tally["unreadable"] == len(named)


@pytest.mark.parametrize(("path", "patient"), BUNDLES, ids=[path for path, _ in BUNDLES])
def test_numbers_and_times_are_those_of_the_capture(
    service: Service, path: str, patient: str
) -> None:
    vitals = body_of(f"{CAPTURES}/{path}")
    facts = service.ask(order_sign(patient, {"vitals": vitals}), NOW, rules=ALL_TIME).known
    raw: dict[str, Any] = {
        f"Observation/{entry['resource']['id']}": entry["resource"]
        for entry in vitals["entry"][:]
        if entry["resource"]["resourceType"] == "Observation"
    }
    for one in (*facts.temperatures, *facts.saturations, *facts.weights):
        resource = raw[one.evidence.ref]
        quantity = resource["valueQuantity"]
        factor = 1000 if quantity["unit"] == "g" else 1
        # Epic rounds a temperature entered in Fahrenheit to a tenth; the entry itself is used.
        close = 0.05 if "entered as" in one.evidence.note else 1e-6
        assert float(one.value) * factor == pytest.approx(quantity["value"], abs=close), one
        assert one.at == utc(resource["effectiveDateTime"]), one
    for one in facts.systolic:
        codes = [(part["code"]["coding"], part) for part in raw[one.evidence.ref]["component"]]
        values = [
            part["valueQuantity"]["value"]
            for codings, part in codes
            if any(coding["code"] == "8480-6" for coding in codings)
        ]
        assert [float(one.value)] == values, one
