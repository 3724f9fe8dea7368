"""A site that hears of events can read its FHIR server, and both sides prove who they are."""

import json
from pathlib import Path

import pytest

from cds.config import Backend, Events
from tests.unit.cds.config.files import EC, RSA, SIGNED, read, refused


BACKEND = """
[sites.north.backend]
client_id = "btce"
key_file = "key.json"
"""
EVENTS = """
[sites.north.events]
secret_file = "secret"
"""
SECRET = "s" * 32
AT = "sites.north"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "key.json").write_text(json.dumps(EC.as_dict(private=True)))
    return tmp_path


def test_without_these_tables_the_service_only_answers_calls(folder: Path) -> None:
    site = read(folder, SIGNED).sites["north"]
    assert (site.backend, site.events) == (None, None)


def test_what_is_not_set_is_the_careful_choice(folder: Path) -> None:
    site = read(folder, SIGNED + BACKEND + EVENTS).sites["north"]
    assert site.backend == Backend(client_id="btce", key_file=folder / "key.json")
    assert site.backend.auth == "private_key_jwt"
    assert site.backend.scope == "system/*.rs"  # reads only
    assert site.events == Events(secret_file=folder / "secret")
    assert site.events.tell == "nothing"


def test_events_without_a_way_to_read_are_refused(folder: Path) -> None:
    (problem,) = refused(folder, SIGNED + EVENTS)
    assert problem.startswith(f"{AT}.events: needs {AT}.backend")


@pytest.mark.parametrize(
    ("content", "why"),
    [("s" * 31, "31 characters"), ("s" * 31 + " s", "a space"), ("ß" * 32, "not plain text")],
    ids=str,
)
def test_a_weak_or_unsendable_secret_is_refused_and_not_repeated(
    folder: Path, content: str, why: str
) -> None:
    (folder / "secret").write_text(content, encoding="utf-8")
    (problem,) = refused(folder, SIGNED + BACKEND + EVENTS)
    assert problem.startswith(f"{AT}.events.secret_file: "), why
    assert content not in problem


def test_a_secret_file_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "secret").unlink()
    found = refused(folder, SIGNED + BACKEND + EVENTS)
    assert found == (f"{AT}.events.secret_file: cannot be read as plain text",)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (EC.as_dict(private=False), "is a public key: the private one signs"),
        (RSA.as_dict(private=True), "is no key for ES384"),
        ({**EC.as_dict(private=True), "kid": ""}, "must be one JWK with a kid"),
        ({"keys": [EC.as_dict(private=True)]}, "must be one JWK with a kid"),
        ([], "must be one JWK with a kid"),
    ],
    ids=["public", "of another kind", "without a kid", "a whole set", "no object"],
)
def test_a_key_that_cannot_sign_is_refused(folder: Path, key: object, why: str) -> None:
    (folder / "key.json").write_text(json.dumps(key))
    assert refused(folder, SIGNED + BACKEND) == (f"{AT}.backend.key_file: {why}",)


def test_a_key_file_that_is_no_json_or_absent_is_refused(folder: Path) -> None:
    (folder / "key.json").write_text("-----BEGIN")
    assert refused(folder, SIGNED + BACKEND) == (f"{AT}.backend.key_file: is not JSON",)
    (folder / "key.json").unlink()
    (problem,) = refused(folder, SIGNED + BACKEND)
    assert problem.startswith(f"{AT}.backend.key_file: cannot be read")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_assertion_is_never_unsigned_or_signed_with_a_shared_secret(
    folder: Path, algorithm: str
) -> None:
    (problem,) = refused(folder, SIGNED + BACKEND + f'algorithm = "{algorithm}"')
    assert problem.startswith(f"{AT}.backend.algorithm: ")


def test_a_server_that_asks_for_no_token_is_on_this_machine(folder: Path) -> None:
    text = SIGNED + '\n[sites.north.backend]\nauth = "none"\n'
    (problem,) = refused(folder, text)
    assert problem == f"{AT}.backend.auth: none is for a FHIR base on the loopback address only"
    at_home = text.replace("https://ehr.example.org/fhir", "http://127.0.0.1:8103/fhir")
    backend = read(folder, at_home).sites["north"].backend
    assert backend is not None
    assert backend.auth == "none"


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        ("", {"client_id: is required", "key_file: is required for private_key_jwt"}),
        (
            'auth = "client_secret_basic"',
            {"client_id: is required", "secret_file: is required for client_secret_basic"},
        ),
        (
            'client_id = "btce"\nkey_file = "key.json"\ntoken_url = "http://ehr.example.org/t"',
            {"token_url: must be https, unless the host is a loopback address"},
        ),
    ],
    ids=["nothing", "no secret", "no TLS"],
)
def test_every_problem_of_a_backend_is_told(folder: Path, table: str, problems: set[str]) -> None:
    found = refused(folder, f"{SIGNED}\n[sites.north.backend]\n{table}\n")
    assert set(found) == {f"{AT}.backend.{problem}" for problem in problems}


def test_a_table_that_is_none_is_told(folder: Path) -> None:
    text = SIGNED.replace('mode = "silent"', 'mode = "silent"\nbackend = 3\nevents = [1]')
    assert refused(folder, text) == (
        f"{AT}.backend: must be a table",
        f"{AT}.events: must be a table",
    )
