"""Posts what somebody charts at the workbench to the FHIR server: Observations over HTTP.

Shapes and transport; whether a value is possible is for the service to say, so odd ones may go out.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

import requests
from msgspec import Struct

from cds.demo import observations
from cds.demo.answer import TIMEOUT_SECONDS
from cds.demo.fhir.resource_json import Resource, encode
from cds.demo.patients import PRACTITIONER, encounter_id, instant
from cds.demo.story import Device, Neuro, Story, Support, Vitals


DEVICES: Mapping[str, str] = {code: words for code, (_, words) in observations.DEVICES.items()}
AROUSAL = ("alert", "spontaneous", "voice", "tactile", "vigorous", "unarousable")
SUPPORT = ("none", "fluids", "one-vasopressor", "multiple-vasopressors")
UNITS = {"Cel": "°C", "[degF]": "°F"}
_MOST_DIGITS = 7


class Posted(Struct, frozen=True):
    """What was written, and for each that was not the reason. `left`: the ids of such drafts."""

    written: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class NotNumbers(Exception):
    """Fields that hold no number; `problems`: a sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def charted(form: Mapping[str, str]) -> tuple[Resource, ...]:
    """The Observations of a form; empty fields were not charted. Raises `NotNumbers`."""
    numbers, problems = _numbers(form)
    systolic, diastolic = numbers.get("systolic"), numbers.get("diastolic")
    if (systolic is None) != (diastolic is None):
        problems.append("Blood pressure: enter both systolic and diastolic.")
    if problems:
        raise NotNumbers(tuple(problems))
    pressure = None if systolic is None or diastolic is None else (int(systolic), int(diastolic))
    spo2, ice = numbers.get("spo2"), numbers.get("ice")
    unit = form.get("unit", "")
    device = form.get("device", "")
    arousal, support = form.get("arousal", ""), form.get("support", "")
    vitals = Vitals(
        at=0,
        temperature=numbers.get("temperature"),
        unit="[degF]" if unit == "[degF]" else "Cel",
        pressure=pressure,
        spo2=None if spo2 is None else int(spo2),
        device=cast("Device", device) if device in observations.DEVICES else None,
        flow=numbers.get("flow"),
    )
    neuro = Neuro(
        at=0,
        ice=None if ice is None else int(ice),
        arousal=arousal if arousal in AROUSAL else None,
    )
    found = [*observations.vitals(vitals), *observations.neuro(neuro)]
    if support in SUPPORT:
        found.append(observations.support(Support(at=0, level=support)))
    return tuple(found)


def post(
    session: requests.Session,
    door: str,
    story: Story,
    resources: tuple[Resource, ...],
    now: datetime,
) -> Posted:
    """Create each of them, charted at `now`."""
    written, problems = [], []
    for one in resources:
        name = str(one["code"]["text"])
        body = encode({**one, **_whose(story, now)})
        try:
            reply = session.post(
                f"{door}/Observation",
                data=body,
                headers={"Content-Type": "application/fhir+json"},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            problems.append(f"{name}: the FHIR server did not answer ({type(error).__name__}).")
            continue
        if reply.status_code == requests.codes.created:
            written.append(name)
        else:
            problems.append(f"{name}: the FHIR server refused it, HTTP {reply.status_code}.")
    return Posted(tuple(written), tuple(problems))


def _whose(story: Story, now: datetime) -> Resource:
    return {
        "subject": {"reference": f"Patient/{story.id}"},
        "encounter": {"reference": f"Encounter/{encounter_id(story)}"},
        "effectiveDateTime": instant(now),
        "performer": [{"reference": PRACTITIONER}],
    }


_FIELDS: Mapping[str, tuple[str, bool]] = {
    "temperature": ("Temperature", False),
    "systolic": ("Systolic pressure", True),
    "diastolic": ("Diastolic pressure", True),
    "spo2": ("SpO2", True),
    "flow": ("Oxygen flow", False),
    "ice": ("ICE total", True),
}


def _numbers(form: Mapping[str, str]) -> tuple[dict[str, float], list[str]]:
    found: dict[str, float] = {}
    problems: list[str] = []
    for name, text, whole in _entered(form):
        label = _FIELDS[name][0]
        digits = text.replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit() and len(text) <= _MOST_DIGITS):
            problems.append(f"{label}: enter a number such as 38.5, with a point.")
        elif whole and "." in text:
            problems.append(f"{label}: enter a whole number.")
        else:
            found[name] = float(text)
    return found, problems


def _entered(form: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    for name, (_, whole) in _FIELDS.items():
        text = form.get(name, "").strip()
        if text:
            yield name, text, whole
