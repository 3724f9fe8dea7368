"""What the service reads from a FHIR server gives the answer that the same prefetch gives."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds.config import Site
from cds.demo import patients
from cds.demo.drugs import ORDERS
from cds.demo.sign import order_sign
from cds.demo.story import Story, load
from cds.fhir_fetch import read_missing
from cds.hook_request import HookRequest, parse
from cds.pipeline import Evaluation, evaluate
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.live.fhir import Fhir, Json, new_id, updated


pytestmark = pytest.mark.live

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STORIES = load()
HOOK_INSTANCE = "00000000-0000-4000-8000-000000000001"
SECONDS = 20.0


def renamed(story: Story) -> Story:
    """The story of a patient that the server does not have yet."""
    return msgspec.structs.replace(story, id=new_id(story.id))


def request_of(story: Story, prefetch: Json) -> HookRequest:
    body = order_sign(story, ORDERS[story.order], now=NOW, hook_instance=HOOK_INSTANCE)
    return parse(json.dumps({**body, "prefetch": prefetch}).encode())


def loaded(fhir: Fhir, story: Story) -> Json:
    """The story put on the server; its prefetch, as that server would send it."""
    whose = (patients.patient(story, NOW), patients.encounter(story, NOW))
    done = fhir.transaction(*map(updated, (*whose, *patients.chart(story, NOW))))
    stored = {one["resource"]["id"]: one["resource"] for one in done["entry"]}

    def as_stored(value: Json) -> Json:
        if value["resourceType"] != "Bundle":
            return stored[value["id"]]
        entries = [
            {**one, "resource": as_stored(one["resource"])} for one in value.get("entry", ())
        ]
        return {**value, "entry": entries} if entries else value

    return {key: as_stored(value) for key, value in patients.prefetch(story, NOW).items()}


def evaluated(fhir: Fhir, request: HookRequest, library: Library, codes: CodeSets) -> Evaluation:
    site = Site(id="demo", fhir_base=fhir.base, protocol="us-label", zone=ZoneInfo("UTC"))
    return evaluate(request, site=site, library=library, codes=codes, now=NOW)


@pytest.mark.parametrize("name", STORIES)
def test_answer_from_the_server_is_the_answer_from_prefetch(
    fhir: Fhir, name: str, library: Library, codes: CodeSets
) -> None:
    story = renamed(STORIES[name])
    sent = request_of(story, loaded(fhir, story))
    bare = request_of(story, {})
    read = read_missing(bare, PREFETCH, base=fhir.base, token=None, seconds=SECONDS)
    assert read.failed == ()
    assert read.request.prefetch.keys() == PREFETCH.keys()
    expected = evaluated(fhir, sent, library, codes)
    assert evaluated(fhir, read.request, library, codes).response == expected.response
    assert evaluated(fhir, bare, library, codes).response != expected.response


def test_every_page_is_read(fhir: Fhir) -> None:
    story = renamed(STORIES["fever-only"])
    loaded(fhir, story)
    bare = request_of(story, {})
    whole = read_missing(bare, PREFETCH, base=fhir.base, token=None, seconds=SECONDS)
    third = len(vitals(whole.request)) // 3
    assert third > 1
    small = {"vitals": PREFETCH["vitals"].replace("_count=200", f"_count={third}")}
    paged = read_missing(bare, small, base=fhir.base, token=None, seconds=SECONDS)
    assert paged.failed == ()
    assert vitals(paged.request) == vitals(whole.request)


def vitals(request: HookRequest) -> set[str]:
    bundle = json.loads(bytes(request.prefetch["vitals"]))
    return {one["resource"]["id"] for one in bundle["entry"]}
