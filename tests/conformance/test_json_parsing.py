"""JSON of every kind that parsers disagree about (json_cases.py), at every place of a request."""

import json

import pytest

from tests.conformance.json_cases import (
    BYTES_N,
    DOCUMENTS_N,
    DOCUMENTS_Y,
    IMPLEMENTATION,
    NUMBER,
    NUMBERS,
    STRINGS_N,
    STRINGS_Y,
    STRUCTURES_N,
    STRUCTURES_Y,
    WORDS,
)
from tests.conftest import CheckedClient
from tests.functional.bodies import Json, order_sign


PLACES = ("x", "extension.x", "context.x", "prefetch.x", "prefetch.vitals.x", "draft.x")
MARK = "value under test"


def place(fragment: bytes, where: str) -> bytes:
    """A complete request with this text as the value of a member nobody reads."""
    body = order_sign()
    targets: dict[str, Json] = {
        "x": body,
        "extension.x": body.setdefault("extension", {}),
        "context.x": body["context"],
        "prefetch.x": body["prefetch"],
        "prefetch.vitals.x": body["prefetch"]["vitals"]["entry"][0]["resource"],
        "draft.x": body["context"]["draftOrders"]["entry"][0]["resource"],
    }
    targets[where]["x"] = MARK
    return json.dumps(body).encode().replace(f'"{MARK}"'.encode(), fragment)


def names_the_place(issue: Json) -> bool:
    """The field, the byte, the end, or the body as a whole."""
    said = issue["diagnostics"]
    whole = (
        "the body is",
        "the JSON is",
        "must be a JSON object",
        "not JSON: Input data was trunc",
    )
    return "expression" in issue or "byte " in said or said.startswith(whole)


def refused(client: CheckedClient, body: bytes) -> str:
    """Why this is not as it should be, or nothing."""
    response = client.call(body)
    if not 400 <= response.status_code < 500:
        return f"answered {response.status_code}"
    issue = response.get_json(force=True)["issue"][0]
    return "" if names_the_place(issue) else f"says {issue['diagnostics']}"


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", ["numbers", "words", "strings", "structures", "bytes"])
def test_n_what_is_not_json_is_refused_and_the_place_is_named(
    client: CheckedClient, kind: str, where: str
) -> None:
    cases = {
        "numbers": [n.encode() for n in NUMBERS if not NUMBER.fullmatch(n.strip())][:: len(PLACES)],
        "words": [word.encode() for word in WORDS],
        "strings": [one.encode() for one in STRINGS_N],
        "structures": [one.encode() for one in STRUCTURES_N],
        "bytes": BYTES_N,
    }[kind]
    wrong = {case: refused(client, place(case, where)) for case in cases}
    assert {case: why for case, why in wrong.items() if why} == {}


@pytest.mark.parametrize("where", [name for name in PLACES if name != "prefetch.x"])
@pytest.mark.parametrize("kind", ["numbers", "strings", "structures"])
def test_y_json_that_nobody_reads_changes_nothing(
    client: CheckedClient, kind: str, where: str
) -> None:
    cases = {
        "numbers": [n for n in NUMBERS if NUMBER.fullmatch(n)],
        "strings": STRINGS_Y,
        "structures": STRUCTURES_Y,
    }[kind]
    plain = client.call(order_sign()).get_json()
    for case in cases:
        response = client.call(place(case.encode(), where))
        assert response.status_code == 200, case[:99]
        assert response.get_json() == plain, case[:99]


@pytest.mark.parametrize("where", PLACES)
def test_i_what_implementations_may_decide_is_no_fault(client: CheckedClient, where: str) -> None:
    for case in IMPLEMENTATION:
        response = client.call(place(case.encode(), where))
        assert response.status_code in {200, 400}, case[:99]


@pytest.mark.parametrize("body", DOCUMENTS_N, ids=lambda body: repr(body[:24]))
def test_n_a_document_that_is_no_request_is_refused(client: CheckedClient, body: bytes) -> None:
    assert refused(client, body) == ""


@pytest.mark.parametrize("around", DOCUMENTS_Y, ids=repr)
def test_y_white_space_around_a_document_changes_nothing(
    client: CheckedClient, around: str
) -> None:
    plain = client.call(order_sign()).get_json()
    body = around.replace("{0}", json.dumps(order_sign())).encode()
    assert client.call(body).get_json() == plain


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-7", "utf-8-sig"]
)
def test_n_another_encoding_is_refused(client: CheckedClient, encoding: str) -> None:
    body = json.dumps({**order_sign(), "é+": "+"}, ensure_ascii=False).encode(encoding)
    if encoding == "utf-7":  # ASCII: refused only where a sequence is no JSON
        body = body.replace(b"{", b"+AHs-", 1)
    assert refused(client, body) == ""


def test_n_every_beginning_of_a_request_is_refused(client: CheckedClient) -> None:
    body = json.dumps(order_sign()).encode()
    wrong = {end: refused(client, body[:end]) for end in range(0, len(body), 7)}
    assert {end: why for end, why in wrong.items() if why} == {}


def test_n_a_bracket_that_is_not_closed_is_not_called_too_deep(client: CheckedClient) -> None:
    issue = client.call(place(b"[1", "extension.x")).get_json(force=True)["issue"][0]
    assert "deeper" not in issue["diagnostics"]
