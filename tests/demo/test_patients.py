"""The synthetic patients: valid FHIR R4, one patient each, and nothing dated in the future."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds.demo import chart_text
from cds.demo.drugs import ORDERS
from cds.demo.patients import chart, patient, prefetch
from cds.demo.sign import order_sign
from cds.demo.story import Story, load
from cds.services import PREFETCH


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STORIES = load()
KEYS = set(PREFETCH)
COUNT = re.compile(r"_count=(\d+)")


def body(story: Story) -> dict[str, Any]:
    """The request of the story's usual order."""
    return order_sign(story, ORDERS[story.order], now=NOW, hook_instance="demo")


def resources(value: Any) -> Iterator[dict[str, Any]]:
    """Every outermost resource of a request."""
    if isinstance(value, dict) and "resourceType" in value:
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from resources(member)


every_story = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())


def test_there_are_twelve_stories_in_page_order() -> None:
    assert [story.position for story in STORIES.values()] == list(range(1, 13))


@every_story
def test_story_is_one_sentence(story: Story) -> None:
    assert story.story.endswith(".")
    assert ". " not in story.story


@every_story
def test_request_is_json_with_every_prefetch_key(story: Story) -> None:
    request = json.loads(json.dumps(body(story), allow_nan=False))
    assert set(request["prefetch"]) == KEYS
    assert request["hook"] == "order-sign"
    assert request["context"]["patientId"] == story.id


@every_story
def test_resources_are_valid_fhir(story: Story) -> None:
    request = body(story)
    found = [*resources(request["context"]), *resources(request["prefetch"])]
    assert len(found) == len(KEYS) + 1
    for resource in found:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@every_story
def test_every_resource_belongs_to_the_one_patient(story: Story) -> None:
    for resource in chart(story, NOW):
        assert resource["subject"] == {"reference": f"Patient/{story.id}"}


@every_story
def test_ids_are_unique_fhir_ids(story: Story) -> None:
    ids = [resource["id"] for resource in chart(story, NOW)]
    assert len(ids) == len(set(ids))
    assert max(len(name) for name in ids) <= 64


@every_story
def test_nothing_is_charted_in_the_future_and_newest_is_first(story: Story) -> None:
    for key, answer in prefetch(story, NOW).items():
        times = [
            entry["resource"].get("effectiveDateTime")
            or entry["resource"].get("effectivePeriod", {}).get("start")
            for entry in answer.get("entry", [])
            if key not in {"encounter", "conditions"}
        ]
        assert times == sorted(times, reverse=True), key
        assert all(datetime.fromisoformat(time) <= NOW for time in times)


@every_story
def test_no_page_is_longer_than_the_service_asked_for(story: Story) -> None:
    for key, answer in prefetch(story, NOW).items():
        asked = COUNT.search(PREFETCH[key])
        if asked is not None:
            assert answer["total"] == len(answer.get("entry", [])) <= int(asked[1]), key


@every_story
def test_chart_is_readable(story: Story) -> None:
    lines = chart_text.lines(story)
    assert len(lines) == len(story.chart)
    assert all(when and text for when, text in lines)


def test_age_on_the_page_is_the_age_in_the_record() -> None:
    for story in STORIES.values():
        born = datetime.fromisoformat(patient(story, NOW)["birthDate"]).replace(tzinfo=UTC)
        assert story.age == (NOW - born) // timedelta(days=365.2425)


def test_same_time_gives_the_same_request() -> None:
    story = STORIES["two-vasopressors"]
    assert body(story) == body(story)
