"""Over five hundred texts that try to be more than text, through every page of the bedside app.

Parsed as a browser would parse it, a page has no element, no attribute and no address that it would
not have with ordinary words.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Blueprint, g
from werkzeug.test import TestResponse

from cards.escape import plain
from cds.smart.oauth import LaunchRefused
from cds.smart.oauth.asking import ask
from cds.smart.oauth.discovery import Server
from cds.smart.pages import advice, grade, handover, rems, statements, timeline
from cds.smart.pages.worklist import worklist_routes
from cds.smart.parts import Parts
from cds.store import Store, open_store
from cds.store.cohort import Cohort
from cds.store.recent import Recent
from cds.store.rows import Watched
from cds.store.statements_kept import StatementRow
from tests.beside import PAGE, Room, other, room
from tests.builders import NOW, Json, patient, teclistamab
from tests.functional.page_seen import Page
from tests.hostile_chart import chart
from tests.hostile_text import FOREIGN, HOSTILE
from tests.unit.cds.smart.guarding.front_door import AUTHORIZE, PUBLIC, front_door, site
from tests.unit.cds.worker.hospital import of


T = TypeVar("T")


def by(size: int, items: Sequence[T]) -> list[Sequence[T]]:
    """In groups of so many, the last one smaller."""
    return [items[start : start + size] for start in range(0, len(items), size)]


ORDINARY = ("Sam", "Lee", "Kim", "Ash")
LOOKED_AT = ("", "advice", "timeline", "statements", "handover", "rems")
REASON = ("asleep", "36.6", "120", "97", "")  # with numbers that can be used
GROUPS = by(len(ORDINARY), HOSTILE)
EVERYBODY = frozenset({"user/*.rs", "patient/*.rs", "openid", "fhirUser"})
# Whatever leads somewhere, loads, sends, styles or runs; its value is part of what is compared.
_DOES = re.compile(r"href|src|action|formaction|hx-.*|style|id|class|type|name|role|for|target|rel")
_FREE = frozenset({"submission", "csrf"})


def test_there_are_at_least_five_hundred_different_texts() -> None:
    assert len(set(HOSTILE)) >= 500


class Ward:
    """A room in which the test says who the patient is."""

    def __init__(self, opened: Room, store: Store) -> None:
        self.room = opened
        self.store = store
        self.patient = "p1"

    def put(self, who: str, texts: Sequence[str]) -> None:
        """Chart a patient of these texts, if any, and turn to them."""
        some = chart(who, texts) if texts else [patient(who), of(teclistamab(), who)]
        self.room.chart(*some)
        self.patient = who

    def get(self, page: str) -> TestResponse:
        return self.room.client.get(f"{PAGE}/{page}")

    def post(self, page: str, answers: dict[str, str], *, part: bool = False) -> TestResponse:
        headers = {"HX-Request": "true"} if part else {}
        return self.room.client.post(f"{PAGE}/{page}", data=answers, headers=headers)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with ward_in(tmp_path_factory.mktemp("ward")) as found:
        yield found


@contextmanager
def ward_in(folder: Path) -> Iterator[Ward]:
    """Open with every page that a launch has, until the block ends."""
    turned: list[Ward] = []

    def turn(smart: Blueprint, _: Parts) -> None:
        @smart.before_request
        def sit() -> None:
            if turned:
                g.bedside = other(g.bedside, patient=turned[0].patient)

    def worklist(smart: Blueprint, parts: Parts) -> None:
        routes = worklist_routes(lambda *_: "/", Cohort(store), Recent(store))
        routes(smart, parts)

    url = f"sqlite:///{folder / 'store.db'}"
    store = open_store(url)
    every = (grade, advice, timeline, statements, handover, rems)
    pages = (turn, *(one.add_routes for one in every), worklist)
    try:
        with room(folder, pages, [], scopes=EVERYBODY) as opened:
            turned.append(Ward(opened, store))
            yield turned[0]
    finally:
        store.close()


@pytest.fixture(scope="module")
def usual(ward: Ward) -> dict[str, set[object]]:
    """What each page is made of for ordinary words, and with nothing wrong entered."""
    ward.put("ordinary", ORDINARY)
    found = {page: made_of(ward.get(page).text) for page in LOOKED_AT}
    ward.put("entered", ())
    for name, part in (("preview", False), ("part", True)):
        entered = [ORDINARY, ["much too long " * 20] * 5, ["1,2"] * 5, REASON]
        found[name] = set().union(
            *(made_of(_entered(ward, texts, part=part).text) for texts in entered)
        )
    return found


def made_of(text: str) -> set[object]:
    """Elements with their attributes; the value too of those that do something."""
    return {(tag, _attributes(named)) for tag, named in Page.of(text).tags}


def _attributes(named: dict[str, str]) -> tuple[object, ...]:
    kept = {
        name: value if _DOES.fullmatch(name) and named.get("name") not in _FREE else ""
        for name, value in named.items()
        if name != "checked"
    }
    return tuple(sorted(kept.items()))


def shown(text: str) -> str:
    """Without white space and what no parser keeps."""
    return re.sub(r"[\s\x00\ufffd]", "", text)


def _entered(ward: Ward, texts: Sequence[str], *, part: bool = False) -> TestResponse:
    """The form with five texts where it takes words and where it does not."""
    words = [*texts, *ORDINARY][:5]
    names = ("ice-not-performed", "temperature-cel", "systolic", "saturation", "oxygen-flow")
    answers = dict(zip(names, words, strict=True))
    more = {"submission": words[0], "arousal": words[1], "attribution-crs": words[2]}
    return ward.post("preview", {"csrf": "the-csrf-token", **answers, **more}, part=part)


def test_a_record_full_of_such_texts_adds_nothing_to_any_page(
    ward: Ward, usual: dict[str, set[object]]
) -> None:
    """Each text on two of the pages in turn; `tests/browser` shows every text on all of them."""
    for number, texts in enumerate(GROUPS):
        ward.put(f"record-{number}", texts)
        for page in (LOOKED_AT[number % 6], LOOKED_AT[(number + 3) % 6]):
            answer = ward.get(page)
            assert answer.status_code == 200, (page, texts)
            extra = made_of(answer.text) - usual[page]
            assert not extra, (page, texts, extra)
            said = shown(Page.of(answer.text).flat)
            for text in texts:  # name, sex and both identifiers: on every page
                assert shown(text) in said, (page, text)
            assert FOREIGN not in str(answer.headers)


def test_what_is_entered_in_the_form_adds_nothing_to_the_page(
    ward: Ward, usual: dict[str, set[object]]
) -> None:
    ward.put("entered", ())
    for texts in by(5, HOSTILE):
        answer = _entered(ward, texts)
        assert answer.status_code == 200
        extra = made_of(answer.text) - usual["preview"]
        assert not extra, (texts, extra)
        kept = {shown(one["value"]) for one in Page.of(answer.text).controls("text")}
        assert [one for one in texts if not {shown(one), shown(plain(one)[:200])} & kept] == []


def test_a_reason_given_in_words_adds_nothing_to_the_part_that_is_replaced(
    ward: Ward, usual: dict[str, set[object]]
) -> None:
    ward.put("entered", ())
    for text in HOSTILE:
        answer = _entered(ward, [text, *REASON[1:]], part=True)
        assert answer.status_code == 200
        extra = made_of(answer.text) - usual["part"]
        assert not extra, (text, extra)


def test_what_was_stated_in_words_adds_nothing_to_the_page_of_statements(ward: Ward) -> None:
    ward.put("stated", ORDINARY)
    made = made_of(_stated(ward, ORDINARY, "usual"))
    text = _stated(ward, HOSTILE, "hostile")
    said = shown(Page.of(text).flat)
    assert _without_numbers(made_of(text)) <= _without_numbers(made)
    assert [one for one in HOSTILE if shown(one) not in said] == []


def _stated(ward: Ward, texts: Sequence[str], name: str) -> str:
    ward.room.parts.kept.keep(
        [
            StatementRow(
                site="ward",
                patient="stated",
                submission=f"{name}-{text}"[:32] if name == "usual" else f"{number:032x}",
                position=0,
                kind="ice-total",
                resource=json.dumps(_unperformed(text)),
                charted_at=NOW - timedelta(minutes=1),
                ref=text,
                state="written",
            )
            for number, text in enumerate(texts)
        ]
    )
    return ward.get("statements").text


def _unperformed(text: str) -> Json:
    return {
        "resourceType": "Observation",
        "code": {"text": text},
        "dataAbsentReason": {"text": text},
        "performer": [{"reference": text}],
    }


def _without_numbers(made: set[object]) -> set[str]:
    """Headings and their sections are numbered; how many there are is not of interest."""
    return {re.sub(r"form-\d+", "form-", str(one)) for one in made}


def test_names_and_wards_add_nothing_to_the_worklist(tmp_path: Path) -> None:
    with ward_in(tmp_path) as ward:
        usual = _without_keys(made_of(_listed(ward, [ORDINARY], "usual")))
        for number, groups in enumerate(by(20, GROUPS)):
            text = _listed(ward, groups, f"listed-{number}")
            made = _without_keys(made_of(text))
            assert made <= usual, made - usual
            assert text.count("<tr>") == len(groups) + 1


def _listed(ward: Ward, groups: Sequence[Sequence[str]], name: str) -> str:
    names = [f"{name}-{number}" for number, _ in enumerate(groups)]
    for who, texts in zip(names, groups, strict=True):
        some = [*chart(who, texts)[:3], of(teclistamab(resource_id=f"tec-{who}"), who)]
        ward.room.sandbox.load(some, now=NOW)
    Cohort(ward.store).forget(NOW + timedelta(days=365))
    Cohort(ward.store).watch(
        [
            Watched(
                site="ward",
                patient=who,
                agent="teclistamab",
                last_dose=NOW - timedelta(hours=24),
                until=NOW + timedelta(days=44),
                seen_at=NOW,
            )
            for who in names
        ]
    )
    answer = ward.get("worklist")
    assert answer.status_code == 200
    assert "could not be read" not in answer.text, re.findall("could not be read[^<]*", answer.text)
    return answer.text


def _without_keys(made: set[object]) -> set[str]:
    return {re.sub(r"(open-|unit=)[0-9a-f]+", r"\1", str(one)) for one in made}


def test_such_issuers_are_answered_with_the_same_page(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        usual = door.app.test_client().get("/smart/launch?iss=none&launch=x")
        for text in HOSTILE:
            query = {"iss": text, "launch": text}
            answer = door.app.test_client().get("/smart/launch", query_string=query)
            assert answer.text == usual.text
            assert answer.status_code == usual.status_code == 400
            assert dict(answer.headers) == dict(usual.headers)


def test_such_launches_stay_one_argument_of_one_address_or_are_refused() -> None:
    here = site()
    assert here.smart is not None
    asked = 0
    for text in HOSTILE:
        try:
            found = ask(
                here,
                here.smart,
                Server(authorization_endpoint=AUTHORIZE, token_endpoint=AUTHORIZE),
                launch=text,
                launch_id="0" * 32,
                redirect_uri=f"{PUBLIC}/smart/callback",
                now=NOW,
            )
        except LaunchRefused:
            continue
        asked += 1
        address = urlsplit(found.url)
        assert f"{address.scheme}://{address.netloc}{address.path}" == AUTHORIZE
        assert parse_qs(address.query)["launch"] == [text]
        assert parse_qs(address.query)["redirect_uri"] == [f"{PUBLIC}/smart/callback"]
        assert found.url.isascii()
        assert not set(found.url) & set("<>\"'\\ \r\n")
    assert asked > 200


def test_such_answers_of_an_authorization_server_are_not_repeated(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        usual = [
            door.app.test_client().get(f"/smart/callback?{query}").text
            for query in ("state=x&code=x", f"state={'x' * 9000}")
        ]
        for text in HOSTILE:
            every = dict.fromkeys(("state", "code", "error", "error_description", "iss"), text)
            answer = door.app.test_client().get("/smart/callback", query_string=every)
            assert answer.status_code in (400, 403)
            assert answer.text in usual
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "Set-Cookie" not in answer.headers
