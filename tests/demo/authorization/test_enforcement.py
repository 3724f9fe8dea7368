"""What a token may do and see: SMART "Scopes", RFC 6750; a patient's token sees one patient."""

from typing import Any

import pytest

from tests.demo.authorization.hospital import EHR, Ward, by_key, ward
from tests.demo.fhir_sandbox import Json, observation


SURVEY = [{"coding": [{"system": "http://example.org/categories", "code": "survey"}]}]
IN_SURVEY = "category=http://example.org/categories|survey"
OWN, OTHERS = observation("new"), observation("new", "Patient/p2")
SURVEYED = observation("new", category=SURVEY)


@pytest.fixture
def server() -> Ward:
    return ward()


# Scope (launched with p1), method, path, body, status.
TABLE: list[tuple[str, str, str, Json | None, int]] = [
    # reads by type and letter, both forms
    ("patient/*.read", "GET", "Observation/o1", None, 200),
    ("patient/*.rs", "GET", "Observation/o1", None, 200),
    ("patient/Observation.r", "GET", "Observation/o1", None, 200),
    ("patient/Observation.r", "GET", "Observation/o1/_history", None, 200),
    ("patient/Observation.r", "GET", "Observation/o1/_history/1", None, 200),
    ("patient/Observation.s", "GET", "Observation/o1", None, 403),
    ("patient/Observation.write", "GET", "Observation/o1", None, 403),
    ("patient/Condition.rs", "GET", "Observation/o1", None, 403),
    ("patient/Observation.r", "GET", "Observation", None, 403),
    ("patient/Observation.s", "GET", "Observation", None, 200),
    ("patient/Observation.s", "POST", "Observation/_search", None, 200),
    # one patient
    ("patient/*.rs", "GET", "Patient/p1", None, 200),
    ("patient/*.rs", "GET", "Patient/p2", None, 404),
    ("patient/*.rs", "GET", "Observation/o2", None, 404),
    ("patient/*.rs", "GET", "Observation/o2/_history", None, 404),
    ("patient/*.rs", "GET", "Observation/o2/_history/1", None, 404),
    ("patient/*.rs", "GET", "Observation/o-nobody", None, 404),
    ("patient/*.rs", "GET", "Observation/no-such", None, 404),
    ("patient/*.rs", "GET", "Device/pump", None, 404),
    ("patient/*.rs", "GET", "Device/software", None, 200),
    ("patient/*.rs", "GET", "Practitioner/dr1", None, 200),
    ("patient/*.rs", "GET", "Provenance/of-1", None, 200),
    ("patient/*.rs", "GET", "Provenance/of-2", None, 404),
    ("patient/*.rs", "GET", "Provenance/of-both", None, 404),
    # searches that name somebody
    ("patient/*.rs", "GET", "Observation?patient=p1", None, 200),
    ("patient/*.rs", "GET", "Observation?patient=Patient/p1", None, 200),
    ("patient/*.rs", "GET", "Observation?subject:Patient=p1", None, 200),
    ("patient/*.rs", "GET", "Observation?patient=p2", None, 403),
    ("patient/*.rs", "GET", "Observation?patient=p1,p2", None, 403),
    ("patient/*.rs", "GET", "Observation?subject=Patient/p2", None, 403),
    ("patient/*.rs", "GET", "Observation?subject:Patient=p2", None, 403),
    ("patient/*.rs", "GET", "Observation?patient=http://127.0.0.1:8080/fhir/Patient/p2", None, 403),
    ("patient/*.rs", "GET", "Patient?_id=p2", None, 403),
    ("patient/*.rs", "GET", "Patient?_id=p1", None, 200),
    ("patient/*.rs", "GET", "Patient/p2/$everything", None, 404),
    ("patient/*.rs", "GET", "Patient/p1/$everything", None, 200),
    ("patient/Observation.rs", "GET", "Patient/p1/$everything", None, 403),
    # writes
    ("patient/Observation.c", "POST", "Observation", OWN, 201),
    ("patient/Observation.write", "POST", "Observation", OWN, 201),
    ("patient/Observation.rs", "POST", "Observation", OWN, 403),
    ("patient/Condition.c", "POST", "Observation", OWN, 403),
    ("patient/Observation.c", "POST", "Observation", OTHERS, 403),
    ("patient/*.cruds", "POST", "Observation", OTHERS, 403),
    ("patient/*.cruds", "POST", "Patient", {"resourceType": "Patient", "id": "p1"}, 403),
    ("patient/*.cruds", "POST", "Practitioner", {"resourceType": "Practitioner"}, 403),
    ("patient/*.cruds", "POST", "Device", {"resourceType": "Device"}, 403),
    ("patient/Observation.u", "PUT", "Observation/o1", observation("o1"), 200),
    ("patient/Observation.c", "PUT", "Observation/o1", observation("o1"), 403),
    ("patient/Observation.u", "PUT", "Observation/o1", observation("o1", "Patient/p2"), 403),
    ("patient/*.cruds", "PUT", "Observation/o2", observation("o2"), 403),
    ("patient/Observation.u", "PUT", "Observation/new", OWN, 403),
    ("patient/Observation.cu", "PUT", "Observation/new", OWN, 201),
    ("patient/Patient.u", "PUT", "Patient/p1", {"resourceType": "Patient", "id": "p1"}, 200),
    ("patient/Patient.u", "PUT", "Patient/p2", {"resourceType": "Patient", "id": "p2"}, 403),
    ("patient/Observation.d", "DELETE", "Observation/o1", None, 204),
    ("patient/Observation.d", "DELETE", "Observation/o2", None, 404),
    ("patient/Observation.d", "DELETE", "Observation/no-such", None, 404),
    ("patient/Observation.cru", "DELETE", "Observation/o1", None, 403),
    # one category
    (f"patient/Observation.rs?{IN_SURVEY}", "GET", "Observation/o1-survey", None, 200),
    ("patient/Observation.rs?category=survey", "GET", "Observation/o1-survey", None, 200),
    ("patient/Observation.rs?category=x|survey", "GET", "Observation/o1-survey", None, 404),
    (f"patient/Observation.rs?{IN_SURVEY}", "GET", "Observation/o1", None, 404),
    (f"patient/Observation.c?{IN_SURVEY}", "POST", "Observation", SURVEYED, 201),
    (f"patient/Observation.c?{IN_SURVEY}", "POST", "Observation", OWN, 403),
    (f"user/Observation.u?{IN_SURVEY}", "PUT", "Observation/o1", SURVEYED | {"id": "o1"}, 403),
    (f"user/Observation.d?{IN_SURVEY}", "DELETE", "Observation/o1", None, 404),
    (f"user/Observation.d?{IN_SURVEY}", "DELETE", "Observation/no-such", None, 404),
    # every patient
    ("user/*.rs", "GET", "Patient/p2", None, 200),
    ("user/*.read", "GET", "Observation?patient=p2", None, 200),
    ("user/Observation.c", "POST", "Observation", OTHERS, 201),
    ("user/Observation.d", "DELETE", "Observation/no-such", None, 204),
    ("user/*.rs", "POST", "Observation", OTHERS, 403),
    ("system/*.rs", "GET", "Patient/p2", None, 200),
    ("system/Observation.rs", "GET", "Patient/p2", None, 403),
    ("patient/*.rs user/Observation.rs", "GET", "Observation/o2", None, 200),
    ("patient/*.rs user/Observation.rs", "GET", "Patient/p2", None, 404),
]


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "status"),
    TABLE,
    ids=[f"{scope} {method} {path} {status}" for scope, method, path, _, status in TABLE],
)
def test_a_scope_allows_what_it_says(
    server: Ward, scope: str, method: str, path: str, body: Json | None, status: int
) -> None:
    answer = server.fhir(method, path, body, as_=server.bearer(scope))
    assert answer.status_code == status, answer.text


def test_what_may_not_be_read_looks_like_what_is_not_there(server: Ward) -> None:
    token = server.bearer("patient/*.rs")
    hidden = server.fhir("GET", "Observation/o2", as_=token)
    absent = server.fhir("GET", "Observation/no-such", as_=token)
    assert hidden.data == absent.data


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer made-up", "Bearer a b", "abc"]
)
def test_without_a_good_token_nothing_is_answered(server: Ward, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path, body in (
        ("GET", "Patient/p1", None),
        ("GET", "Observation?patient=p1", None),
        ("POST", "Observation", OWN),
        ("POST", "", {"resourceType": "Bundle", "type": "batch"}),
        ("GET", "Patient/p1/$everything", None),
        ("GET", "Subscription/$status", None),
    ):
        answer = server.fhir(method, path, body, as_=headers)
        assert answer.status_code == 401, path
        said = 'Bearer error="invalid_token"' if header is not None else "Bearer"
        assert answer.headers["WWW-Authenticate"] == said


def test_a_token_ends(server: Ward) -> None:
    token = server.bearer("patient/*.rs")
    server.clock.later(seconds=599)
    assert server.fhir("GET", "Patient/p1", as_=token).status_code == 200
    server.clock.later(seconds=1)
    assert server.fhir("GET", "Patient/p1", as_=token).status_code == 401


def test_a_token_in_the_url_is_no_token(server: Ward) -> None:
    token = server.granted(EHR)["access_token"]
    assert server.fhir("GET", f"Patient/p1?access_token={token}").status_code == 401


def test_an_id_token_or_refresh_token_opens_nothing(server: Ward) -> None:
    found = server.granted(EHR)
    for name in ("id_token", "refresh_token"):
        bearer = {"Authorization": f"Bearer {found[name]}"}
        assert server.fhir("GET", "Patient/p1", as_=bearer).status_code == 401


def test_what_needs_no_token(server: Ward) -> None:
    assert server.fhir("GET", "metadata").status_code == 200
    assert server.fhir("GET", ".well-known/smart-configuration").status_code == 200


# --- searches are narrowed -----------------------------------------------------------------------

OWN_OBSERVATIONS = {"Observation/o1", "Observation/o1-survey", "Observation/o1-by-p2"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Observation", OWN_OBSERVATIONS),
        ("Observation?code=8310-5", OWN_OBSERVATIONS),
        ("Observation?performer=Patient/p2", {"Observation/o1-by-p2"}),
        ("Observation?performer=Practitioner/dr1", set()),
        ("Observation?_id=o1,o2", {"Observation/o1"}),
        ("Observation?subject:missing=true", set()),
        ("Patient", {"Patient/p1"}),
        ("Patient?family=Okoye", set()),
        ("Encounter?status=in-progress", {"Encounter/e1"}),
        ("Device", {"Device/software"}),
        ("Provenance", {"Provenance/of-1"}),
        ("Observation?_id=o1-by-p2&_include=Observation:performer", {"Observation/o1-by-p2"}),
        ("Observation?_id=o1&_include=Observation:subject", {"Observation/o1", "Patient/p1"}),
        (
            "Practitioner?_id=dr1&_revinclude=Observation:performer",
            {"Practitioner/dr1"},
        ),
        (
            "Observation?_id=o1&_revinclude=Provenance:target",
            {"Observation/o1", "Provenance/of-1"},
        ),
        (
            "Patient?_revinclude=Observation:subject&_revinclude=Observation:performer",
            {"Patient/p1", *OWN_OBSERVATIONS},
        ),
    ],
)
def test_a_search_finds_one_patients_resources_only(
    server: Ward, path: str, found: set[str]
) -> None:
    assert server.found(path, server.bearer("patient/*.rs")) == found


def test_a_total_counts_no_other_patient(server: Ward) -> None:
    token = server.bearer("patient/*.rs")
    answer = server.fhir("GET", "Observation?_summary=count", as_=token).json
    assert answer is not None
    assert answer["total"] == len(OWN_OBSERVATIONS)


def test_what_comes_along_needs_a_scope_of_its_own(server: Ward) -> None:
    path = "Observation?_id=o1&_include=Observation:subject"
    assert server.found(path, server.bearer("patient/Observation.rs")) == {"Observation/o1"}


def test_everything_shows_what_the_token_may_read(server: Ward) -> None:
    path = "Patient/p1/$everything"
    all_of = server.found(path, server.bearer("patient/*.rs"))
    assert all_of == {"Patient/p1", "Encounter/e1", *OWN_OBSERVATIONS}
    some = server.found(path, server.bearer("patient/Patient.r patient/Encounter.r"))
    assert some == {"Patient/p1", "Encounter/e1"}


def test_a_search_shows_the_category_of_its_scope(server: Ward) -> None:
    token = server.bearer(f"patient/Observation.rs?{IN_SURVEY}")
    assert server.found("Observation?patient=p1", token) == {"Observation/o1-survey"}


def test_reading_one_category_and_searching_another_are_two_things(server: Ward) -> None:
    read, searched = "patient/Observation.r?category=survey", "?category=vital-signs"
    token = server.bearer(f"{read} patient/Observation.s{searched}")
    assert server.found("Observation", token) == OWN_OBSERVATIONS - {"Observation/o1-survey"}
    assert server.fhir("GET", "Observation/o1-survey", as_=token).status_code == 200
    assert server.fhir("GET", "Observation/o1", as_=token).status_code == 404


def test_a_link_to_a_further_page_is_worth_nothing_to_another(server: Ward) -> None:
    everybody = server.bearer("user/Observation.rs")
    first = server.fhir("GET", "Observation?_count=2", as_=everybody).json
    assert first is not None
    (link,) = [one["url"] for one in first["link"] if one["relation"] == "next"]
    path = link.partition("/fhir/")[2]
    assert server.fhir("GET", path, as_=everybody).status_code == 200
    assert server.fhir("GET", path, as_=server.bearer("patient/*.rs")).status_code == 410
    assert server.fhir("GET", path).status_code == 401


def test_the_history_of_what_was_somebody_elses_hides_that_time(server: Ward) -> None:
    server.store.load([observation("o2")], now=server.clock.now)  # put right: it is p1's
    token = server.bearer("patient/*.rs")
    answer = server.fhir("GET", "Observation/o2/_history", as_=token).json
    assert answer is not None
    assert [one["resource"]["meta"]["versionId"] for one in answer["entry"]] == ["2"]
    assert server.fhir("GET", "Observation/o2/_history/1", as_=token).status_code == 404
    other = server.bearer("patient/*.rs", "p2")
    assert server.fhir("GET", "Observation/o2", as_=other).status_code == 404
    assert server.fhir("GET", "Observation/o2/_history/1", as_=other).status_code == 200


def test_that_something_was_deleted_is_told_to_who_could_read_it(server: Ward) -> None:
    assert (
        server.fhir("DELETE", "Observation/o2", as_=server.bearer("user/*.cruds")).status_code
        == 204
    )
    own = server.fhir("GET", "Observation/o2", as_=server.bearer("patient/*.rs", "p2"))
    assert own.status_code == 410
    other = server.fhir("GET", "Observation/o2", as_=server.bearer("patient/*.rs"))
    assert other.status_code == 404


# --- conditions, bundles -------------------------------------------------------------------------


def bundle(kind: str, *entries: tuple[str, str, Json | None], **members: Any) -> Json:
    """A Bundle of requests."""
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {
                "request": {"method": method, "url": url, **members},
                **({"resource": resource} if resource else {}),
            }
            for method, url, resource in entries
        ],
    }


def marked(of: str) -> Json:
    """An observation with an identifier."""
    return observation("marked", of, identifier=[{"value": "m-1"}])


def test_a_condition_does_not_find_what_may_not_be_seen(server: Ward) -> None:
    server.store.load([marked("Patient/p2")], now=server.clock.now)
    token = {
        **server.bearer("patient/*.rs patient/Observation.c"),
        "If-None-Exist": "identifier=m-1",
    }
    assert server.fhir("POST", "Observation", marked("Patient/p1"), as_=token).status_code == 201
    again = server.fhir("POST", "Observation", marked("Patient/p1"), as_=token)
    assert again.status_code == 200
    assert again.json is not None
    assert again.json["subject"] == {"reference": "Patient/p1"}
    by_other = {"If-None-Exist": "patient=p2"}
    refused = server.fhir("POST", "Observation", marked("Patient/p1"), as_={**token, **by_other})
    assert refused.status_code == 403


def test_a_condition_is_a_search_and_needs_its_scope(server: Ward) -> None:
    token = {**server.bearer("patient/Observation.c"), "If-None-Exist": "identifier=m-1"}
    assert server.fhir("POST", "Observation", marked("Patient/p1"), as_=token).status_code == 403


def test_each_entry_of_a_batch_is_allowed_by_itself(server: Ward) -> None:
    asked = bundle(
        "batch",
        ("GET", "Patient/p1", None),
        ("GET", "Patient/p2", None),
        ("GET", "Observation?patient=p2", None),
        ("POST", "Observation", OWN),
        ("POST", "Observation", OTHERS),
        ("DELETE", "Observation/o1", None),
    )
    token = server.bearer("patient/*.rs patient/Observation.c")
    answer = server.fhir("POST", "", asked, as_=token).json
    assert answer is not None
    statuses = [one["response"]["status"] for one in answer["entry"]]
    assert statuses == ["200", "404", "403", "201", "403", "403"]


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([("POST", "Observation", OWN)], 200),
        ([("POST", "Observation", OWN), ("POST", "Observation", OTHERS)], 403),
        ([("PUT", "Observation/o1", observation("o1", "Patient/p2"))], 403),
        ([("PUT", "Observation/o2", observation("o2"))], 403),
        ([("DELETE", "Observation/o2", None)], 404),
        ([("GET", "Patient/p2", None)], 404),
        ([("POST", "Observation", observation("x", "Patient?family=Okoye"))], 403),
        ([("POST", "Observation", observation("x", "urn:uuid:1"))], 403),
        ([("POST", "Observation", OWN | {"focus": [{"reference": "Patient?family=Okoye"}]})], 412),
    ],
)
def test_a_transaction_goes_as_far_as_its_least_allowed_entry(
    server: Ward, entries: list[tuple[str, str, Json | None]], status: int
) -> None:
    token = server.bearer("patient/*.cruds")
    answer = server.fhir("POST", "", bundle("transaction", *entries), as_=token)
    assert answer.status_code == status, answer.text
    if status != 200:
        count = server.fhir("GET", "Observation?_summary=count", as_=server.bearer("user/*.rs"))
        assert count.json is not None
        assert count.json["total"] == 5, "nothing was written"


def test_a_link_inside_a_transaction_does_not_lead_to_another_patient(server: Ward) -> None:
    """`fullUrl` may rename a link only to what the token may write itself."""
    asked = bundle("transaction", ("POST", "Observation", OWN), ("PUT", "Patient/p2", None))
    asked["entry"][1] |= {
        "fullUrl": "Patient/p1",
        "resource": {"resourceType": "Patient", "id": "p2"},
    }
    answer = server.fhir("POST", "", asked, as_=server.bearer("patient/*.cruds"))
    assert answer.status_code == 403
    both = server.bearer("patient/*.cruds user/Patient.u")
    assert server.fhir("POST", "", asked, as_=both).status_code == 403


# --- subscriptions -------------------------------------------------------------------------------


def subscription(criteria: str) -> Json:
    """A rest-hook to an address of this machine where nobody listens."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1:9/told"},
    }


@pytest.mark.parametrize(
    ("scope", "criteria", "status"),
    [
        ("system/*.cruds", "Observation?category=survey", 201),
        ("system/Subscription.c system/Observation.rs", "Observation?status=final", 201),
        ("system/Subscription.c system/Condition.rs", "Observation?status=final", 403),
        ("system/Subscription.c system/Observation.r", "Observation?status=final", 403),
        (
            "system/Subscription.c system/Observation.rs?category=survey",
            "Observation?status=final",
            403,
        ),
        ("patient/*.cruds", "Observation?patient=p1", 403),
        ("patient/*.cruds user/Subscription.cruds", "Observation?patient=p1", 403),
        ("user/*.cruds", "Observation?patient=p1", 201),
    ],
)
def test_who_is_told_of_changes_may_read_them(
    server: Ward, scope: str, criteria: str, status: int
) -> None:
    answer = server.fhir("POST", "Subscription", subscription(criteria), as_=server.bearer(scope))
    assert answer.status_code == status, answer.text


def test_a_patients_token_sees_no_subscription(server: Ward) -> None:
    made = server.fhir(
        "POST",
        "Subscription",
        subscription("Observation?patient=p1"),
        as_=server.bearer("system/*.cruds"),
    )
    assert made.json is not None
    token = server.bearer("patient/*.cruds")
    for path in ("", f"/{made.json['id']}", "/$status", f"/{made.json['id']}/$events"):
        assert server.fhir("GET", f"Subscription{path}", as_=token).status_code == 403


def test_one_client_cannot_use_the_patient_of_another_launch(server: Ward) -> None:
    first, second = server.bearer("patient/*.rs"), server.bearer("patient/*.rs", "p2")
    assert server.found("Patient", first) == {"Patient/p1"}
    assert server.found("Patient", second) == {"Patient/p2"}


def test_a_service_reads_every_patient(server: Ward) -> None:
    form = by_key("service", grant_type="client_credentials", scope="system/*.rs")
    token = server.token(form).json
    assert token is not None
    bearer = {"Authorization": f"bearer {token['access_token']}"}  # the scheme has no case
    assert server.found("Patient", bearer) == {"Patient/p1", "Patient/p2"}
