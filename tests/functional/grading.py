"""Filling in the grading form over a real FHIR server, for the tests of the grading screen."""

from collections.abc import Mapping

import requests
from flask import Blueprint
from werkzeug.test import TestResponse

from cds.smart.evaluating import assessed, record_of
from cds.smart.form.answers import read
from cds.smart.form.fields import Asked, sections
from cds.smart.form.stating import draft, statements
from cds.smart.pages import grade
from cds.smart.parts import Parts
from fhir_mapping.write import Charting
from knowledge.assessment import Assessment, Grade
from tests.beside import DOCTOR, PAGE, Room
from tests.builders import Json, patient, teclistamab
from tests.functional.page_seen import Page
from tests.unit.cds.worker.hospital import of


SUBMISSION = "5" * 32
ON_DRUG = [of(patient()), of(teclistamab())]
NO_SIGNS = {"seizure": "none", "motor": "none", "raised-icp": "none"}
AWAKE = {"arousal": "alert", **NO_SIGNS}
FIELDS = [
    field
    for section in sections(Asked(ice=True, capd=False, statements=True))
    for field in section.fields
]
MOST = {
    "ice-orientation": 4,
    "ice-naming": 3,
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 1,
}
CANNULA, BLOW_BY, HIGH_FLOW = "336623009", "425478008", "426854004"
MASK, VENTURI, NONREBREATHER = "336602003", "428285009", "427591007"
CPAP, BILEVEL, VENTILATOR, ROOM_AIR = "47545007", "1186618000", "1258985005", "722742002"
FEVER = {"temperature-cel": "39.5"}


def statements_page(smart: Blueprint, _: Parts) -> None:
    """In place of the page that shows what was stated."""

    @smart.get("/l/<launch>/statements", endpoint="statements")
    def shown(launch: str) -> str:
        return launch


PAGES = (grade.add_routes, statements_page)


def ice_of(total: int) -> dict[str, str]:
    """Items that make the total, in the order of the form."""
    left, items = total, {}
    for item, most in MOST.items():
        items[item] = str(min(most, left))
        left -= min(most, left)
    return items


def send(
    where: Room, to: str, answers: Mapping[str, str] | None = None, *, part: bool = False
) -> TestResponse:
    data = {
        "csrf": where.here.context.csrf,
        "submission": SUBMISSION,
        **(answers or {}),
    }
    headers = {"HX-Request": "true"} if part else {}
    return where.client.post(f"{PAGE}/{to}", data=data, headers=headers)


def preview(where: Room, answers: Mapping[str, str]) -> str:
    """The text of the result, as htmx asks for it."""
    response = send(where, "preview", answers, part=True)
    assert response.status_code == 200
    assert "<html" not in response.text
    return response.text


def headings(text: str) -> list[str]:
    return Page.of(text).text_of("h3")


def would_be(where: Room, answers: Mapping[str, str]) -> Assessment:
    """The assessment behind a preview of these answers."""
    here, deployment = where.here, where.parts.deployment
    filled = read({name: [value] for name, value in answers.items()}, FIELDS)
    assert filled.problems == ()
    record = record_of(here, deployment, where.parts.at_hand)
    stated = draft(statements(filled.answers, Charting("p1", DOCTOR, where.clock.now)))
    found = assessed(record, here, deployment, now=where.clock.now, stated=stated)
    return found.decision.assessment


def interval(found: Grade | None) -> tuple[int, int]:
    return (0, 4) if found is None else (found.at_least, found.at_most)


def charted(where: Room) -> list[Json]:
    """What is on the FHIR server by this user."""
    made: list[Json] = []
    for kind in ("Observation", "QuestionnaireResponse"):
        answer = requests.get(f"{where.base}/{kind}?patient=p1&_count=100", timeout=5).json()
        made += [entry["resource"] for entry in answer.get("entry", ())]
    mine = {"reference": DOCTOR}
    return [one for one in made if mine in one.get("performer", ()) or one.get("author") == mine]
