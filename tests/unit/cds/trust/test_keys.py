"""The keys kept in memory: when they are read, how often, and what happens when they cannot be."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cds.config import Issuer
from cds.trust import Keys, Limits
from cds.trust.key_source import KeysUnread
from tests.conformance.tokens import Signer, ec, encoded


ONE, TWO = ec("one"), ec("two")
ISSUER = Issuer(iss="https://ehr.example.org", jwks_url="https://ehr.example.org/jwks.json")
LIMITS = Limits(reread_seconds=30, fresh_seconds=600, stale_seconds=3600, wait_seconds=1)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Publisher:
    """What the issuer publishes at the moment; counts how often it is asked."""

    def __init__(self, *signers: Signer) -> None:
        self.signers, self.asked, self.down = signers, 0, False

    def __call__(self, issuer: Issuer) -> bytes:
        self.asked += 1
        if self.down:
            raise KeysUnread("down")
        return encoded({"keys": [signer.public() for signer in self.signers]})


def at_once(work: Callable[[], None]) -> None:
    work()


def _keys(publisher: Callable[[Issuer], bytes], clock: Callable[[], float]) -> Keys:
    return Keys(monotonic=clock, read=publisher, start=at_once, limits=LIMITS)


def test_keys_are_read_when_first_needed_and_then_kept() -> None:
    publisher, clock = Publisher(ONE), Clock()
    keys = _keys(publisher, clock)
    assert publisher.asked == 0
    assert keys.age(ISSUER) is None
    for _ in range(5):
        found = keys.find(ISSUER, "one")
        assert found is not None
        assert found.thumbprint() == ONE.key.thumbprint()
    assert publisher.asked == 1
    clock.now += 5
    assert keys.age(ISSUER) == 5


def test_an_unknown_kid_reads_again_so_that_rotation_is_seen() -> None:
    publisher, clock = Publisher(ONE), Clock()
    keys = _keys(publisher, clock)
    assert keys.find(ISSUER, "one") is not None
    publisher.signers = (TWO,)
    clock.now += 30
    assert keys.find(ISSUER, "two") is not None
    assert keys.find(ISSUER, "one") is None  # withdrawn by its owner
    assert publisher.asked == 2


def test_ten_thousand_unknown_kids_cost_one_read_in_thirty_seconds() -> None:
    publisher, clock = Publisher(ONE), Clock()
    keys = _keys(publisher, clock)
    keys.find(ISSUER, "one")
    for number in range(10_000):
        assert keys.find(ISSUER, f"unknown-{number}") is None
        clock.now += 0.01
    assert publisher.asked == 1 + 3  # 100 s


def test_keys_that_are_no_longer_fresh_are_read_again_even_if_the_kid_is_known() -> None:
    publisher, clock = Publisher(ONE), Clock()
    keys = _keys(publisher, clock)
    keys.find(ISSUER, "one")
    publisher.signers = (TWO,)
    clock.now += 599
    assert keys.find(ISSUER, "one") is not None
    assert publisher.asked == 1
    clock.now += 1
    keys.find(ISSUER, "one")
    assert keys.find(ISSUER, "one") is None
    assert publisher.asked == 2


def test_old_keys_serve_while_the_server_is_down_but_not_for_ever() -> None:
    publisher, clock = Publisher(ONE), Clock()
    keys = _keys(publisher, clock)
    keys.find(ISSUER, "one")
    publisher.down = True
    clock.now += 3599
    assert keys.find(ISSUER, "one") is not None
    clock.now += 1
    assert keys.find(ISSUER, "one") is None
    publisher.down = False
    clock.now += 30
    assert keys.find(ISSUER, "one") is not None


def test_a_set_without_usable_keys_does_not_replace_the_one_before() -> None:
    clock = Clock()
    answers = [encoded({"keys": [ONE.public()]}), b"<html>", encoded({"keys": []})]
    keys = _keys(lambda _: answers.pop(0), clock)
    for _ in range(3):
        assert keys.find(ISSUER, "unknown") is None
        assert keys.find(ISSUER, "one") is not None
        clock.now += 30
    assert answers == []


def test_a_server_that_was_never_reached_is_asked_again_after_a_while() -> None:
    publisher, clock = Publisher(ONE), Clock()
    publisher.down = True
    keys = _keys(publisher, clock)
    assert keys.find(ISSUER, "one") is None
    publisher.down = False
    assert keys.find(ISSUER, "one") is None
    clock.now += 30
    assert keys.find(ISSUER, "one") is not None


def test_two_issuers_at_one_address_share_its_keys_and_two_addresses_do_not() -> None:
    publisher = Publisher(ONE)
    keys = _keys(publisher, Clock())
    other = Issuer(iss="https://other.example.org", jwks_url=ISSUER.jwks_url)
    pinned = Issuer(iss=ISSUER.iss, jwks_file=Path("keys.json"))
    for issuer in (ISSUER, other, pinned):
        assert keys.find(issuer, "one") is not None
    assert publisher.asked == 2


def test_fifty_threads_that_need_keys_at_once_make_one_read() -> None:
    publisher, gate = Publisher(ONE), threading.Barrier(50)

    def slowly(issuer: Issuer) -> bytes:
        time.sleep(0.1)
        return publisher(issuer)

    keys = Keys(monotonic=time.monotonic, read=slowly)

    def find(_: int) -> bool:
        gate.wait()
        return keys.find(ISSUER, "one") is not None

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(find, range(50)))
    assert publisher.asked == 1


def test_a_call_waits_for_a_slow_server_no_longer_than_its_limit() -> None:
    release = threading.Event()

    def hangs(_: Issuer) -> bytes:
        release.wait(10)
        raise KeysUnread("late")

    limits = Limits(wait_seconds=0.1)
    keys = Keys(monotonic=time.monotonic, read=hangs, limits=limits)
    started = time.monotonic()
    assert keys.find(ISSUER, "one") is None
    assert time.monotonic() - started < 0.5
    release.set()


def test_a_call_whose_key_is_known_does_not_wait_for_a_slow_server() -> None:
    release, clock = threading.Event(), Clock()
    publisher = Publisher(ONE)

    def read(issuer: Issuer) -> bytes:
        if publisher.asked:
            release.wait(10)
        return publisher(issuer)

    keys = Keys(monotonic=clock, read=read)
    assert keys.find(ISSUER, "one") is not None
    clock.now += 700
    started = time.monotonic()
    assert keys.find(ISSUER, "one") is not None
    assert time.monotonic() - started < 0.5
    release.set()


def test_a_process_without_threads_left_keeps_its_keys() -> None:
    publisher, clock = Publisher(ONE), Clock()
    none_left = False

    def start(work: Callable[[], None]) -> None:
        if none_left:
            raise RuntimeError("can't start new thread")
        work()

    keys = Keys(monotonic=clock, read=publisher, start=start, limits=LIMITS)
    keys.find(ISSUER, "one")
    none_left = True
    clock.now += 700
    assert keys.find(ISSUER, "one") is not None
    none_left = False
    clock.now += 30
    keys.find(ISSUER, "one")
    assert publisher.asked == 2
