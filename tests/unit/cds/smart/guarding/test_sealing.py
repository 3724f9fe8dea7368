"""What is sealed opens with its own secret, for its own launch, as what it is; else not at all."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.smart.context import Context
from cds.smart.guarding.sealing import digest, fits, new_secret, seal, unseal


class Other(msgspec.Struct):
    """Something else with a member of the same name."""

    patient: str


SECRET, LAUNCH = "5a" * 32, "0" * 32
CONTEXT = Context(
    launch=LAUNCH,
    site="ward",
    patient="p1",
    user="Practitioner/dr1",
    csrf="token",
    access_token="secret-token",
    expires_at=datetime(2026, 11, 22, tzinfo=UTC),
    scopes=frozenset({"patient/*.rs", "openid"}),
)


def test_what_was_sealed_opens_with_its_secret() -> None:
    assert unseal(seal(CONTEXT, SECRET, LAUNCH), SECRET, LAUNCH, Context) == CONTEXT


def test_nothing_of_it_can_be_read_and_it_never_looks_the_same() -> None:
    one, two = seal(CONTEXT, SECRET, LAUNCH), seal(CONTEXT, SECRET, LAUNCH)

    assert b"secret-token" not in one
    assert one.split(b".")[3] != two.split(b".")[3]


@pytest.mark.parametrize(
    ("secret", "launch"), [("5b" * 32, LAUNCH), ("", LAUNCH), (SECRET, "1" * 32), (SECRET, "")]
)
def test_another_secret_or_another_launch_opens_nothing(secret: str, launch: str) -> None:
    assert unseal(seal(CONTEXT, SECRET, LAUNCH), secret, launch, Context) is None


def test_it_opens_as_nothing_else() -> None:
    assert unseal(seal(CONTEXT, SECRET, LAUNCH), SECRET, LAUNCH, Other) is None


@given(st.data())
def test_a_changed_byte_opens_nothing(data: st.DataObject) -> None:
    sealed = bytearray(seal(CONTEXT, SECRET, LAUNCH))
    # The last sign of a Base64 part has bits that say nothing.
    ends = {at - 1 for at, byte in enumerate(sealed) if byte == ord(".")} | {len(sealed) - 1}
    at = data.draw(st.integers(0, len(sealed) - 1).filter(lambda one: one not in ends))
    sealed[at] = ord("A") if sealed[at] != ord("A") else ord("B")

    assert unseal(bytes(sealed), SECRET, LAUNCH, Context) is None


@pytest.mark.parametrize("sealed", [b"", b".", b"....", b"a.b.c.d.e", b"\xff", b"{}"])
def test_what_was_never_sealed_opens_nothing(sealed: bytes) -> None:
    assert unseal(sealed, SECRET, LAUNCH, Context) is None


def test_a_secret_has_256_bits_and_is_never_given_twice() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(len(bytes.fromhex(one)) == 32 for one in made)


def test_only_the_secret_itself_has_its_digest() -> None:
    assert fits(SECRET, digest(SECRET))
    assert not fits("5b" * 32, digest(SECRET))
    assert not fits("é", digest(SECRET))
    assert not fits("", "")
