"""CDS Hooks 2.0.1, "Trusting CDS Clients": who is let in, and who is not."""

import multiprocessing
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.config import Issuer
from cds.errors import Unauthorized, operation_outcome
from cds.store.migrations import migrate
from cds.trust import Caller, FirstUse, Keys, Kind, endpoint_urls, feedback_urls, verify
from tests.conformance import worker
from tests.conformance.deployment import (
    Canary,
    KeyHandler,
    KeyServer,
    Remembered,
    World,
    issuers_of,
)
from tests.conformance.forged import forged
from tests.conformance.tokens import (
    CLIENTS,
    ENDPOINT,
    EPIC,
    GONE,
    NOW,
    ORACLE,
    OTHER_TENANT,
    PUBLIC_URL,
    SANDBOX,
    SERVICE,
    Client,
    Json,
    T,
    encoded,
)


NAMES = [case.what for case in forged("http://127.0.0.1:9")]
DAY = timedelta(days=1)
FirstUseOf = Callable[[str, str, datetime, datetime], bool]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("keys")
    server, canary = KeyServer(("127.0.0.1", 0), KeyHandler), Canary()
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield World(
        issuers=issuers_of(folder, f"http://127.0.0.1:{server.server_port}/jwks.json"),
        keys=Keys(monotonic=time.monotonic),
        canary=canary,
        server=server,
        forged={case.what: case for case in forged(canary.url)},
    )
    server.shutdown()
    server.server_close()
    canary.close()


def _verify(
    world: World,
    authorization: str | None,
    *,
    first_use: FirstUseOf | None = None,
    now: datetime = NOW,
    urls: frozenset[str] = frozenset({ENDPOINT}),
    issuers: Mapping[str, tuple[Issuer, ...]] | None = None,
) -> Caller:
    return verify(
        authorization,
        endpoint_urls=urls,
        issuers=issuers or world.issuers,
        keys=world.keys,
        first_use=first_use or Remembered(),
        now=now,
    )


def _refused(world: World, authorization: str | None, **how: Any) -> str:
    with pytest.raises(Unauthorized) as caught:
        _verify(world, authorization, **how)
    return caught.value.kind


# --- let in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLIENTS)
def test_a_token_as_this_client_sends_it_is_accepted(world: World, name: str) -> None:
    client = CLIENTS[name]
    caller = _verify(world, f"Bearer {client.token(claims={'jti': 'an-id'})}")
    assert caller == Caller(
        site=client.site,
        iss=client.claims["iss"],
        tenant=client.claims.get("tenant"),
        jti="an-id",
    )


@pytest.mark.parametrize(
    ("client", "claims"),
    [
        pytest.param(SANDBOX, {"iat": T + 1, "exp": T + 301}, id="issued in one second"),
        pytest.param(SANDBOX, {"iat": T + 60, "exp": T + 300}, id="issued in sixty seconds"),
        pytest.param(SANDBOX, {"iat": T - 300, "exp": T - 59}, id="expired 59 seconds ago"),
        pytest.param(SANDBOX, {"iat": T, "exp": T + 3600}, id="good for one hour"),
        pytest.param(SANDBOX, {"iat": T - 0.25, "exp": T + 300.5}, id="times with a fraction"),
        pytest.param(EPIC, {"nbf": T - 300}, id="not before five minutes ago"),
        pytest.param(EPIC, {"nbf": T + 60}, id="not before sixty seconds from now"),
        pytest.param(EPIC, {"nbf": GONE}, id="without nbf"),
        pytest.param(SANDBOX, {"aud": [ENDPOINT]}, id="audience in a list"),
        pytest.param(SANDBOX, {"aud": ["https://x.test", ENDPOINT]}, id="one audience of two"),
        pytest.param(SANDBOX, {"tenant": "north"}, id="a tenant of a client with one site"),
        pytest.param(SANDBOX, {"sub": 1}, id="a subject nobody looks at"),
        pytest.param(SANDBOX, {"jti": "x" * 256}, id="an id of 256 letters"),
        pytest.param(SANDBOX, {"name": {"a": [None]}}, id="a claim of its own"),
        pytest.param(ORACLE, {"tenant": OTHER_TENANT}, id="the other tenant"),
    ],
)
def test_what_the_specification_leaves_to_the_client_is_accepted(
    world: World, client: Client, claims: Json
) -> None:
    _verify(world, f"Bearer {client.token(claims=claims)}")


@pytest.mark.parametrize(
    "header",
    [{"jku": GONE}, {"x5t": "c2hh"}, {"x5t#S256": "c2hh"}, {"ver": 1, "https://x.test": {}}],
    ids=["no jku", "a thumbprint", "a longer thumbprint", "members nobody knows"],
)
def test_a_header_may_leave_jku_out_and_have_members_of_its_own(world: World, header: Json) -> None:
    _verify(world, f"Bearer {SANDBOX.token(header=header)}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_scheme_is_compared_without_regard_to_case(world: World, scheme: str) -> None:
    _verify(world, f"{scheme} {SANDBOX.token()}")


def test_the_tenant_decides_which_of_two_sites_the_call_is_for(world: World) -> None:
    token = ORACLE.token(claims={"tenant": OTHER_TENANT})
    assert _verify(world, f"Bearer {token}").site == "south-hospital"


def test_a_tenant_without_a_list_is_refused_where_two_sites_have_the_issuer(world: World) -> None:
    (issuer,) = world.issuers["sandbox"]
    listed = msgspec.structs.replace(issuer, tenants=frozenset({"b"}))
    both = {"a": (issuer,), "b": (listed,)}
    assert _verify(world, f"Bearer {SANDBOX.token()}", issuers=both).site == "a"
    named = f"Bearer {SANDBOX.token(claims={'tenant': 'b'})}"
    assert _verify(world, named, issuers=both).site == "b"
    other = f"Bearer {SANDBOX.token(claims={'tenant': 'c'})}"
    assert _refused(world, other, issuers=both) == "tenant"
    twice = {"a": (issuer,), "b": (issuer,)}
    assert _refused(world, f"Bearer {SANDBOX.token()}", issuers=twice) == "tenant"


def test_a_site_may_accept_an_audience_typed_by_hand(world: World) -> None:
    (issuer,) = world.issuers["sandbox"]
    agreed = msgspec.structs.replace(issuer, audience=frozenset({"sand_man"}))
    token = f"Bearer {SANDBOX.token(claims={'aud': 'sand_man'})}"
    assert _verify(world, token, issuers={"sandbox": (agreed,)}).site == "sandbox"
    assert _refused(world, token) == "audience"


def test_feedback_takes_the_service_or_its_feedback_as_audience(world: World) -> None:
    urls = feedback_urls(f"{PUBLIC_URL}/", SERVICE)
    assert urls == {ENDPOINT, f"{ENDPOINT}/feedback"}
    for url in urls:
        _verify(world, f"Bearer {SANDBOX.token(claims={'aud': url})}", urls=urls)
    assert endpoint_urls(PUBLIC_URL, SERVICE) == {ENDPOINT}
    assert endpoint_urls(PUBLIC_URL) == {f"{PUBLIC_URL}/cds-services"}


@pytest.mark.parametrize("seconds", [0, 10, 60, 600])
def test_no_site_can_allow_more_than_a_minute_of_leeway(world: World, seconds: int) -> None:
    (issuer,) = world.issuers["sandbox"]
    wide = {"sandbox": (msgspec.structs.replace(issuer, leeway_seconds=seconds),)}
    most = min(seconds, 60)
    ends = {"iat": T - 900, "exp": T - most}
    begins = {"iat": T + most, "exp": T + 300}
    assert _refused(world, f"Bearer {SANDBOX.token(claims=ends)}", issuers=wide) == "time"
    _verify(world, f"Bearer {SANDBOX.token(claims={**ends, 'exp': T - most + 1})}", issuers=wide)
    _verify(world, f"Bearer {SANDBOX.token(claims=begins)}", issuers=wide)
    late = f"Bearer {SANDBOX.token(claims={**begins, 'iat': T + most + 1})}"
    assert _refused(world, late, issuers=wide) == "time"


# --- not let in ----------------------------------------------------------------------------------


def test_there_are_at_least_600_forged_tokens_and_each_is_another() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 600


@pytest.mark.parametrize("what", NAMES)
def test_a_forged_malformed_or_misdirected_token_is_refused(world: World, what: str) -> None:
    case, remembered = world.forged[what], Remembered()
    kind = _refused(world, case.authorization, first_use=remembered)
    assert kind in case.kinds
    assert kind in get_args(Kind)
    assert not remembered.seen  # a forged token does not use up a genuine one's id
    assert world.canary.connections() == 0


def test_the_canary_sees_a_connection_when_there_is_one() -> None:
    canary = Canary()
    with socket.create_connection(("127.0.0.1", int(canary.url.rpartition(":")[2]))):
        assert canary.connections() == 1
    canary.close()


def test_forged_tokens_make_no_request_but_the_registered_one(world: World) -> None:
    for case in world.forged.values():
        _refused(world, case.authorization)
    assert set(world.server.asked) <= {"/jwks.json"}
    assert len(world.server.asked) <= 2
    assert world.canary.connections() == 0


def test_every_kind_of_refusal_occurs(world: World) -> None:
    kinds = {_refused(world, case.authorization) for case in world.forged.values()}
    assert kinds == set(get_args(Kind)) - {"replay"}


def test_the_caller_is_told_the_same_whatever_is_wrong(world: World) -> None:
    answers = set()
    unlike = (
        "alg none with a signature",
        "iss is unknown, signed by a stranger",
        "jti is null, ec",
    )
    for what in unlike:
        with pytest.raises(Unauthorized) as caught:
            _verify(world, world.forged[what].authorization)
        answers.add((caught.value.status, str(operation_outcome(caught.value))))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_no_key_is_looked_up_for_an_unknown_issuer_tenant_or_source(tmp_path: Path) -> None:
    reads: list[str] = []

    def read(issuer: Issuer) -> bytes:
        reads.append(issuer.iss)
        return encoded({"keys": [ORACLE.signer.public()]})

    issuers = issuers_of(tmp_path, "https://inferno.example.org/jwks.json")
    changes: list[dict[str, Any]] = [
        {"claims": {"iss": "https://evil.test"}},
        {"claims": {"tenant": "unknown"}},
        {"header": {"jku": "https://evil.test"}},
        {"header": {"alg": "RS256"}},
        {"header": {"crit": ["exp"]}},
        {"header": {"typ": "JOSE"}},
    ]
    keys = Keys(monotonic=time.monotonic, read=read)
    for change in [*changes, {}]:
        try:
            verify(
                f"Bearer {ORACLE.token(**change)}",
                endpoint_urls=frozenset({ENDPOINT}),
                issuers=issuers,
                keys=keys,
                first_use=Remembered(),
                now=NOW,
            )
        except Unauthorized:
            assert change
            assert not reads
    assert reads == [ORACLE.claims["iss"]]


@pytest.mark.parametrize("alg", ["none", "HS256", "HS384", "HS512", "EdDSA"])
def test_no_configuration_makes_a_shared_secret_or_no_signature_acceptable(
    world: World, alg: str
) -> None:
    (issuer,) = world.issuers["sandbox"]
    careless = {"sandbox": (msgspec.structs.replace(issuer, algorithms=("ES384", alg)),)}
    unread = Keys(monotonic=time.monotonic)
    tried = [c for c in world.forged.values() if alg in c.what and "algorithm" in c.kinds]
    assert tried
    for case in tried:
        kind = _refused(world._replace(keys=unread), case.authorization, issuers=careless)
        assert kind in case.kinds
    assert unread.age(issuer) is None  # not one of them got as far as a key


@pytest.fixture(scope="module")
def spelled() -> str:
    return SANDBOX.token()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_single_changed_character_makes_a_token_worthless(
    world: World, spelled: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(spelled) - 1))
    base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~\n"
    other = data.draw(st.sampled_from(base64url) | st.characters())
    if other != spelled[at]:
        _refused(world, f"Bearer {spelled[:at]}{other}{spelled[at + 1 :]}")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_other_claims_under_a_genuine_signature_are_refused_or_fit(
    world: World, data: st.DataObject
) -> None:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    values = scalars | st.lists(scalars) | st.dictionaries(st.text(), scalars)
    name = data.draw(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "sub", "tenant"]))
    value = data.draw(values)
    token = SANDBOX.token(claims={name: value})
    try:
        caller = _verify(world, f"Bearer {token}")
    except Unauthorized:
        return
    assert caller.site == "sandbox"
    harmless = {
        "sub": True,
        "tenant": isinstance(value, str),
        "jti": isinstance(value, str) and value.isprintable() and value != "",
    }
    in_time = name in ("exp", "iat", "nbf") and not isinstance(value, bool | str)
    assert harmless.get(name, in_time)


# --- once ----------------------------------------------------------------------------------------


def test_a_token_is_good_for_one_call(world: World) -> None:
    remembered, token = Remembered(), f"Bearer {SANDBOX.token()}"
    _verify(world, token, first_use=remembered)
    assert _refused(world, token, first_use=remembered) == "replay"


def test_a_token_is_remembered_until_its_leeway_is_over(world: World) -> None:
    remembered = Remembered()
    claims = {"jti": "x", "iat": T, "exp": T + 299.5}
    _verify(world, f"Bearer {SANDBOX.token(claims=claims)}", first_use=remembered)
    until = datetime.fromtimestamp(T + 360, UTC)
    assert remembered.seen == {(SANDBOX.claims["iss"], "x"): until}


def test_two_issuers_may_use_the_same_id(world: World) -> None:
    remembered = Remembered()
    for client in CLIENTS.values():
        _verify(world, f"Bearer {client.token(claims={'jti': 'one'})}", first_use=remembered)


def test_a_refused_token_does_not_use_up_its_id(world: World) -> None:
    remembered = Remembered()
    wrong = SANDBOX.token(claims={"jti": "x", "aud": PUBLIC_URL})
    _refused(world, f"Bearer {wrong}", first_use=remembered)
    _verify(world, f"Bearer {SANDBOX.token(claims={'jti': 'x'})}", first_use=remembered)


@pytest.mark.parametrize("round_", range(20))
def test_of_many_simultaneous_calls_with_one_token_one_is_accepted(
    world: World, round_: int
) -> None:
    shared, token = Remembered(), f"Bearer {SANDBOX.token(claims={'jti': f'round-{round_}'})}"
    workers = [FirstUse(shared, down=sqlite3.OperationalError) for _ in range(2)]
    gate = threading.Barrier(8)

    def call(number: int) -> str:
        gate.wait()
        try:
            return _verify(world, token, first_use=workers[number % 2]).site
        except Unauthorized as error:
            return error.kind

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(call, range(8))) == ["replay"] * 7 + ["sandbox"]


def test_of_two_processes_on_one_database_exactly_one_accepts_a_token(
    world: World, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    migrate(url)
    tokens = [SANDBOX.token() for _ in range(25)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        2, mp_context=spawn, initializer=worker.begin, initargs=(spawn.Barrier(2),)
    ) as pool:
        calls = [pool.submit(worker.accepted, url, world.issuers, tokens) for _ in range(2)]
        first, second = (call.result(timeout=60) for call in calls)
    for answers in zip(first, second, strict=True):
        assert sorted(answers) == ["replay", "sandbox"]


def test_while_the_store_is_down_a_process_still_refuses_what_it_has_seen(world: World) -> None:
    def down(*_: object) -> bool:
        raise sqlite3.OperationalError

    first_use, token = FirstUse(down, down=sqlite3.OperationalError), f"Bearer {SANDBOX.token()}"
    _verify(world, token, first_use=first_use)
    assert _refused(world, token, first_use=first_use) == "replay"
    later = NOW + DAY
    assert first_use(SANDBOX.claims["iss"], "y", later, later)
