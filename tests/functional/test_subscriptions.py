"""Subscriptions made, checked, put right and removed at a FHIR server, with a real store.

FHIR R4 Subscription; Subscriptions R5 Backport 1.1: "Recovering from Errors", `$status`, `$events`.
The server is the sandbox; where it must misbehave it is told to. Not clinically reviewed.
"""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds.demo.fhir import Quirks
from cds.demo.fhir.errors import FhirError
from cds.store import StoreDown
from cds.store.rows import SubscriptionRow
from cds.store.subscribed import Subscribed
from cds.subscriptions import Shape, keep, manage, repair, server
from tests.demo.fhir_sandbox import Client, Subscriber, observation, patient, served, until
from tests.unit.cds.subscriptions.ward import NOW, SECRET, TOPICAL, Ward, done, problems, ward


R4 = Shape()
Parts = tuple[Ward, Client, Subscriber]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """A site with two watched patients, its server, and who listens at our address."""
    with served() as fhir, Subscriber() as subscriber:
        url = subscriber.url.removesuffix("/told")
        with ward(fhir.base, tmp_path, url) as made:
            for one in ("p1", "p2"):
                fhir.put(patient(one))
            made.watch("p1", "p2")
            yield made, fhir, subscriber


def remote(fhir: Client) -> list[dict[str, Any]]:
    """Every Subscription at the server."""
    found = fhir.bundle("Subscription?_count=100").get("entry", [])
    return [one["resource"] for one in found]


def change(fhir: Client, row: SubscriptionRow, **members: Any) -> None:
    """Somebody else, or the server itself, changes it there."""
    there = fhir.get(f"Subscription/{row.remote}").json()
    fhir.store.load([{**there, **members}], now=NOW)


def active(fhir: Client, count: int) -> None:
    """Wait until the server has taken them up."""
    until(lambda: [one["status"] for one in remote(fhir)] == ["active"] * count)


def test_the_cohort_gets_four_each_and_one_for_patients_not_known_yet(parts: Parts) -> None:
    made, fhir, _ = parts
    assert done(manage.create(made.at(), R4)) == ["created"] * 9
    criteria = sorted(one["criteria"] for one in remote(fhir))
    assert criteria == sorted(
        [
            "MedicationAdministration?",
            *(
                f"{kind}?patient=Patient/{one}"
                for kind in ("Observation", "MedicationAdministration", "Condition", "Procedure")
                for one in ("p1", "p2")
            ),
        ]
    )
    ids = {row.id: row.remote for row in made.kept()}
    for one in remote(fhir):
        ours = one["channel"]["endpoint"].rpartition("/")[2]
        assert ids[ours] == one["id"]
        assert one["channel"]["header"] == [f"Authorization: Bearer {SECRET}"]
        assert "/events/north/" in one["channel"]["endpoint"]
        assert "payload" not in one["channel"]


@pytest.mark.parametrize("shape", [R4, Shape(content="full-resource"), TOPICAL])
def test_a_second_run_of_anything_changes_nothing(parts: Parts, shape: Shape) -> None:
    made, fhir, _ = parts
    first = list(manage.create(made.at(), shape))
    active(fhir, len(first))
    list(manage.renew(made.at()))  # takes note of `active`
    kept, there = made.kept(), remote(fhir)
    assert list(manage.create(made.at(), shape)) == []
    assert problems(manage.check(made.at())) == []
    assert set(done(manage.renew(made.at()))) == {"nothing"}
    assert set(done(keep(made.at()))) == {"nothing"}
    assert (made.kept(), remote(fhir), made.put()) == (kept, there, [])


def test_a_change_arrives_at_the_address_with_the_secret(parts: Parts) -> None:
    made, fhir, subscriber = parts
    list(manage.create(made.at(), R4))
    active(fhir, 9)
    fhir.create(observation("o1", of="Patient/p2"))
    heard = subscriber.wait_for(1)[0]
    row = next(one for one in made.kept() if one.criteria == "Observation?patient=Patient/p2")
    assert (heard.method, heard.path, heard.body) == ("POST", f"/events/north/{row.id}", b"")
    assert heard.headers["authorization"] == f"Bearer {SECRET}"


def test_a_topic_notification_arrives_with_its_number(parts: Parts) -> None:
    made, fhir, subscriber = parts
    assert done(manage.create(made.at(), TOPICAL)) == ["created"] * 2
    active(fhir, 2)
    fhir.create(observation("o1", of="Patient/p1"))
    heard = subscriber.wait_for(3)[-1]
    assert json.loads(heard.body)["type"] == "history"


def test_a_run_that_was_killed_is_finished_by_the_next(parts: Parts) -> None:
    """The process dies after the server has created, before the store has the server's id."""
    made, fhir, _ = parts

    class Dying(Subscribed):
        def change(self, row: SubscriptionRow) -> bool:
            raise StoreDown("gone")

    with pytest.raises(StoreDown):
        list(manage.create(made.at(rows=Dying(made.store)), R4))
    assert len(remote(fhir)) == 1
    assert problems(manage.check(made.at())) == ["not-created"]
    outcomes = list(manage.create(made.at(), R4))
    assert done(outcomes) == ["adopted"] + ["created"] * 8
    assert len(remote(fhir)) == 9
    assert {one["id"] for one in remote(fhir)} == {row.remote for row in made.kept()}


def test_a_store_that_lost_everything_finds_its_subscriptions_again(
    parts: Parts, tmp_path: Path
) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    (tmp_path / "new").mkdir()
    with ward(fhir.base, tmp_path / "new", made.site.events.url) as other:  # type: ignore[union-attr]
        other.watch("p1", "p2")
        list(manage.create(other.at(), R4))
        assert {row.remote for row in other.kept()} == {row.remote for row in made.kept()}
    assert len(remote(fhir)) == 9


def test_what_the_server_lost_is_created_anew_after_its_patient_is_to_be_read(
    parts: Parts,
) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    lost = next(row for row in made.kept() if row.patient == "p1")
    fhir.ask("DELETE", f"Subscription/{lost.remote}")
    assert problems(manage.check(made.at())) == ["missing"]
    order: list[int] = []
    made.inbox.before_put = lambda _: order.append(len(remote(fhir)))
    assert done(manage.renew(made.at())) == ["created"] + ["nothing"] * 8
    assert order == [8], "the wake-up came first"
    assert made.put() == [(lost.id, "p1", "")]
    assert problems(manage.check(made.at())) == []
    assert len(remote(fhir)) == 9


@pytest.mark.parametrize("status", ["error", "off"])
def test_a_failed_one_is_asked_for_again_only_after_its_patient_is_to_be_read(
    parts: Parts, status: str
) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    active(fhir, 9)
    row = next(row for row in made.kept() if row.patient == "p2")
    change(fhir, row, status=status)
    assert problems(manage.check(made.at())) == [status]
    seen: list[str] = []

    def look(_: object) -> None:
        seen.append(fhir.get(f"Subscription/{row.remote}").json()["status"])

    made.inbox.before_put = look
    assert done(manage.renew(made.at())) == ["nothing"] * 8 + ["reactivated"]
    assert seen == [status]
    assert made.put() == [(row.id, "p2", "")]
    active(fhir, 9)


def test_while_the_inbox_cannot_keep_a_wake_up_nothing_is_asked_for_again(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    active(fhir, 9)
    row = made.kept()[-1]
    change(fhir, row, status="error")

    def broken(_: object) -> None:
        raise StoreDown("full")

    made.inbox.before_put = broken
    with pytest.raises(StoreDown):
        list(manage.renew(made.at()))
    assert fhir.get(f"Subscription/{row.remote}").json()["status"] == "error"


def test_the_one_for_new_patients_wakes_everybody_who_is_watched(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    row = next(row for row in made.kept() if not row.patient)
    change(fhir, row, status="off")
    list(manage.renew(made.at()))
    assert made.put() == [(row.id, "", "")]


def test_it_is_renewed_before_its_end_and_stays_active(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    active(fhir, 9)
    later = NOW + timedelta(days=12)
    assert problems(manage.check(made.at(later))) == ["ends-soon"] * 9
    assert done(manage.renew(made.at(later))) == ["renewed"] * 9
    active(fhir, 9)
    assert {datetime.fromisoformat(one["end"]) for one in remote(fhir)} == {
        later + timedelta(days=14)
    }
    assert problems(manage.check(made.at(later))) == []
    assert made.put() == []


def test_one_that_ended_is_asked_for_again(parts: Parts) -> None:
    made, _, _ = parts
    made.watch("p1", "p2", until=NOW + timedelta(days=99))
    list(manage.create(made.at(), R4))
    later = NOW + timedelta(days=20)
    assert set(problems(manage.check(made.at(later)))) == {"ended"}
    assert set(done(manage.renew(made.at(later)))) == {"reactivated"}
    assert len(made.put()) == 9


def test_a_new_secret_is_sent_to_the_server(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    assert made.site.events is not None
    made.site.events.secret_file.write_text("another-secret-of-32-characters-now")
    assert problems(manage.check(made.at())) == ["changed"] * 9
    assert done(manage.renew(made.at())) == ["reactivated"] * 9
    assert {one["channel"]["header"][0] for one in remote(fhir)} == {
        "Authorization: Bearer another-secret-of-32-characters-now"
    }
    assert problems(manage.check(made.at())) == []


def test_what_somebody_changed_is_put_back(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    active(fhir, 9)
    change(fhir, made.kept()[3], criteria="Observation?patient=Patient/other")
    assert problems(manage.check(made.at())) == ["changed"]
    list(manage.renew(made.at()))
    assert problems(manage.check(made.at())) == []


def test_one_the_server_does_not_take_up_is_named_and_asked_for_again(parts: Parts) -> None:
    made, fhir, subscriber = parts
    answer = threading.Event()
    subscriber.status = lambda _: 200 if answer.wait(20) else 500  # the handshake hangs
    list(manage.create(made.at(), TOPICAL))
    assert {one["status"] for one in remote(fhir)} == {"requested"}
    assert problems(keep(made.at(NOW + timedelta(minutes=9)))) == []
    later = NOW + timedelta(minutes=11)
    assert problems(manage.check(made.at(later))) == ["requested"] * 2
    assert done(manage.renew(made.at(later))) == ["reactivated"] * 2
    assert {patient for _, patient, _ in made.put()} == {"p1", "p2"}
    assert problems(manage.check(made.at(later))) == []
    answer.set()
    active(fhir, 2)


def test_one_that_refused_the_handshake_is_in_error_until_it_takes_it(parts: Parts) -> None:
    made, fhir, subscriber = parts
    subscriber.status = lambda _: 500
    list(manage.create(made.at(), TOPICAL))
    until(lambda: {one["status"] for one in remote(fhir)} == {"error"})
    assert problems(manage.check(made.at())) == ["error"] * 2
    subscriber.status = lambda _: 200
    assert done(manage.renew(made.at())) == ["reactivated"] * 2
    active(fhir, 2)


def test_who_is_not_watched_any_more_is_not_followed_any_more(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    later = NOW + timedelta(days=46)
    made.watch("p1", until=NOW + timedelta(days=90))
    assert problems(manage.check(made.at(later))).count("unwatched") == 4
    assert done(manage.renew(made.at(later))).count("removed") == 4
    assert {row.patient for row in made.kept()} == {"", "p1"}
    assert len(remote(fhir)) == 5


def test_the_worker_creates_for_new_patients_what_the_others_have(parts: Parts) -> None:
    made, fhir, _ = parts
    assert keep(made.at()) == (), "nobody created any: this site is polled"
    list(manage.create(made.at(), TOPICAL))
    fhir.put(patient("p3"))
    made.watch("p3")
    assert done(keep(made.at())) == ["created", "nothing", "nothing"]
    assert {(row.kind, row.content) for row in made.kept()} == {("topic", "id-only")}


def test_what_is_removed_is_gone_here_and_there(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    assert done(manage.remove(made.at())) == ["removed"] * 9
    assert (remote(fhir), made.kept()) == ([], ())
    assert list(manage.remove(made.at())) == []


def test_a_removal_that_was_killed_is_finished_by_the_next(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))

    class Dying(Subscribed):
        def remove(self, which: str) -> bool:
            raise StoreDown("gone")

    with pytest.raises(StoreDown):
        list(manage.remove(made.at(rows=Dying(made.store))))
    assert len(remote(fhir)) == 8
    assert done(manage.remove(made.at())) == ["removed"] * 9
    assert (remote(fhir), made.kept()) == ([], ())


def test_one_begun_but_not_known_to_be_created_is_removed_too(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    for row in made.kept():
        made.rows.change(msgspec.structs.replace(row, remote=""))
    list(manage.remove(made.at()))
    assert (remote(fhir), made.kept()) == ([], ())


def test_strangers_are_listed_and_removed_only_when_asked(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), R4))
    own = remote(fhir)[0]
    base = own["channel"]["endpoint"].rpartition("/")[0]
    stranger = {key: own[key] for key in ("resourceType", "reason", "criteria")}
    for endpoint in (f"{base}/forgotten", "http://127.0.0.1:9/another-system"):
        channel = {"type": "rest-hook", "endpoint": endpoint}
        fhir.create({**stranger, "status": "requested", "channel": channel})
    found = manage.strangers(made.at())
    assert len(found.found) == 1
    assert found.complete
    assert done(manage.renew(made.at())).count("removed") == 0
    assert len(remote(fhir)) == 11
    assert done(manage.remove_strangers(made.at(), found)) == ["removed"]
    assert manage.strangers(made.at()).found == ()
    assert len(remote(fhir)) == 10


def test_a_server_without_subscriptions_says_so(tmp_path: Path) -> None:
    left_out = Quirks(left_out=frozenset({"Subscription"}))
    with served(quirks=left_out) as fhir, ward(fhir.base, tmp_path) as made:
        assert not server.serves(made.client)
    with served() as fhir, ward(fhir.base, tmp_path) as made:
        assert server.serves(made.client)


def test_a_lost_event_is_caught_up_for_its_patient_once(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), TOPICAL))
    active(fhir, 2)
    row = next(one for one in made.kept() if one.patient == "p1")
    gap = {"last_event": 5, "gap_from": 3, "missing": "3-4", "gap_at": NOW}
    made.rows.heard(row.id, lambda one: msgspec.structs.replace(one, **gap))
    assert problems(manage.check(made.at())) == [], "it may still be on its way"
    later = NOW + timedelta(seconds=40)
    assert problems(manage.check(made.at(later))) == ["gap"]
    assert done(manage.renew(made.at(later))) == ["caught-up", "nothing"]
    kept = made.rows.get(row.id)
    assert kept is not None
    assert (kept.last_event, kept.gap_from, kept.missing) == (5, None, "")
    assert made.put() == [(row.id, "p1", "")]
    assert problems(manage.check(made.at(later))) == []


def test_events_the_server_counts_and_nobody_received_are_caught_up(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), TOPICAL))
    active(fhir, 2)
    for name in ("o1", "o2"):
        fhir.create(observation(name, of="Patient/p2"))
    later = NOW + timedelta(minutes=2)
    assert problems(manage.check(made.at(later))) == ["undelivered"]
    assert done(manage.renew(made.at(later))) == ["caught-up", "nothing"]
    row = next(one for one in made.kept() if one.patient == "p2")
    assert (row.last_event, made.put()) == (2, [(row.id, "p2", "")])
    assert problems(manage.check(made.at(later))) == []


def test_of_the_whole_site_the_lost_events_themselves_are_asked_for(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), TOPICAL))
    active(fhir, 2)
    row = next(one for one in made.kept() if one.patient == "p1")
    fhir.create(observation("o1", of="Patient/p1"))
    fhir.create(observation("o2", of="Patient/p1"))
    sent = fhir.ids("Observation?patient=p1&_sort=_lastUpdated")
    whole = msgspec.structs.replace(row, patient="")
    made.rows.change(whole)
    later = NOW + timedelta(minutes=2)
    seen = repair.look(made.at(later), made.rows.get(row.id) or whole)
    assert seen.problem == "undelivered"
    repair.repair(made.at(later), seen)
    assert sorted(made.put()) == sorted((row.id, "", ref) for ref in sent)


def test_silence_longer_than_the_heartbeat_is_caught_up_once_a_heartbeat(parts: Parts) -> None:
    made, fhir, _ = parts
    list(manage.create(made.at(), TOPICAL))
    active(fhir, 2)
    later = NOW + timedelta(seconds=331)
    assert problems(manage.check(made.at(later))) == ["silent"] * 2
    assert done(manage.renew(made.at(later))) == ["caught-up"] * 2
    assert len(made.put()) == 2
    assert problems(manage.check(made.at(later + timedelta(seconds=300)))) == []


def test_a_type_the_topic_is_not_about_is_named_and_the_others_are_created(parts: Parts) -> None:
    made, fhir, _ = parts
    shape = msgspec.structs.replace(TOPICAL, types=("Observation", "Condition"))
    outcomes = list(manage.create(made.at(), shape))
    assert done(outcomes) == ["created", "created", "failed", "failed"]
    assert {one.kind for one in outcomes if one.done == "failed"} == {"rejected"}
    active(fhir, 2)
    assert problems(manage.check(made.at())) == ["not-created"] * 2


@pytest.mark.parametrize(("status", "kind"), [(403, "not-authorised"), (429, "too-many-requests")])
def test_a_server_that_refuses_everything_is_asked_once(
    status: int, kind: str, tmp_path: Path
) -> None:
    def authorize(*_: Any, **__: Any) -> None:
        raise FhirError(status, "forbidden", "not for you")

    with served(authorize=authorize) as fhir, ward(fhir.base, tmp_path) as made:
        made.watch("p1", "p2")
        outcomes = list(manage.create(made.at(), R4))
        assert [(one.done, one.kind) for one in outcomes] == [("failed", kind)]
        assert [one.kind for one in manage.check(made.at())] == [None]
