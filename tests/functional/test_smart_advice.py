"""The advice page says what the hook answers for the same facts, and all that its cards say."""

import html
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import g
from flask.testing import FlaskClient
from msgspec import Struct

from cards import plain
from cards.units import number, time
from cds.app import create_app
from cds.config import Settings
from cds.demo import patients
from cds.demo.story import Story, load
from cds.errors import DataUnavailable
from cds.fhir_fetch import Failure
from cds.pipeline import EXTENSION, Evaluation
from cds.smart.advised import look
from cds.smart.at_hand import PatientRecord
from cds.smart.pages import advice, grade, handover, rems
from cds.smart.parts import Bedside
from cds.smart.prose import blocks
from cds.store import Spool, open_store
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.beside import PAGE, Room, Time, room
from tests.builders import NOW, Json
from tests.databases import migrated
from tests.unit.cds.worker.hospital import of


STORIES = load()
PROTOCOLS = ("us-label", "community-sop", "nhs-waht")
MEMBERS = ("disposition", "nextDose", "medications", "tocilizumab", "anakinra", "rems")
PAGES = (grade.add_routes, advice.add_routes, handover.add_routes, rems.add_routes)
EVERY = pytest.mark.parametrize(
    ("story", "protocol"), [(story, one) for story in STORIES for one in PROTOCOLS]
)
ENCODER = msgspec.json.Encoder(decimal_format="number")
LONDON = ZoneInfo("Europe/London")
HOSTILE = "<script>a</script> [x](http://e.io) **b** &"


class Ward(Struct):
    """Every demo patient on one FHIR server, under one protocol. `here`: whose page is asked."""

    room: Room
    hook: FlaskClient
    here: Bedside

    def at(self, story: Story, **site: Any) -> None:
        """From now on the pages are about this patient, at a site with these settings."""
        at, context = self.room.here.site, self.room.here.context
        launch = f"{story.position:032x}"
        self.here = Bedside(
            context=msgspec.structs.replace(context, patient=story.id, launch=launch),
            site=msgspec.structs.replace(at, **site),
        )

    def page(self, name: str) -> str:
        answer = self.room.client.get(f"{PAGE}/{name}")
        assert answer.status_code == 200
        return answer.text

    def vitals_fail(self) -> None:
        """From now on the server has answered all but the vital signs."""
        with self.room.app.test_request_context(f"{PAGE}/advice"):
            g.bedside = self.here
            found = look(self.room.parts, keep=False).record
        asked = {k: v for k, v in found.request.prefetch.items() if k != "vitals"}
        record = PatientRecord(
            request=msgspec.structs.replace(found.request, prefetch=asked),
            failed=(Failure("vitals", "server-error"),),
            at=found.at,
        )
        self.room.parts.at_hand.put(self.here.context.launch, record)

    def evaluation(self) -> Evaluation:
        """What a page evaluates."""
        with self.room.app.test_request_context(f"{PAGE}/advice"):
            g.bedside = self.here
            return look(self.room.parts).evaluation

    def asked_by_the_hook(self, story: Story) -> dict[str, Any]:
        """The patient-view answer of the whole application, everything prefetched."""
        body = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": patients.PRACTITIONER, "patientId": story.id},
            "prefetch": patients.prefetch(story, NOW),
        }
        answer = self.hook.post("/cds-services/btce-patient-view", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found


@contextmanager
def ward(folder: Path, protocol: str, library: Library, codes: CodeSets) -> Iterator[Ward]:
    resources = [
        resource
        for story in STORIES.values()
        for resource in (
            patients.patient(story, NOW),
            patients.encounter(story, NOW),
            *patients.chart(story, NOW),
        )
    ]
    url = migrated(folder / "hook.db")
    store = open_store(url)
    with room(folder, PAGES, resources, protocol=protocol) as opened:
        site = opened.here.site
        settings = Settings(
            host="127.0.0.1",
            port=0,
            public_url="http://127.0.0.1:8080",
            auth="off",
            default_site=site.id,
            sites={site.id: msgspec.structs.replace(site, smart=None)},
        )
        app = create_app(
            settings,
            library=library,
            codes=codes,
            clock=lambda: NOW,
            store=store,
            spool=Spool(folder / "hook-spool"),
        )
        found = Ward(opened, app.test_client(), opened.here)

        def sit() -> None:
            g.bedside = found.here

        opened.app.before_request_funcs.setdefault("smart", []).append(sit)
        yield found
    store.close()


@pytest.fixture(scope="module")
def wards(
    tmp_path_factory: pytest.TempPathFactory, library: Library, codes: CodeSets
) -> Iterator[dict[str, Ward]]:
    with ExitStack() as stack:
        yield {
            one: stack.enter_context(ward(tmp_path_factory.mktemp(one), one, library, codes))
            for one in PROTOCOLS
        }


def text_of(page: str) -> str:
    """What a reader sees, on one line."""
    main = page.partition('<main id="main"')[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def row(page: str, label: str) -> str:
    """The value beside a label of a table."""
    found = re.search(rf'<th scope="row">{re.escape(label)}</th><td>(.*?)</td>', page, re.DOTALL)
    assert found, label
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip()


def sentences(detail: str) -> list[str]:
    """Each line of a card's detail as its reader sees it."""
    return [" ".join(line.split()) for block in blocks(detail) for line in block.lines]


@EVERY
def test_the_page_and_the_hook_say_the_same_of_the_same_facts(
    story: str, protocol: str, wards: dict[str, Ward]
) -> None:
    here = wards[protocol]
    here.at(STORIES[story])
    hook = here.asked_by_the_hook(STORIES[story])
    told = hook["extension"][EXTENSION]
    mine = json.loads(ENCODER.encode(here.evaluation().decision.assessment))
    assert {key: mine.get(key) for key in MEMBERS} == {key: told.get(key) for key in MEMBERS}
    for scale in ("crs", "icans"):
        assert mine[scale].get("acting") == told[scale].get("acting")
    for sheet in ("handover", "rems"):
        assert "<h1>" in here.page(sheet)


@EVERY
def test_no_sentence_of_a_card_is_missing_from_the_page(
    story: str, protocol: str, wards: dict[str, Ward]
) -> None:
    here = wards[protocol]
    here.at(STORIES[story])
    seen = text_of(here.page("advice"))
    assert "The same answer as the order check" in seen
    for card in here.asked_by_the_hook(STORIES[story])["cards"]:
        assert card["summary"] in seen
        for sentence in sentences(card["detail"]):
            assert plain.text(sentence) in seen


def test_what_was_not_read_is_said_whatever_the_site_shows(wards: dict[str, Ward]) -> None:
    here, story = wards["us-label"], STORIES["fever-only"]
    for site in ({}, {"mode": "silent"}, {"off_topics": frozenset({"CRSG1", "CANNOTEVALUATE"})}):
        here.at(story, **site)
        here.vitals_fail()
        seen = {name: text_of(here.page(name)) for name in ("", "advice", "handover", "rems")}
        here.room.parts.at_hand.drop(here.here.context.launch)
        for page in seen.values():
            assert "Not read from the FHIR server: vitals: the server reports a fault." in page
        for name in ("", "handover"):
            assert "temperature: not known: vital signs not read" in seen[name]
            assert "temperature: not recorded" not in seen[name]
        assert "Missing" in seen["advice"]
        for name in ("handover", "rems"):
            assert "No CRS or ICANS event was found" not in seen[name]


@EVERY
def test_the_numbers_of_tocilizumab_are_those_of_the_assessment(
    story: str, protocol: str, wards: dict[str, Ward]
) -> None:
    here = wards[protocol]
    here.at(STORIES[story])
    decision = here.evaluation().decision
    page = here.page("advice")
    result = decision.assessment.tocilizumab
    if result is None:
        assert "part-tocilizumab" not in page
        return
    cap = here.room.parts.deployment.library.tocilizumab.cap_mg.value
    assert row(page, "Cap") == f"{number(cap)} mg a dose"
    dose = "No dose computed" if result.dose_mg is None else f"{number(result.dose_mg)} mg"
    assert row(page, "Calculated dose") == dose
    assert row(page, "Doses in this event") == str(result.doses_this_event)
    assert row(page, "Doses in the last 6 weeks") == str(result.doses_in_6_weeks)
    if result.earliest is not None:
        assert row(page, "Earliest next dose by the limits") == time(result.earliest, LONDON)
    weight = decision.tocilizumab_weight
    shown = row(page, "Weight")
    if weight is None:
        assert shown == "No recent measured weight was read"
        assert result.dose_mg is None
    else:
        assert shown.startswith(f"{number(weight.value)} kg, {time(weight.at, LONDON)} (")


def test_what_the_protocol_does_not_state_is_shown_as_not_stated(wards: dict[str, Ward]) -> None:
    wards["us-label"].at(STORIES["second-tocilizumab"])
    page = wards["us-label"].page("advice")
    assert row(page, "Dose per kilogram") == "Not stated by the active protocol"
    assert row(page, "Calculated dose") == "No dose computed"
    assert "Product</th>" not in page


def test_a_weight_nobody_measured_gives_no_dose(wards: dict[str, Ward]) -> None:
    wards["nhs-waht"].at(STORIES["no-weight"])
    page = wards["nhs-waht"].page("advice")
    assert row(page, "Weight") == "No recent measured weight was read"
    assert row(page, "Calculated dose") == "No dose computed"


def test_a_switched_off_topic_withholds_the_advice_and_says_so(wards: dict[str, Ward]) -> None:
    here, story = wards["nhs-waht"], STORIES["second-tocilizumab"]
    here.at(story)
    assert "Acute management" in here.page("advice")
    here.at(story, off_topics=frozenset({"CRSG2"}))
    for name in ("advice", "handover"):
        seen = text_of(here.page(name))
        assert "Switched off by this site" in seen
        assert "topic CRSG2" in seen
        assert "CRS grade 2" in seen
        for advice_of in (
            "Acute management",
            "neutropenic sepsis",
            "Calculated dose",
            "Hold",
            "Stop",
        ):
            assert advice_of not in seen


def test_a_switched_off_rule_withholds_the_advice_that_cites_it(wards: dict[str, Ward]) -> None:
    here = wards["nhs-waht"]
    here.at(STORIES["second-tocilizumab"], off_rules=frozenset({"nhs-waht#crs-2"}))
    for name in ("advice", "handover"):
        seen = text_of(here.page(name))
        assert re.search(r"rule nhs-waht@\d+#crs-2", seen)
        assert "Calculated dose" not in seen
        assert "neutropenic sepsis" not in seen


def test_rems_that_is_switched_off_leaves_the_rest(wards: dict[str, Ward]) -> None:
    here = wards["us-label"]
    here.at(STORIES["fever-only"], off_topics=frozenset({"REMSTECLISTAMAB"}))
    seen = text_of(here.page("advice"))
    assert "topic REMSTECLISTAMAB" in seen
    assert "Patient Wallet Card" not in seen
    assert "Rules of the sources" in seen
    assert "Patient Wallet Card" not in here.page("rems")


def test_a_silent_site_shows_the_grade_and_no_advice(wards: dict[str, Ward]) -> None:
    here = wards["nhs-waht"]
    here.at(STORIES["second-tocilizumab"], mode="silent")
    for name in ("advice", "handover"):
        seen = text_of(here.page(name))
        assert "This site runs silently" in seen
        assert "CRS grade 2" in seen
        assert "neutropenic sepsis" not in seen
        assert "Calculated dose" not in seen


def test_past_its_last_day_the_protocol_advises_nothing(tmp_path: Path) -> None:
    later = datetime(2028, 1, 10, 12, tzinfo=UTC)
    story = STORIES["second-tocilizumab"]
    resources = (
        patients.patient(story, later),
        patients.encounter(story, later),
        *patients.chart(story, later),
    )
    with room(
        tmp_path, PAGES, resources, patient=story.id, protocol="nhs-waht", clock=Time(later)
    ) as opened:
        pages = [opened.client.get(f"{PAGE}/{name}").text for name in ("advice", "handover")]
    for page in pages:
        seen = text_of(page)
        assert "CRS grade 2: protocol expired: no management advice" in seen
        assert "disposition not stated in the source" in seen
        assert "Calculated dose" not in seen
        assert "Anakinra" not in seen


def test_the_contacts_are_those_of_the_site(wards: dict[str, Ward]) -> None:
    here, story = wards["nhs-waht"], STORIES["fever-only"]
    for name in ("advice", "handover"):
        here.at(story)
        assert "No contacts are configured for this site." in text_of(here.page(name))
        here.at(story, contacts={"outreach nurses": "ask the switchboard"})
        assert "outreach nurses: ask the switchboard" in text_of(here.page(name))


def test_the_duties_of_the_programme_are_shown_and_nobody_has_read_them(
    wards: dict[str, Ward], library: Library
) -> None:
    wards["us-label"].at(STORIES["fever-only"])
    page = wards["us-label"].page("advice")
    duties = page.partition('<h2 id="part-rems"')[2].partition("</section>")[0]
    items = re.findall(r"<li>(.*?)</li>", duties)
    assert len(items) == len(library.rems["teclistamab"].duties)
    assert all("Source: " in item for item in items)
    assert "No acknowledgement of these duties was found" in duties


def test_under_a_protocol_without_rems_the_worksheet_says_so(wards: dict[str, Ward]) -> None:
    wards["nhs-waht"].at(STORIES["fever-only"])
    seen = text_of(wards["nhs-waht"].page("rems"))
    assert "The active protocol has no REMS." in seen
    assert "Duties" not in seen


def test_the_worksheet_has_the_facts_and_blanks_for_the_rest(wards: dict[str, Ward]) -> None:
    here = wards["us-label"]
    here.at(STORIES["second-tocilizumab"])
    event = here.evaluation().decision.assessment.crs.event
    page = here.page("rems")
    assert event is not None
    assert row(page, "Product") == "teclistamab"
    assert row(page, "Onset, by the record") == time(event.onset, LONDON)
    assert row(page, "Highest grade") == "2"
    assert row(page, "Tocilizumab") == "560 mg, IV, 21 Nov 2026 07:00 GMT"
    for label in (
        "Dose number (the record may not hold every dose)",
        "Grade charted by a clinician",
        "Serious, and why",
        "Reported by",
    ):
        assert row(page, label) == "To be filled in by hand"


def test_the_hand_over_says_what_was_given_and_what_to_do(wards: dict[str, Ward]) -> None:
    wards["community-sop"].at(STORIES["masked-fever"])
    page = wards["community-sop"].page("handover")
    seen = text_of(page)
    assert "Hand-over, 21 Nov 2026 12:00 GMT" in seen
    assert "teclistamab 21 mg, SC, 19 Nov 2026 14:00 GMT" in seen
    assert row(page, "Antipyretics") == "acetaminophen, 650 mg, 21 Nov 2026 08:30 GMT"
    assert row(page, "Vasopressors") == "norepinephrine, from 21 Nov 2026 09:00 GMT, running"
    assert row(page, "Corticosteroids") == "None charted"
    assert row(page, "Calculated dose") == "560 mg"
    assert "Advice: hold, until CRS has resolved." in seen
    assert "Not charted, counted as absent" in seen
    assert "Not clinically reviewed" in seen


@pytest.mark.parametrize("name", ["advice", "handover", "rems"])
def test_a_page_has_one_first_heading_and_nothing_inline(name: str, wards: dict[str, Ward]) -> None:
    wards["us-label"].at(STORIES["two-vasopressors"])
    page = wards["us-label"].page(name)
    assert page.count("<h1") == 1
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    named = re.findall(r'aria-labelledby="([^"]+)"', page)
    assert set(named) <= set(ids)
    assert not any("two-vasopressors" in link for link in re.findall(r'href="([^"]+)"', page))


@EVERY
def test_the_hand_over_is_short_enough_to_print_on_one_page(
    story: str, protocol: str, wards: dict[str, Ward]
) -> None:
    """A first measure; how much paper it takes is measured in a browser."""
    here = wards[protocol]
    here.at(STORIES[story])
    page = here.page("handover")
    assert "print.css" in page
    with here.room.client.get("/smart/static/print.css") as style:
        assert b"@page" in style.data
    assert len(text_of(page)) < 6000


def test_text_of_the_record_is_shown_and_never_marked_up(tmp_path: Path) -> None:
    story = STORIES["fever-only"]
    oxygen: Json = {
        "resourceType": "Observation",
        "id": "device",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "16206004"}]},
        "effectiveDateTime": "2026-11-21T11:45:00Z",
        "valueCodeableConcept": {"text": f"nasal cannula {HOSTILE}"},
    }
    resources = (patients.patient(story, NOW), *patients.chart(story, NOW), of(oxygen, story.id))
    with room(tmp_path, PAGES, resources, patient=story.id) as opened:
        pages = [opened.client.get(f"{PAGE}/{name}").text for name in ("advice", "handover")]
    for page in pages:
        assert "<script>a" not in page
        assert HOSTILE in html.unescape(page)


def test_a_patient_who_cannot_be_read_is_no_empty_page(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, [], patient="nobody") as opened:
        opened.app.testing = True
        with pytest.raises(DataUnavailable):
            opened.client.get(f"{PAGE}/advice")
