"""Bundles posted to the base: whole or not at all, links resolved, entries answered in place.

http://hl7.org/fhir/R4/http.html#transaction.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demo.fhir_sandbox import NOW, Client, Json, observation, patient, ref, served


@pytest.fixture
def fhir() -> Iterator[Client]:
    with served() as client:
        client.store.load([patient("p1"), patient("p2"), observation("o1")], now=NOW)
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    with served() as client:
        yield client


def entry(method: str, url: str, resource: Json | None = None, **more: str) -> Json:
    """One entry; `fullUrl` among the rest is the entry's own, the others are of the request."""
    full = {"fullUrl": more.pop("fullUrl")} if "fullUrl" in more else {}
    body = {} if resource is None else {"resource": resource}
    return {**full, **body, "request": {"method": method, "url": url, **more}}


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(answer: Json) -> list[str]:
    return [one["response"]["status"] for one in answer["entry"]]


def test_each_method_is_done_in_the_order_of_the_standard_and_answered_in_place(
    fhir: Client,
) -> None:
    answer = fhir.ask(
        "POST",
        "",
        bundle(
            "transaction",
            entry("GET", "Patient?_sort=_id"),
            entry("PUT", "Patient/p2", patient("p2", gender="male")),
            entry("POST", "Patient", patient("")),
            entry("DELETE", "Patient/p1"),
            entry("GET", "Patient/p2"),
        ),
    ).json()
    assert statuses(answer) == ["200", "200", "201", "204", "200"]
    made = answer["entry"][2]["resource"]
    assert answer["entry"][2]["response"]["location"].endswith(f"{ref(made)}/_history/1")
    assert answer["entry"][2]["response"]["etag"] == 'W/"1"'
    seen = {one["resource"]["id"] for one in answer["entry"][0]["resource"]["entry"]}
    assert seen == {"p2", made["id"]}
    assert answer["entry"][4]["resource"]["gender"] == "male"


def test_links_by_full_url_are_resolved_wherever_they_stand(fhir: Client) -> None:
    urns = [f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    watched = {
        **observation("", of=urns[0]),
        "device": {"reference": urns[1]},
        "hasMember": [{"reference": "Observation/o1"}, {"reference": urns[2]}],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": urns[0]}],
    }
    answer = fhir.ask(
        "POST",
        "",
        bundle(
            "transaction",
            entry("POST", "Observation", watched),
            entry("POST", "Patient", patient(""), fullUrl=urns[0]),
            entry("PUT", "Device/d1", {"resourceType": "Device", "id": "d1"}, fullUrl=urns[1]),
            entry("POST", "Observation", observation(""), fullUrl=urns[2]),
        ),
    ).json()
    kept, subject, _, member = (one["resource"] for one in answer["entry"])
    assert kept["subject"]["reference"] == ref(subject)
    assert kept["device"]["reference"] == "Device/d1"
    assert [one["reference"] for one in kept["hasMember"]] == ["Observation/o1", ref(member)]
    assert kept["identifier"][0]["value"] == urns[0]  # an identifier's value is no link


def test_conditional_create_and_conditional_reference(fhir: Client) -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000009"
    known = patient("", identifier=[{"system": "urn:mrn", "value": "7"}])
    there = fhir.create(known)
    answer = fhir.ask(
        "POST",
        "",
        bundle(
            "transaction",
            entry("POST", "Patient", known, fullUrl=urn, ifNoneExist="identifier=urn:mrn|7"),
            entry("POST", "Observation", observation("", of=urn)),
            entry("POST", "Observation", observation("", of="Patient?identifier=urn:mrn|7")),
        ),
    ).json()
    assert statuses(answer) == ["200", "201", "201"]
    subjects = [one["resource"]["subject"]["reference"] for one in answer["entry"][1:]]
    assert subjects == [ref(there)] * 2


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (entry("POST", "Observation", {"resourceType": "Observation"}), 422),
        (entry("PUT", "Patient/p1", patient("p1"), ifMatch='W/"7"'), 412),
        (entry("PUT", "Patient/p1", patient("other")), 400),
        (entry("PUT", "Patient/new", patient("new")), 400),  # twice in one transaction
        (entry("POST", "Nonsense", {"resourceType": "Nonsense"}), 404),
        (entry("GET", "Patient/nobody"), 404),
        (entry("PATCH", "Patient/p1", {}), 400),
        (entry("PUT", "Patient", patient("x")), 400),
        ({"resource": patient("")}, 400),
        ({"request": {"method": ["POST"], "url": 7}}, 400),
    ],
)
def test_one_bad_entry_undoes_a_transaction_and_spoils_nothing_else_in_a_batch(
    fhir: Client, bad: Json, status: int
) -> None:
    twice = bad["request"].get("url") == "Patient/new" if "request" in bad else False
    good = [
        entry("PUT", "Patient/new", patient("new")),
        entry("POST", "Patient", patient("")),
        entry("DELETE", "Observation/o1"),
    ]
    refused = fhir.ask("POST", "", bundle("transaction", *good, bad))
    assert refused.status_code == status
    assert "Bundle.entry[3]" in refused.json()["issue"][0]["diagnostics"]
    assert fhir.ids("Patient") == ["Patient/p1", "Patient/p2"]
    assert fhir.get("Observation/o1").status_code == 200
    assert fhir.get("Patient/new").status_code == 404

    answer = fhir.ask("POST", "", bundle("batch", *good, bad))
    assert answer.status_code == 200
    assert statuses(answer.json())[:3] == ["201", "201", "204"]
    last = answer.json()["entry"][3]["response"]
    assert last["status"] == ("200" if twice else str(status))
    assert twice or last["outcome"]["resourceType"] == "OperationOutcome"


def test_a_conditional_reference_that_leads_nowhere_undoes_a_transaction(fhir: Client) -> None:
    watched = entry("POST", "Observation", observation("", of="Patient?identifier=none|1"))
    refused = fhir.ask("POST", "", bundle("transaction", watched))
    assert refused.status_code == 412
    assert fhir.ids("Observation") == ["Observation/o1"]


def everything(fhir: Client) -> list[object]:
    """Every version of every resource of two types, and of those that may have been deleted."""
    with fhir.store.reading() as records:
        seen = [(one.kind, one.id) for kind in KINDS for one in records.all_of(kind)]
        names = seen + [("Patient", id_) for id_ in "abcdz"]
        return [(kind, id_, records.history(kind, id_)) for kind, id_ in names]


KINDS = ("Patient", "Observation")
IDS = st.sampled_from(["a", "b", "c", "d"])
GOOD = (
    IDS.map(lambda id_: entry("PUT", f"Patient/{id_}", patient(id_, gender="other")))
    | IDS.map(lambda id_: entry("DELETE", f"Patient/{id_}"))
    | st.just(entry("POST", "Patient", patient("")))
    | st.just(entry("POST", "Observation", observation("")))
)
FATAL = st.sampled_from(
    [
        entry("POST", "Observation", {"resourceType": "Observation"}),
        entry("PUT", "Patient/z", patient("z"), ifMatch='W/"9"'),
        entry("GET", "Patient/nobody"),
    ]
)


@settings(max_examples=60, deadline=None)  # many requests each
@given(good=st.lists(GOOD, max_size=8), fatal=FATAL, place=st.integers(0, 8))
def test_a_transaction_that_fails_leaves_everything_as_it_was(
    shared: Client, good: list[Json], fatal: Json, place: int
) -> None:
    for id_ in ("a", "b"):
        shared.put(patient(id_))
    before = everything(shared)
    entries = [*good[:place], fatal, *good[place:]]
    assert shared.ask("POST", "", bundle("transaction", *entries)).status_code in {
        400,
        404,
        412,
        422,
    }
    assert everything(shared) == before
