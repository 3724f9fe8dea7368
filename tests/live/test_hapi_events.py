"""An Observation posted to HAPI FHIR changes the stored decision, with every process a real one.

HAPI notifies the service over HTTP, and the worker reads the patient from HAPI again. What the
grades must be is ASTCT 2019; CRS of grade 1 holds the next dose by the label of teclistamab.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from cds.demo.story import Story
from tests.live.events import (
    Deployment,
    Setup,
    assessment,
    crs,
    eventually,
)
from tests.live.fhir import Fhir, Json
from tests.live.hospital import (
    admitted,
    fever,
    hypoxia,
    taken_back,
)
from tests.live.test_hapi_hooks import TOPIC, topic


pytestmark = pytest.mark.live

SITE = "hapi"
BY_TOPIC = ("--kind", "topic", "--topic", TOPIC, "--type", "Observation")
SHAPES = {
    "rest-hook without payload": ("--content", "empty"),
    "rest-hook with the resource": ("--content", "full-resource"),
    "topic, id only": (*BY_TOPIC, "--content", "id-only"),
    "topic, with the resource": (*BY_TOPIC, "--content", "full-resource"),
}


class Ward(NamedTuple):
    """What runs, and one patient on the server."""

    at: Deployment
    story: Story

    def settled(self) -> Json:
        """The newest decision, once nobody waits to be read."""
        eventually(lambda: self.at.waiting() == 0, "the worker does not finish")
        found = self.at.last(SITE, self.story.id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def ward(fhir: Fhir, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A service and a worker that has read the patient; in the end everything is made again."""
    folder = tmp_path_factory.mktemp("hapi-events")
    story = admitted(fhir)
    events = 'poll_seconds = 86400\npause_seconds = 0\ntell = "flag"'
    with ExitStack() as stack:
        at = Deployment(
            folder, f"sqlite:///{folder / 'store.db'}", [Setup(SITE, fhir.base, events)]
        )
        stack.callback(at.close)
        at.command("migrate")
        stack.enter_context(at.running("serve"))
        worker = stack.enter_context(at.running("worker"))
        assert at.await_crs(SITE, story.id, 0)["disposition"]["action"] == "no-toxicity"
        yield Ward(at, story)
        assert worker.end() == 0
        decisions, _, verdicts = (
            at.command("audit", "recompute").splitlines()[-1].partition(" decisions: ")
        )
        assert verdicts == f"{decisions} same"
        assert at.command("audit", "verify").startswith(f"{SITE}:")


@pytest.fixture
def subscribed(ward: Ward, fhir: Fhir, request: pytest.FixtureRequest) -> Iterator[Ward]:
    """With subscriptions of one shape, which the server has made active; removed afterwards."""
    options = SHAPES[request.param]
    if "--topic" in options:
        fhir.put(topic())
    ward.at.here("subscriptions", "create", *options)
    rows = ward.at.subscriptions(SITE)
    assert rows
    eventually(
        lambda: all(fhir.get(f"Subscription/{row.remote}")["status"] == "active" for row in rows),
        "the subscriptions do not become active",
    )
    yield ward
    ward.at.here("subscriptions", "remove")


@pytest.mark.parametrize("subscribed", SHAPES, indirect=True)
def test_a_fever_becomes_a_decision_and_so_does_its_correction(
    subscribed: Ward, fhir: Fhir
) -> None:
    at, story = subscribed.at, subscribed.story
    assert crs(subscribed.settled()) == 0
    hot = fever(fhir, story)
    found = at.await_crs(SITE, story.id, 1)
    assert found["disposition"]["action"] == "withhold"
    taken_back(fhir, hot)
    found = at.await_crs(SITE, story.id, 0)
    assert "event" not in found["crs"]
    assert found["disposition"]["action"] == "no-toxicity"


@pytest.mark.parametrize("subscribed", list(SHAPES)[:1], indirect=True)
def test_the_next_hook_shows_the_event_and_the_flag_follows_it(
    subscribed: Ward, fhir: Fhir
) -> None:
    at, story = subscribed.at, subscribed.story
    flags = f"Flag?patient={story.id}"
    assert assessment(at.call(story))["disposition"]["action"] == "no-toxicity"
    before = set(fhir.ids(flags))
    hot = fever(fhir, story)
    at.await_crs(SITE, story.id, 1)
    blue = hypoxia(fhir, story)
    at.await_crs(SITE, story.id, 2)

    held = at.call(story, "patient", "administrations")
    assert assessment(held)["crs"]["event"]["from"] == "store"
    assert assessment(held)["disposition"]["action"] == "withhold"
    assert held["cards"][0]["indicator"] in {"warning", "critical"}

    eventually(lambda: set(fhir.ids(flags)) - before, "no flag")
    (flag,) = set(fhir.ids(flags)) - before
    assert fhir.get(f"Flag/{flag}")["status"] == "active"
    taken_back(fhir, [*hot, *blue])
    at.await_crs(SITE, story.id, 0)
    eventually(lambda: fhir.get(f"Flag/{flag}")["status"] == "inactive", "the flag is not ended")
    assert set(fhir.ids(flags)) - before == {flag}
    after = assessment(at.call(story, "patient", "administrations"))
    assert "event" not in after["crs"]
    assert after["disposition"]["action"] != "withhold"
