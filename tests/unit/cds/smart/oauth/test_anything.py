"""Whatever is sent: an answer that can be used, or a refusal of the closed list. Nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.smart.oauth import LaunchRefused, Pending, launch_of
from cds.smart.oauth.callback import code_of
from cds.smart.oauth.discovery import Server
from cds.smart.oauth.granted import LONGEST, check_patient, read_granted
from cds.smart.oauth.identity import Expected, user_of
from cds.smart.oauth.rights import check_rights
from cds.smart.oauth.signing_keys import read_keys
from cds.trust.key_set import PublicKey
from tests.unit.cds.smart.oauth.authority import SIGNING


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPECTED = Expected("https://a.example.org", "bedside", "n", "https://a.example.org/fhir")
SERVER = Server(authorization_endpoint="https://a.example.org/a", token_endpoint="https://a/t")
PENDING = Pending(
    site="north",
    launch="1",
    state="1.2",
    nonce="n",
    verifier="v",
    redirect_uri="https://app.example.org/cb",
    scope="launch",
    server=SERVER,
    asked_at=NOW,
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
SAID = ("expires_in", "scope", "encounter", "refresh_token", "appContext", "need_patient_banner")
members = st.fixed_dictionaries(
    {"token_type": st.just("Bearer"), "access_token": st.just("abc")},
    optional={**dict.fromkeys(SAID, anything), "patient": st.just("p1") | anything},
)


@given(members)
def test_a_token_answer_is_granted_within_bounds_or_refused(found: dict[str, Any]) -> None:
    try:
        granted = read_granted(found, asked=frozenset({"patient/*.rs"}), now=NOW)
        check_rights(granted.scopes, frozenset())
        check_patient(granted)
    except LaunchRefused:
        return
    assert NOW < granted.expires_at <= NOW + LONGEST
    assert granted.patient == found["patient"]
    assert set(granted.patient) - {"."}


@given(anything, anything)
@settings(max_examples=200)
def test_an_id_token_nobody_signed_names_nobody(header: object, claims: object) -> None:
    def no_key(_: str | None, __: str) -> PublicKey:
        return SIGNING

    parts = (base64.urlsafe_b64encode(json.dumps(one).encode()) for one in (header, claims))
    text = b".".join(part.rstrip(b"=") for part in parts).decode()
    for token in (f"{text}.", f"{text}.eHg", header):
        with pytest.raises(LaunchRefused):
            user_of(token, EXPECTED, no_key, NOW)


@given(anything)
def test_keys_are_public_keys_or_refused(document: object) -> None:
    for found in (document, {"keys": document}, {"keys": [document]}):
        with pytest.raises(LaunchRefused):
            read_keys(json.dumps(found).encode())


@given(
    st.dictionaries(
        st.sampled_from(["state", "code", "iss", "error"]) | st.text(), st.lists(st.text())
    )
)
def test_a_callback_nobody_began_is_refused(args: dict[str, list[str]]) -> None:
    for read in (launch_of, lambda found: code_of(PENDING, found, NOW + timedelta(seconds=1))):
        with pytest.raises(LaunchRefused):
            read(args)


@pytest.mark.parametrize("depth", [*range(850, 1000, 10), 100_000])
def test_nesting_is_refused_and_ends_nothing(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    with pytest.raises(LaunchRefused):
        read_keys(b'{"keys":[' + deep + b"]}")
