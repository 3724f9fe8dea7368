"""A patient of whose record every text is one that tries to be more than text.

Where the app reads words: names, identifiers, sex, units of measure, places, devices, notes,
medicines, conditions, people and wards. What the numbers say is ordinary.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle

from tests.builders import (
    ICD10CM,
    LOINC,
    RXNORM,
    TOXICITY,
    Json,
    administration,
    assessment,
    bp,
    concept,
    hours_ago,
    observation,
    oxygen_device,
    quantity,
    spo2,
    temp,
    weight,
)
from tests.unit.cds.worker.hospital import of


_NEURO = ("arousal", "seizure", "motor", "raised-icp", "hypotension-support")


def chart(who: str, texts: Sequence[str], at: Sequence[str] = ()) -> list[Json]:
    """Everything of patient `who`; the texts are placed in turn, from the first on.

    `at`: five FHIR times, the newest first; those of `builders.hours_ago` unless given.
    """
    words = cycle(texts)
    times = list(at) or [hours_ago(hours) for hours in (0.5, 1, 2, 3, 24)]
    person = _person(who, words)
    ward = _ward(who, words)
    charted = [*_vitals(words, times), *_signs(words, times), *_given(words, times)]
    named = [{**one, "id": f"{who}-{number}"} for number, one in enumerate(charted)]
    return [person, _clinician(who, words), of(ward, who), *(_owned(one, who) for one in named)]


def _owned(resource: Json, who: str) -> Json:
    survey = resource["resourceType"] == "Observation" and "survey" in resource.get("category", "")
    return of(resource, who, "survey" if survey else "vital-signs")


def _person(who: str, words: Iterator[str]) -> Json:
    """The first four texts are those that a page says of whom it is about."""
    name: Json = {"text": next(words)}
    return {
        "resourceType": "Patient",
        "id": who,
        "birthDate": "1960-05-17",
        "gender": next(words),
        "identifier": [{"value": next(words)}, {"value": next(words)}],
        "name": [{**name, "family": next(words), "given": [next(words)]}],
    }


def _clinician(who: str, words: Iterator[str]) -> Json:
    name = [{"text": next(words), "family": next(words), "given": [next(words)]}]
    return {"resourceType": "Practitioner", "id": f"of-{who}", "name": name}


def _ward(who: str, words: Iterator[str]) -> Json:
    place = {"reference": "Location/ward", "display": next(words)}
    return {
        "resourceType": "Encounter",
        "id": f"{who}-stay",
        "status": "in-progress",
        "class": {"code": "IMP", "display": next(words)},
        "location": [{"location": place}],
        "serviceProvider": {"display": next(words)},
    }


def _vitals(words: Iterator[str], times: Sequence[str]) -> Iterator[Json]:
    first = temp(38.6, at=times[1])
    yield {**first, "bodySite": {"text": next(words)}, "note": [{"text": next(words)}]}
    yield {**temp(38.9, at=times[2]), "method": {"text": next(words)}, **_by(words)}
    yield _without(temp(38.1, at=times[0]), "dataAbsentReason", {"text": next(words)})
    odd = {"value": 39.0, "unit": next(words)}
    yield {**temp(39.0, at=times[0]), "valueQuantity": odd}
    coded = {"value": 39.0, "unit": "x", "code": next(words), "system": next(words)}
    yield {**temp(39.0, at=times[0]), "valueQuantity": coded}
    yield {**bp(118, 70, at=times[1]), "bodySite": {"text": next(words)}, **_by(words)}
    yield {**bp(118, 70, at=times[0]), "method": {"text": next(words)}}
    yield {**spo2(93, at=times[1]), "device": {"display": next(words)}}
    yield weight(70, next(words), at=times[2])
    yield weight(70, at=times[3])
    for time in times:
        yield oxygen_device(next(words), at=time)
    for time in times[:3]:
        device = {"text": next(words), "coding": [{"display": next(words), "code": next(words)}]}
        code = concept(TOXICITY, "oxygen-device")
        yield observation("device", code, {"valueCodeableConcept": device}, at=time)


def _signs(words: Iterator[str], times: Sequence[str]) -> Iterator[Json]:
    for code in _NEURO:
        for time in times[:3]:
            yield _survey(observation("s", concept(TOXICITY, code), _said(words), at=time))
    yield _survey({**assessment("ice-total", 7, at=times[1]), "note": [{"text": next(words)}]})
    yield _survey(observation("c", concept(LOINC, next(words), next(words)), _said(words)))
    for code in ("crs-grade", "icans-grade"):
        yield _survey({**assessment(code, 1, at=times[1]), **_by(words), **_interpreted(words)})
        yield _survey(observation("g", concept(TOXICITY, code), _said(words), at=times[0]))


def _given(words: Iterator[str], times: Sequence[str]) -> Iterator[Json]:
    dose = {"value": 120, "unit": next(words), "code": "mg"}
    name = concept(RXNORM, "2619444", next(words))
    given = administration(name, at=times[4], dose=dose, route=next(words))
    yield {**given, "note": [{"text": next(words)}]}
    for time in times[:3]:
        yield administration({"text": next(words)}, at=time, dose=quantity(1, next(words)))
    yield administration({"text": f"tocilizumab {next(words)}"}, at=times[3], route=next(words))
    yield administration({"text": f"norepinephrine {next(words)}"}, at=times[2])
    yield administration(concept(RXNORM, "161", next(words)), at=times[1], route=next(words))
    yield {
        "resourceType": "Condition",
        "code": concept(ICD10CM, "C90.00", next(words)),
        "clinicalStatus": {"text": next(words)},
        "note": [{"text": next(words)}],
    }


def _said(words: Iterator[str]) -> Json:
    return {"valueCodeableConcept": {"text": next(words)}}


def _survey(resource: Json) -> Json:
    return {**resource, "category": "survey"}


def _by(words: Iterator[str]) -> Json:
    return {"performer": [{"reference": "Practitioner/d1", "display": next(words)}]}


def _interpreted(words: Iterator[str]) -> Json:
    return {"interpretation": [{"text": next(words)}]}


def _without(resource: Json, member: str, value: Json) -> Json:
    left = {name: one for name, one in resource.items() if name != "valueQuantity"}
    return {**left, member: value}
