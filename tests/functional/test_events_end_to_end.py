"""Between two hook calls: a change at the hospital becomes a decision, with real processes.

Once on SQLite and once on PostgreSQL: a service, a worker, four sites and their FHIR servers, set
up by the commands an operator runs. What the grades must be is ASTCT 2019, and what is done about
them the label of teclistamab, in both of which CRS of grade 1 holds the next dose.
"""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from cds.demo.fhir import Quirks
from cds.demo.story import Story
from tests.live.events import (
    CLIENT_SECRET,
    SECRET,
    Deployment,
    Running,
    Setup,
    assessment,
    eventually,
)
from tests.live.fhir import Fhir, Json
from tests.live.hospital import (
    Hospital,
    TokenEndpoint,
    admitted,
    client,
    fever,
    hospital,
    hypoxia,
    taken_back,
    token_endpoint,
)


TOPIC = "http://btce-cds.org/fhir/SubscriptionTopic/observation-changed"
STAFF = "token-of-the-staff"
SITES = ("ward", "telling", "topic", "polled")
POLL_SECONDS = 10
BARE = ("patient", "administrations")  # what a hook brings that has no observations
# Of what is the same whatever the database is.
ON_ONE = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


class World(NamedTuple):
    """Everything that runs. By site: its server, a client of it, its patients."""

    deployment: Deployment
    service: Running
    worker: Running
    tokens: TokenEndpoint
    hospitals: dict[str, Hospital]
    fhir: dict[str, Fhir]
    stories: dict[str, list[Story]]
    said: dict[str, str]

    def regraded(self, site: str, code: str) -> int:
        """How often the worker logged this of a site."""
        lines = self.worker.lines("regraded")
        return sum((line["site"], line["code"]) == (site, code) for line in lines)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Set up as docs/events.md says."""
    folder: Path = tmp_path_factory.mktemp("events")
    store = f"sqlite:///{folder / 'store.db'}"
    if request.param == "postgresql":
        store = request.getfixturevalue("postgres_url_factory")()
    with ExitStack() as stack:
        tokens = stack.enter_context(token_endpoint())
        quirks = {"polled": Quirks(left_out=frozenset({"Subscription"}))}
        hospitals = {site: stack.enter_context(hospital(quirks=quirks.get(site))) for site in SITES}
        hospitals["topic"].tokens = tokens.tokens
        tokens.tokens.add(STAFF)
        fhir = {
            site: stack.enter_context(client(one.base, STAFF)) for site, one in hospitals.items()
        }
        stories = {site: [admitted(one) for _ in range(3)] for site, one in fhir.items()}
        deployment = Deployment(folder, store, _setups(hospitals, tokens))
        stack.callback(deployment.close)
        deployment.command("migrate")
        service = stack.enter_context(deployment.running("serve"))
        deployment.command("worker", "--once")
        with ThreadPoolExecutor(2) as pool:
            said = dict(pool.map(lambda site: (site, _created(deployment, site)), SITES))
        worker = stack.enter_context(deployment.running("worker"))
        yield World(deployment, service, worker, tokens, hospitals, fhir, stories, said)
        assert worker.end() == 0, worker.text()[-3000:]
        said_of = [story.id for some in stories.values() for story in some]
        for logged in (worker.text(), service.text()):
            assert not [word for word in (SECRET, CLIENT_SECRET, *said_of) if word in logged]


def _setups(hospitals: dict[str, Hospital], tokens: TokenEndpoint) -> list[Setup]:
    said = {
        "telling": {"events": 'poll_seconds = 86400\npause_seconds = 0\ntell = "flag"'},
        "polled": {"events": f"poll_seconds = {POLL_SECONDS}\npause_seconds = 0"},
        "topic": {
            "backend": 'auth = "client_secret_basic"\nclient_id = "btce"\n'
            f'secret_file = "client-secret"\ntoken_url = "{tokens.url}"\n'
            'scope = "system/*.rs system/Subscription.cruds"'
        },
    }
    return [Setup(site, one.base, **said.get(site, {})) for site, one in hospitals.items()]


def _created(deployment: Deployment, site: str) -> str:
    options = {
        "ward": ("--content", "empty"),
        "telling": ("--content", "full-resource"),
        "topic": tuple(
            f"--kind topic --topic {TOPIC} --content id-only --type Observation".split()
        ),
    }
    words = ("subscriptions", "create", "--site", site, *options.get(site, ()))
    return deployment.command(*words, status=1 if site == "polled" else 0)


def test_a_worker_that_ran_once_has_read_every_patient_of_every_site(world: World) -> None:
    for site, stories in world.stories.items():
        for story in stories:
            found = world.deployment.last(site, story.id)
            assert found is not None
            # Complete and normal: CRS 0, an ICE score of 10, nothing stands against the next dose.
            assert found["crs"]["grade"] == {"atLeast": 0, "atMost": 0}
            assert found["disposition"]["action"] == "no-toxicity"


def test_a_hook_a_fever_hypoxia_the_next_hook_and_everything_taken_back(world: World) -> None:
    at, fhir, story = world.deployment, world.fhir["ward"], world.stories["ward"][0]
    first = at.call(story)
    assert assessment(first)["disposition"]["action"] == "no-toxicity"
    assert [card["indicator"] for card in first["cards"]] in ([], ["info"])

    hot = fever(fhir, story)
    found = at.await_crs("ward", story.id, 1)
    assert found["disposition"]["action"] == "withhold"
    blue = hypoxia(fhir, story)
    found = at.await_crs("ward", story.id, 2)
    assert found["crs"]["event"]["maxGrade"]["atLeast"] == 2
    assert found["disposition"]["action"] == "withhold"

    held = at.call(story, *BARE)
    event = assessment(held)["crs"]["event"]
    assert event["from"] == "store"
    assert event["maxGrade"]["atLeast"] == 2
    assert assessment(held)["disposition"]["action"] == "withhold"
    assert held["cards"][0]["indicator"] in {"warning", "critical"}

    taken_back(fhir, [*hot, *blue])
    found = at.await_crs("ward", story.id, 0)
    eventually(
        lambda: "event" not in (at.last("ward", story.id) or {})["crs"],
        lambda: f"the event stays: {at.last('ward', story.id)}",
    )
    found = at.last("ward", story.id) or {}
    assert found["crs"]["grade"] == {"atLeast": 0, "atMost": 0}
    assert found["disposition"]["action"] == "no-toxicity"
    after = at.call(story, *BARE)
    assert "event" not in assessment(after)["crs"]
    assert assessment(after)["disposition"]["action"] != "withhold"


@ON_ONE
def test_a_fever_that_is_taken_back_leaves_no_event_although_hypoxia_stays(world: World) -> None:
    at, fhir, story = world.deployment, world.fhir["ward"], world.stories["ward"][1]
    hot = fever(fhir, story)
    at.await_crs("ward", story.id, 1)
    hypoxia(fhir, story)
    at.await_crs("ward", story.id, 2)
    taken_back(fhir, hot)
    # ASTCT 2019: no CRS without fever, unless antipyretics or anticytokines hide it.
    found = at.await_crs("ward", story.id, 0)
    assert "event" not in found["crs"]


@pytest.mark.parametrize("site", ["telling", "topic"])
def test_a_notification_with_content_is_as_good_as_an_empty_one(world: World, site: str) -> None:
    at, fhir, story = world.deployment, world.fhir[site], world.stories[site][1]
    before = at.count(site, story.id)
    hot = fever(fhir, story)
    at.await_crs(site, story.id, 1)
    taken_back(fhir, hot)
    at.await_crs(site, story.id, 0)
    assert at.count(site, story.id) == before + 2
    kinds = {(one.kind, one.content) for one in at.subscriptions(site)}
    assert kinds == {("topic", "id-only") if site == "topic" else ("rest-hook", "full-resource")}


@ON_ONE
def test_a_site_whose_server_has_no_subscription_is_polled(world: World) -> None:
    at, fhir, story = world.deployment, world.fhir["polled"], world.stories["polled"][0]
    assert "lists no Subscription" in world.said["polled"]
    assert at.subscriptions("polled") == ()
    fever(fhir, story)
    at.await_crs("polled", story.id, 1)


def test_a_first_dose_makes_a_patient_watched_without_a_poll(world: World) -> None:
    story = admitted(world.fhir["ward"])
    found = world.deployment.await_crs("ward", story.id, 0)
    assert found["agent"]["ingredient"] == "teclistamab"


@ON_ONE
def test_with_consent_one_flag_is_written_changed_in_place_and_ended(world: World) -> None:
    at, fhir, story = world.deployment, world.fhir["telling"], world.stories["telling"][0]
    flags = f"Flag?patient={story.id}"
    hot = fever(fhir, story)
    at.await_crs("telling", story.id, 1)
    eventually(lambda: fhir.ids(flags), "no flag")
    (first,) = _flags(fhir, story)
    assert first["status"] == "active"
    assert "not clinically reviewed" in first["code"]["text"].lower()
    hypoxia(fhir, story)
    at.await_crs("telling", story.id, 2)
    eventually(lambda: _flags(fhir, story)[0]["code"] != first["code"], "the flag stays as it was")
    (second,) = _flags(fhir, story)
    assert (second["id"], second["status"]) == (first["id"], "active")
    taken_back(fhir, hot)
    at.await_crs("telling", story.id, 0)
    eventually(lambda: _flags(fhir, story)[0]["status"] == "inactive", "the flag is not ended")
    (last,) = _flags(fhir, story)
    assert last["id"] == first["id"]
    assert "end" in last["period"]


@ON_ONE
def test_without_consent_nothing_is_written(world: World) -> None:
    at, story = world.deployment, world.stories["ward"][2]
    fever(world.fhir["ward"], story)
    at.await_crs("ward", story.id, 1)
    for site in ("ward", "topic", "polled"):
        for kind in ("Flag", "Communication"):
            assert world.fhir[site].ids(kind) == [], (site, kind)


def test_a_server_that_is_down_is_read_when_it_is_back(world: World) -> None:
    at, site = world.deployment, "telling"
    story = world.stories[site][2]
    hot = fever(world.fhir[site], story)
    at.await_crs(site, story.id, 1)
    before = world.regraded(site, "again")
    world.hospitals[site].stop()
    (one, *_) = [row for row in at.subscriptions(site) if row.patient == story.id]
    assert at.notify(site, one.id) == 200
    eventually(lambda: world.regraded(site, "again") > before, "nobody tried to read")
    assert at.crs(site, story.id) == 1
    assert at.waiting() > 0
    world.hospitals[site].start()
    taken_back(world.fhir[site], hot)
    at.await_crs(site, story.id, 0)


@ON_ONE
def test_a_token_that_is_refused_is_replaced_and_until_then_nothing_is_concluded(
    world: World,
) -> None:
    at, site, tokens = world.deployment, "topic", world.tokens
    story = world.stories[site][2]
    before = world.regraded(site, "again")
    tokens.refuses = True
    tokens.tokens.intersection_update({STAFF})
    fever(world.fhir[site], story)
    eventually(lambda: world.regraded(site, "again") > before, "nobody tried to read")
    assert at.crs(site, story.id) == 0
    tokens.refuses = False
    at.await_crs(site, story.id, 1)
    log = world.worker.text() + world.service.text()
    assert not [token for token in tokens.tokens if token in log]


@ON_ONE
def test_a_stranger_in_the_answer_to_a_search_is_no_decision_but_a_security_event(
    world: World,
) -> None:
    at, site = world.deployment, "ward"
    story, other = world.stories[site][0], world.stories[site][2]
    before = at.count(site, story.id), at.last(site, story.id)

    def alter(path: str, body: Json) -> None:
        if path == "Observation":
            stranger = {
                "resourceType": "Observation",
                "id": "stranger",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
                "subject": {"reference": f"Patient/{other.id}"},
            }
            body.setdefault("entry", []).append({"resource": stranger})

    count = world.regraded(site, "another-patient")
    world.hospitals[site].alter = alter
    try:
        fever(world.fhir[site], story)
        eventually(lambda: world.regraded(site, "another-patient") > count, "nothing was logged")
    finally:
        world.hospitals[site].alter = None
    assert (at.count(site, story.id), at.last(site, story.id)) == before
    lines = world.worker.lines("regraded")
    assert {line["level"] for line in lines if line["code"] == "another-patient"} == {"warning"}
    text = world.worker.text()
    assert "stranger" not in text
    assert story.id not in text
    assert other.id not in text


def test_all_that_was_stored_can_be_made_again_and_a_changed_cell_is_found(
    world: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    at = world.deployment
    said = at.command("audit", "recompute")
    decisions, _, verdicts = said.splitlines()[-1].partition(" decisions: ")
    assert verdicts == f"{decisions} same"
    assert int(decisions.replace(",", "")) >= 3 * len(SITES)
    heads = at.command("audit", "verify").splitlines()
    assert [head.split(":")[0] for head in heads] == sorted(SITES)

    at.here("store", "backup", str(tmp_path / "copy"))
    url = f"sqlite:///{tmp_path / 'restored.db'}"
    if at.store.startswith("postgresql"):
        url = request.getfixturevalue("postgres_url_factory")()
    copy = Deployment(tmp_path / "other", url, [Setup("ward", world.hospitals["ward"].base)])
    copy.here("store", "restore", str(tmp_path / "copy"))
    noted = [word for head in heads for word in ("--noted", head)]
    assert copy.here("audit", "verify", *noted).splitlines() == heads
    _change_one_cell(url)
    told = copy.here("audit", "verify", *noted, status=1)
    assert "decision" in told


def _change_one_cell(url: str) -> None:
    change = "UPDATE decisions SET mode = 'silent' WHERE id = (SELECT min(id) FROM decisions)"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            with pytest.raises(sqlite3.DatabaseError):
                file.execute(change)
            for (name,) in file.execute(triggers).fetchall():
                file.execute(f"DROP TRIGGER {name}")
            assert file.execute(change).rowcount == 1
            file.commit()
        return
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as database:
        with pytest.raises(psycopg.DatabaseError):
            database.execute(change)
        database.execute("ALTER TABLE decisions DISABLE TRIGGER USER")
        assert database.execute(change).rowcount == 1


def _flags(fhir: Fhir, story: Story) -> list[Json]:
    return [one["resource"] for one in fhir.get(f"Flag?patient={story.id}").get("entry", ())]
