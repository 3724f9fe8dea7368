"""`btce-cds subscriptions create | check | renew | remove`, as far as the lines they print."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cds.clock import system_clock
from cds.config import ConfigError
from cds.demo.fhir import Quirks
from cds.store import open_store
from cds.store.cohort import Cohort
from cds.store.migrations import migrate
from cds.store.rows import Watched
from cds.subscriptions import Shape
from cds.subscriptions.commands import (
    Unfinished,
    check_subscriptions,
    create_subscriptions,
    remove_subscriptions,
    renew_subscriptions,
)
from tests.demo.fhir_sandbox import Client, Subscriber, served
from tests.unit.cds.backend.hospital import CLIENT, Reply, site_of
from tests.unit.cds.backend.hospital import hospital as hospital_with_tokens
from tests.unit.cds.subscriptions.ward import SECRET


PATIENTS = ("canary-patient-1", "canary-patient-2")
SITE = """
[sites.{name}]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "UTC"

[sites.{name}.backend]
auth = "none"

[sites.{name}.events]
secret_file = "secret"
"""


def configured(folder: Path, public_url: str, **bases: str) -> Path:
    """A configuration file with these sites, a migrated store, and two watched patients each."""
    (folder / "secret").write_text(SECRET)
    database = f"sqlite:///{folder / 'store.db'}"
    head = f'bind = "127.0.0.1:8080"\npublic_url = "{public_url}"\nauth = "off"\n'
    head += f'store = "{database}"\n'
    head += f'default_site = "{next(iter(bases))}"\n'
    text = head + "".join(SITE.format(name=name, base=base) for name, base in bases.items())
    config = folder / "btce.toml"
    config.write_text(text)
    migrate(database)
    now = system_clock()
    with closing(open_store(database)) as store:
        Cohort(store).watch(
            [
                Watched(
                    site=name,
                    patient=patient,
                    agent="teclistamab",
                    last_dose=now,
                    until=now + timedelta(days=45),
                    seen_at=now,
                )
                for name in bases
                for patient in PATIENTS
            ]
        )
    return config


def ran(lines: Iterator[str]) -> tuple[list[str], tuple[str, ...]]:
    """The lines, and what is left at the end."""
    said: list[str] = []
    try:
        for line in lines:
            said.append(line)
    except Unfinished as error:
        return said, error.problems
    return said, ()


@pytest.fixture
def hospital() -> Iterator[tuple[Client, str]]:
    """A server, and where notifications may be sent."""
    with served(clock=system_clock) as fhir, Subscriber() as subscriber:
        yield fhir, subscriber.url.removesuffix("/told")


def test_the_four_commands_from_the_first_to_the_last(
    hospital: tuple[Client, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fhir, url = hospital
    config = configured(tmp_path, url, north=fhir.base)
    shape = Shape()
    said = [
        ran(create_subscriptions(config, {}, site=None, shape=shape)),
        ran(create_subscriptions(config, {}, site="north", shape=shape)),
        ran(check_subscriptions(config, {}, site=None)),
        ran(renew_subscriptions(config, {}, site=None)),
        ran(remove_subscriptions(config, {}, site=None, strangers=False)),
        ran(check_subscriptions(config, {}, site=None)),
    ]
    assert said == [
        (["north: 9 created"], ()),
        (["north: nothing to do"], ()),
        (["north: 9 in order"], ()),
        (["north: 9 in order"], ()),
        (["north: 9 removed"], ()),
        (["north: nothing to do"], ()),
    ]
    assert fhir.ids("Subscription") == []
    assert SECRET not in caplog.text


def test_a_problem_is_a_line_without_a_patient_and_ends_unfinished(
    hospital: tuple[Client, str], tmp_path: Path
) -> None:
    fhir, url = hospital
    config = configured(tmp_path, url, north=fhir.base)
    ran(create_subscriptions(config, {}, site=None, shape=Shape()))
    for ref in fhir.ids("Subscription?_count=100")[:2]:
        fhir.ask("DELETE", ref)
    lines, problems = ran(check_subscriptions(config, {}, site=None))
    assert lines[-1] == "north: 7 in order, 2 not in order"
    assert [line.rpartition(": ")[2] for line in lines[:-1]] == [
        "is not at the server any more"
    ] * 2
    assert problems == ("north: 2 not in order",)
    lines, problems = ran(renew_subscriptions(config, {}, site=None))
    assert (lines[-1], problems) == ("north: 2 created, 7 in order", ())
    assert not [line for line in lines for word in (*PATIENTS, SECRET) if word in line]


def test_a_server_that_lists_no_subscription_is_said_in_one_sentence(tmp_path: Path) -> None:
    quirks = Quirks(left_out=frozenset({"Subscription"}))
    sentence = "north: the server lists no Subscription it would create; polling covers this site"
    with served(quirks=quirks) as fhir:
        config = configured(tmp_path, "http://127.0.0.1:9", north=fhir.base)
        create = create_subscriptions(config, {}, site=None, shape=Shape())
        assert ran(create) == ([], (sentence,))
        assert ran(check_subscriptions(config, {}, site=None)) == ([sentence], ())


def test_a_site_that_cannot_be_reached_stops_no_other(
    hospital: tuple[Client, str], tmp_path: Path
) -> None:
    fhir, url = hospital
    config = configured(tmp_path, url, north="http://127.0.0.1:9/fhir", south=fhir.base)
    lines, problems = ran(create_subscriptions(config, {}, site=None, shape=Shape()))
    assert lines == ["south: 9 created"]
    assert problems == ("north: the server cannot be reached",)


def test_strangers_are_named_and_removed_when_asked(
    hospital: tuple[Client, str], tmp_path: Path
) -> None:
    fhir, url = hospital
    config = configured(tmp_path, url, north=fhir.base)
    stranger = fhir.create(
        {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "x",
            "criteria": "Observation?",
            "channel": {"type": "rest-hook", "endpoint": f"{url}/events/north/old"},
        }
    )
    named = f"north: not of this store, removed with --strangers: {stranger['id']}"
    assert named in ran(check_subscriptions(config, {}, site=None))[0]
    assert named in ran(remove_subscriptions(config, {}, site=None, strangers=False))[0]
    assert len(fhir.ids("Subscription")) == 1
    ran(remove_subscriptions(config, {}, site=None, strangers=True))
    assert fhir.ids("Subscription") == []


def test_a_scope_that_does_not_cover_subscriptions_is_named(tmp_path: Path) -> None:
    served_here = {"type": "Subscription", "interaction": [{"code": "create"}]}
    statement = {"resourceType": "CapabilityStatement", "rest": [{"resource": [served_here]}]}
    outcome = {"resourceType": "OperationOutcome", "issue": []}
    with hospital_with_tokens() as server:
        server.granted["scope"] = "system/*.rs"
        server.fhir = lambda asked: (
            Reply(200, statement) if asked.path.endswith("metadata") else Reply(403, outcome)
        )
        config = configured(tmp_path, "http://127.0.0.1:9", north=server.base)
        site_of(server, tmp_path)  # writes the key
        (tmp_path / "secret").write_text(SECRET)
        backend = f'client_id = "{CLIENT}"\nkey_file = "key.json"'
        config.write_text(config.read_text().replace('auth = "none"', backend))
        lines, problems = ran(create_subscriptions(config, {}, site=None, shape=Shape()))
    assert lines[0] == "north: the token does not cover Subscription.cruds"
    assert lines[1].endswith("MedicationAdministration: the server does not allow it")
    assert problems == ("north: 1 not in order",)


def test_a_site_that_is_not_configured_is_bad_input(
    hospital: tuple[Client, str], tmp_path: Path
) -> None:
    fhir, url = hospital
    config = configured(tmp_path, url, north=fhir.base)
    with pytest.raises(ValueError, match="--site"):
        list(check_subscriptions(config, {}, site="nowhere"))
    with pytest.raises(ConfigError):
        list(check_subscriptions(tmp_path / "none.toml", {}, site=None))
