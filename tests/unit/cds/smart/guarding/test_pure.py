"""Origins, cookies and policies without a request."""

import pytest
from msgspec.structs import replace
from werkzeug.datastructures import Headers

from cds.smart.guarding.cookies import is_launch_id, secrets_of
from cds.smart.guarding.guard import from_here, origin_of
from cds.smart.guarding.headers import headers, policy
from tests.unit.cds.smart.guarding.front_door import EHR, site


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://cds.example.org", "https://cds.example.org"),
        ("https://CDS.example.org:443/smart/", "https://cds.example.org"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("null", ""),
        ("", ""),
        ("file:///x", ""),
        ("https://", ""),
        ("https://cds.example.org:x", ""),
        ("https://cds.example.org:99999", ""),
        ("https://[", ""),
    ],
)
def test_an_origin_is_written_as_a_browser_writes_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_no_origin_is_nobodys() -> None:
    assert not from_here(Headers({"Origin": "null"}), "https://cds.example.org")
    assert not from_here(Headers(), "https://cds.example.org")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("0" * 32, True), ("0" * 31, False), ("A" * 32, False), ("0" * 32 + "\n", False), ("", False)],
)
def test_the_id_of_a_launch_has_one_form(text: str, is_one: bool) -> None:
    assert is_launch_id(text) is is_one


def test_only_cookies_of_our_form_are_looked_at() -> None:
    good = {f"__Host-btce-{'a' * 32}": "1" * 64}
    bad = {
        "session": "1" * 64,
        "b" * 32: "1" * 64,
        f"btce-{'c' * 32}": "1" * 64,
        f"__Secure-btce-{'d' * 32}": "1" * 64,
        f"__Host-btce-{'e' * 31}": "1" * 64,
        f"__Host-btce-{'f' * 32}": "1" * 63,
    }

    assert secrets_of(good | bad) == {"a" * 32: "1" * 64}


def test_only_the_ehrs_of_the_site_may_frame_it() -> None:
    ward = site()
    assert ward.smart is not None
    two = replace(ward.smart, ehr_origins=frozenset({EHR, "https://a.example.org"}))
    alone = replace(ward.smart, ehr_origins=frozenset())

    assert policy(replace(ward, smart=two)).endswith(
        f"; frame-ancestors 'self' https://a.example.org {EHR}"
    )
    assert policy(replace(ward, smart=alone)).endswith("; frame-ancestors 'self'")
    assert policy(replace(ward, smart=None)).endswith("; frame-ancestors 'none'")
    assert policy(None).endswith("; frame-ancestors 'none'")


def test_nothing_inline_and_nothing_from_elsewhere_is_ever_allowed() -> None:
    for found in (policy(None), policy(site())):
        assert "unsafe" not in found
        assert "*" not in found
        assert found.startswith("default-src 'none'; ")
    assert "X-Frame-Options" not in headers(site())
