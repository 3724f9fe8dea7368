"""No spelling of a foreign address gets a connection or a token: `fhirServer`, `next`, references.

CDS Hooks 2.0.1, "Security and Safety": the token is for the EHR's own FHIR server. Every name is
resolved to this machine here, where a canary listens on the port that the spellings lead to.
"""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from cds.errors import AnotherPatient
from cds.fhir_fetch import Failure, read_missing
from cds.fhir_guard import GuardedSession
from cds.fhir_urls import is_below
from cds.hook_request import parse
from cds.pipeline import evaluate
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conftest import CheckedClient
from tests.functional.bodies import NOW, Json, draft, fever, order_sign, vital, with_value, without
from tests.functional.fhir_upstream import TOKEN, Listener, Upstream, page, reply


OWN, CANARY = "{own}", "{canary}"  # the ports of the site's server and of the canary
# Spellings of a base that is not http://127.0.0.1:{own}/fhir, though it looks, decodes or resolves
# like it to one reader or another.
SPELLINGS = [
    # the authority: user names, hosts beside and around the own one
    "http://127.0.0.1:{own}@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1@127.0.0.1:{canary}/fhir",
    "http://user:secret@127.0.0.1:{own}/fhir",
    "http://@127.0.0.1:{own}/fhir",
    "http://:@127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{own}%40127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}%2f@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}%00@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}%23@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}#@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}?@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}\\@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own};@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}&@127.0.0.1:{canary}#@127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}\\@127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}#@127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}?@127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}/http://127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}?http://127.0.0.1:{own}/fhir",
    "http://127.0.0.1:{canary}#http://127.0.0.1:{own}/fhir",
    "http://127.0.0.1.evil.example:{canary}/fhir",
    "http://evil.example:{canary}/127.0.0.1:{own}/fhir",
    "http://127.0.0.1-evil.example:{canary}/fhir",
    "http://evil127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}.evil.example:{canary}/fhir",
    "http://ehr.example:{canary}/fhir",
    "http://EHR.EXAMPLE:{canary}/fhir",
    "http://ehr.example.:{canary}/fhir",
    "http://xn--hr-mhc.example:{canary}/fhir",
    "http://ehr。example:{canary}/fhir",
    "http://\u0435hr.example:{canary}/fhir",
    "http://ⓔⓗⓡ.example:{canary}/fhir",
    "http://eh\u00adr.example:{canary}/fhir",
    "http://eh\u200br.example:{canary}/fhir",
    "http://ehr.example%2eevil:{canary}/fhir",
    "http://ehr.example,evil.example:{canary}/fhir",
    # other writings of the own address
    "http://localhost:{own}/fhir",
    "http://LOCALHOST:{own}/fhir",
    "http://127.0.0.1.:{own}/fhir",
    "http://127.1:{own}/fhir",
    "http://127.0.1:{own}/fhir",
    "http://127.000.000.001:{own}/fhir",
    "http://0177.0.0.1:{own}/fhir",
    "http://0177.0.0.01:{own}/fhir",
    "http://017700000001:{own}/fhir",
    "http://0x7f.0.0.1:{own}/fhir",
    "http://0x7f000001:{own}/fhir",
    "http://0X7F.0X0.0X0.0X1:{own}/fhir",
    "http://2130706433:{own}/fhir",
    "http://0:{own}/fhir",
    "http://0.0.0.0:{own}/fhir",
    "http://127.0.0.2:{own}/fhir",
    "http://127.0.0.1%20:{own}/fhir",
    "http://127.0.0.1%00:{own}/fhir",
    "http://%31%32%37.0.0.1:{own}/fhir",
    "http://①②⑦.⓪.⓪.①:{own}/fhir",
    "http://\uff11\uff12\uff17.0.0.1:{own}/fhir",
    "http://127。0。0。1:{own}/fhir",
    "http://[::1]:{own}/fhir",
    "http://[::ffff:127.0.0.1]:{own}/fhir",
    "http://[::ffff:7f00:1]:{own}/fhir",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{own}/fhir",
    "http://[::127.0.0.1]:{own}/fhir",
    "http://[::1%25lo]:{own}/fhir",
    "http://[::]:{own}/fhir",
    "http://[127.0.0.1]:{own}/fhir",
    "http://[v1.x]:{own}/fhir",
    "http://[::1:{own}/fhir",
    "http://::1:{own}/fhir",
    # ports
    "http://127.0.0.1:{canary}/fhir",
    "http://127.0.0.1/fhir",
    "http://127.0.0.1:/fhir",
    "http://127.0.0.1:0/fhir",
    "http://127.0.0.1:80/fhir",
    "http://127.0.0.1:{own}0/fhir",
    "http://127.0.0.1:{own}:{canary}/fhir",
    "http://127.0.0.1:{own},{canary}/fhir",
    "http://127.0.0.1:-{own}/fhir",
    "http://127.0.0.1:+{own}x/fhir",
    "http://127.0.0.1:{own}%20/fhir",
    "http://127.0.0.1:99999999/fhir",
    # schemes
    "https://127.0.0.1:{own}/fhir",
    "ftp://127.0.0.1:{canary}/fhir",
    "file://127.0.0.1:{own}/fhir",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{canary}/fhir",
    "ws://127.0.0.1:{canary}/fhir",
    "javascript:alert(1)",
    "data:application/fhir+json,{}",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "jar:http://127.0.0.1:{canary}/fhir",
    "http+unix://127.0.0.1:{canary}/fhir",
    "httpx://127.0.0.1:{canary}/fhir",
    "http:127.0.0.1:{canary}/fhir",
    "http:/127.0.0.1:{canary}/fhir",
    "http:///127.0.0.1:{canary}/fhir",
    "http:////127.0.0.1:{canary}/fhir",
    "http:\\\\127.0.0.1:{canary}\\fhir",
    "http:/\\127.0.0.1:{canary}/fhir",
    "http//127.0.0.1:{canary}/fhir",
    "://127.0.0.1:{canary}/fhir",
    "//127.0.0.1:{canary}/fhir",
    "/\\127.0.0.1:{canary}/fhir",
    "\\\\127.0.0.1:{canary}\\fhir",
    "127.0.0.1:{canary}/fhir",
    "http://",
    "http:",
    "",
    # white space and characters that some readers drop
    "http://127.0.0.1:{canary}/fhir ",
    " http://127.0.0.1:{canary}/fhir",
    "\thttp://127.0.0.1:{canary}/fhir",
    "\nhttp://127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}\t@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}\n@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{own}\r\nHost: evil.example/fhir",
    "http://127.0.0.1:{own} @127.0.0.1:{canary}/fhir",
    "http://127.0.0.1 :{own}/fhir",
    "http://127.0.0.\u00001:{own}/fhir",
    "ht\ttp://127.0.0.1:{canary}/fhir",
    "http://\u2028127.0.0.1:{canary}/fhir",
    "http://127.0.0.1:{canary}\u2044fhir",
    "http://127.0.0.1\uff0f@127.0.0.1:{canary}/fhir",
    "http://127.0.0.1\ufe55{canary}/fhir",
    # paths that are not below the base
    "http://127.0.0.1:{own}",
    "http://127.0.0.1:{own}/",
    "http://127.0.0.1:{own}/fhir2",
    "http://127.0.0.1:{own}/fhirevil",
    "http://127.0.0.1:{own}/FHIR",
    "http://127.0.0.1:{own}/fhi",
    "http://127.0.0.1:{own}/admin",
    "http://127.0.0.1:{own}//fhir",
    "http://127.0.0.1:{own}/./fhir2",
    "http://127.0.0.1:{own}/fhir/../admin",
    "http://127.0.0.1:{own}/fhir/..",
    "http://127.0.0.1:{own}/fhir/../fhir2",
    "http://127.0.0.1:{own}/fhir/%2e%2e/admin",
    "http://127.0.0.1:{own}/fhir/%2E%2E/admin",
    "http://127.0.0.1:{own}/fhir/.%2e/admin",
    "http://127.0.0.1:{own}/fhir/%252e%252e/admin",
    "http://127.0.0.1:{own}/fhir%2f..%2fadmin",
    "http://127.0.0.1:{own}/fhir/..%2fadmin",
    "http://127.0.0.1:{own}/fhir/..%5cadmin",
    "http://127.0.0.1:{own}/fhir/..\\admin",
    "http://127.0.0.1:{own}/fhir/..;/admin",
    "http://127.0.0.1:{own}/fhir;/../admin",
    "http://127.0.0.1:{own}/fhir/;x=1/admin",
    "http://127.0.0.1:{own}/fhir/%c0%ae%c0%ae/admin",
    "http://127.0.0.1:{own}/fhir/\uff0e\uff0e/admin",
    "http://127.0.0.1:{own}/%66hir",
    "http://127.0.0.1:{own}/fhir%00",
    "http://127.0.0.1:{own}/fhir%20",
]


# requests undoes these escapes itself and would ask the own server; the link is not followed.
OWN_TO_REQUESTS = {
    "http://@127.0.0.1:{own}/fhir",
    "http://%31%32%37.0.0.1:{own}/fhir",
    "http://127.0.0.1:{own}/%66hir",
}


class Reach:
    """The site's own server, the canary, and every name that anything wanted to have resolved."""

    def __init__(self, own: Upstream, canary: Listener, names: list[str]) -> None:
        self.own, self.canary, self.names = own, canary, names

    def spelled(self, text: str) -> str:
        return text.replace(OWN, str(self.own.port)).replace(CANARY, str(self.canary.port))

    def untouched(self, *, asked: int = 0) -> None:
        """Nothing was connected to but the own server, `asked` times."""
        assert self.canary.connections == 0
        assert self.canary.heard == b""
        assert self.own.connections == asked
        assert set(self.names) <= {"127.0.0.1"}


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    names: list[str] = []
    real = socket.getaddrinfo

    def here(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        names.append(host)
        return real("127.0.0.1", port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    own, canary = Upstream(), Listener()
    yield Reach(own, canary, names)
    own.close()
    canary.close()


def authorised(body: Json, server: str) -> Json:
    token = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "btce",
    }
    return {**body, "fhirServer": server, "fhirAuthorization": token}


def test_there_are_at_least_120_spellings_and_no_two_are_the_same() -> None:
    assert len(set(SPELLINGS)) == len(SPELLINGS) >= 120


def test_the_canary_would_hear_a_connection(reach: Reach) -> None:
    with pytest.raises(requests.ReadTimeout), requests.Session() as session:
        session.get(reach.spelled("http://ehr.example:{canary}/fhir"), timeout=0.2)
    assert reach.canary.connections == 1


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_a_foreign_fhir_server_is_refused_without_a_word_to_anyone(
    spelling: str, reach: Reach, client_for: Any
) -> None:
    client: CheckedClient = client_for(fhir_base=reach.own.base)
    body = without(order_sign(*fever()), "prefetch.vitals")
    response = client.call(authorised(body, reach.spelled(spelling)))
    assert response.status_code == 400
    assert TOKEN not in response.text
    reach.untouched()


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("tail", ["", "/Observation?page=2"], ids=["alone", "below"])
def test_a_foreign_next_link_is_not_followed(spelling: str, tail: str, reach: Reach) -> None:
    link = reach.spelled(spelling) + tail
    reach.own.does["vitals"] = reply(page(vital("8310-5", 38.6, "Cel"), following=link))
    reach.own.otherwise = reply(page())
    request = parse(json.dumps(without(order_sign(), "prefetch.vitals")).encode())
    found = read_missing(request, PREFETCH, base=reach.own.base, token=TOKEN, seconds=2)
    if link:
        assert found.failed == (Failure("vitals", "foreign-link", partial=True),)
    reach.untouched(asked=1)

    sent = with_value(order_sign(), "prefetch.vitals", page(following=link))
    found = read_missing(
        parse(json.dumps(sent).encode()), PREFETCH, base=reach.own.base, token=TOKEN, seconds=2
    )
    reach.untouched(asked=1)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_a_foreign_reference_is_never_read(
    spelling: str, reach: Reach, library: Library, codes: CodeSets, site: Any
) -> None:
    place = reach.spelled(spelling)
    for made in (_drafted(f"{place}/Medication/m1"), _drafted(place), _observed(place)):
        request = parse(json.dumps(authorised(made, reach.own.base)).encode())
        found = read_missing(request, PREFETCH, base=reach.own.base, token=TOKEN, seconds=2)
        assert found.failed == ()
        own = type(site)(id="demo", fhir_base=reach.own.base, protocol="us-label", zone=site.zone)
        with contextlib.suppress(AnotherPatient):  # also an answer, and one that asks nobody
            evaluate(found.request, site=own, library=library, codes=codes, now=NOW)
    reach.untouched()


def _drafted(reference: str) -> Json:
    order = draft()
    del order["medicationCodeableConcept"]
    return order_sign(drafts=({**order, "medicationReference": {"reference": reference}},))


def _observed(place: str) -> Json:
    reading = vital("8310-5", 38.6, "Cel")
    reading["subject"] = {"reference": f"{place}/Patient/p1"}
    body = order_sign(reading)
    body["prefetch"]["vitals"]["entry"][0]["fullUrl"] = f"{place}/Observation/o1"
    return body


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_the_guarded_session_connects_to_no_spelling(spelling: str, reach: Reach) -> None:
    with GuardedSession(reach.own.base, TOKEN, seconds=2) as session:
        for url in (reach.spelled(spelling), reach.spelled(spelling) + "/Patient/p1"):
            if spelling in OWN_TO_REQUESTS:
                continue
            with pytest.raises((requests.RequestException, ValueError)):
                session.get(url)
    assert reach.canary.connections == 0
    assert set(reach.names) <= {"127.0.0.1"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{own}/fhir/Patient/p1",
        "http://127.0.0.1:{own}/fhir/Observation?patient=p1&code=http://loinc.org|8310-5",
        "http://127.0.0.1:{own}/fhir/Observation/_search?page=2",
        "http://127.0.0.1:{own}/fhir/Observation/?_page_token=a%2Bb%3D",
        "http://127.0.0.1:{own}/fhir?_getpages=1-2&_getpagesoffset=20&_bundletype=searchset",
        "http://127.0.0.1:{own}/fhir/Patient/p1/_history/2",
        "HTTP://127.0.0.1:{own}/fhir/Patient/p1",
    ],
)
def test_the_spellings_of_real_servers_are_followed(url: str, reach: Reach) -> None:
    assert is_below(reach.own.base, reach.spelled(url))
    assert is_below(reach.own.base + "/", reach.spelled(url))


def test_the_base_is_compared_without_case_of_the_host_and_with_the_ports_of_the_schemes() -> None:
    base = "https://EHR.example/fhir"
    assert is_below(base, "https://ehr.EXAMPLE:443/fhir/Patient/p1")
    assert not is_below(base, "https://ehr.example:80/fhir/Patient/p1")
    assert not is_below(base, "http://ehr.example/fhir/Patient/p1")
    assert not is_below("https://ehr.example/fhir", "https://ehr.example.evil/fhir/Patient/p1")
    assert not is_below("https://ehr.example", "https://ehr.example@evil/Patient/p1")
    assert not is_below("https://ehr.example", "https://ehr.example.evil/Patient/p1")
    assert is_below("https://ehr.example", "https://ehr.example/Patient/p1")


def test_a_url_that_is_too_long_is_not_followed() -> None:
    base = "https://ehr.example/fhir"
    assert not is_below(base, f"{base}/Patient?x=" + "a" * 9000)


def test_a_server_that_redirects_to_the_canary_is_not_followed(reach: Reach) -> None:
    request = parse(json.dumps(without(order_sign(), "prefetch.vitals")).encode())
    for status in (301, 302, 303, 307, 308):
        target = reach.spelled("http://127.0.0.1:{canary}/fhir")
        reach.own.does["vitals"] = reply(b"", status=status, Location=target)
        found = read_missing(request, PREFETCH, base=reach.own.base, token=TOKEN, seconds=2)
        assert found.failed == (Failure("vitals", "redirect"),)
    reach.untouched(asked=5)
