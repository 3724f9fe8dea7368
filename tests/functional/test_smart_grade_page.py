"""The grading screen as a page: labels, legends, headings; nothing in it runs or styles itself."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.beside import PAGE, Room, room
from tests.builders import (
    temp,
)
from tests.functional.grading import (
    FEVER,
    ON_DRUG,
    PAGES,
    ice_of,
    send,
)
from tests.functional.page_seen import Page
from tests.unit.cds.worker.hospital import of


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A patient on teclistamab of whom nothing else is charted; nothing is confirmed here."""
    with room(tmp_path_factory.mktemp("ward"), PAGES, ON_DRUG) as found:
        yield found


@pytest.fixture(params=["first", "preview", "refused"])
def any_page(request: pytest.FixtureRequest, ward: Room) -> Page:
    if request.param == "first":
        return Page.of(ward.client.get(f"{PAGE}/").text)
    answers = {**ice_of(3), **FEVER, "systolic": "1,2", "arousal": "no"}
    to = "preview" if request.param == "preview" else "confirm"
    return Page.of(send(ward, to, answers).text)


def test_every_control_has_a_label_and_every_group_a_legend(any_page: Page) -> None:
    shown = [one for one in any_page.inputs if one.get("type") != "hidden"]
    assert len(shown) > 60
    for one in shown:
        assert any_page.labels.count(one["id"]) == 1, one
    assert all(any_page.fieldsets)
    assert any_page.loose == []
    ids = [named["id"] for _, named in any_page.tags if "id" in named]
    assert len(ids) == len(set(ids))


def test_every_group_has_a_way_to_unselect(any_page: Page) -> None:
    radios = any_page.controls("radio")
    for name in {one["name"] for one in radios}:
        assert sum(1 for one in radios if one["name"] == name and one["value"] == "") == 1
        assert sum(1 for one in any_page.checked() if one["name"] == name) == 1


def test_a_page_has_one_main_heading_and_no_level_is_left_out(any_page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in any_page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_page_has_no_script_or_style_in_it_and_no_handler(any_page: Page) -> None:
    for tag, named in any_page.tags:
        assert tag != "style"
        assert "style" not in named
        assert not any(name.startswith("on") for name in named)
        assert "hx-on" not in named
        if tag == "script":
            assert named.get("src", "").startswith("/smart/static/")


def test_every_form_carries_the_token_and_no_address_names_the_patient(any_page: Page) -> None:
    posts = [named for tag, named in any_page.tags if tag == "form"]
    tokens = [one for one in any_page.inputs if one.get("name") == "csrf"]
    assert len(tokens) == len(posts)
    for _, named in any_page.tags:
        for name in ("href", "action", "formaction", "hx-post", "src"):
            assert "p1" not in named.get(name, "").split("/")


def test_enter_updates_and_never_confirms(any_page: Page) -> None:
    buttons = [named for tag, named in any_page.tags if tag == "button"]
    of_form = [one for one in buttons if "Leave" not in one.get("class", "")][-2:]
    assert "formaction" not in of_form[0]
    assert of_form[1]["formaction"].endswith("/confirm")


def test_a_problem_is_named_at_its_control_and_linked_from_the_top(ward: Room) -> None:
    seen = Page.of(send(ward, "confirm", {"systolic": "1,2"}).text)
    (control,) = (one for one in seen.inputs if one.get("name") == "systolic")
    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == "e-systolic"
    assert any(named.get("id") == "e-systolic" for _, named in seen.tags)
    assert any(named.get("href") == "#q-systolic" for _, named in seen.tags)
    assert any(named.get("role") == "alert" for _, named in seen.tags)


def test_htmx_gets_the_result_alone_and_a_browser_without_it_the_whole_page(ward: Room) -> None:
    part = send(ward, "preview", {"arousal": "voice"}, part=True).text
    whole = send(ward, "preview", {"arousal": "voice"}).text
    assert "<form" not in part
    assert "<form" in whole
    assert {one["value"] for one in Page.of(whole).checked()} == {"", "voice"}
    assert "ICANS grade at least 2" in part
    assert "ICANS grade at least 2" in whole


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7*7 }}",
        "'; DROP TABLE statements; --",
        "&lt;b&gt;",
        "javascript:alert(1)",
    ],
)
def test_what_is_entered_comes_back_as_text_alone(ward: Room, text: str) -> None:
    seen = Page.of(send(ward, "preview", {"ice-not-performed": text, "systolic": text}).text)
    kept = {one["name"]: one["value"] for one in seen.controls("text")}
    assert kept["ice-not-performed"] == text
    scripts = [named for tag, named in seen.tags if tag == "script"]
    assert all(one["src"].startswith("/smart/static/") for one in scripts)
    assert not any(tag == "img" for tag, _ in seen.tags)


def test_the_text_of_the_record_is_shown_as_it_is_and_does_nothing(tmp_path: Path) -> None:
    odd = of(temp(38.6))
    odd["bodySite"] = {"text": "<script>*oral*</script> & _ear_"}
    with room(tmp_path, PAGES, [*ON_DRUG, odd]) as here:
        seen = Page.of(here.client.get(f"{PAGE}/").text)
    assert "<script>*oral*</script> & _ear_" in seen.flat
    scripts = [attributes for tag, attributes in seen.tags if tag == "script"]
    assert all(dict(one)["src"].startswith("/smart/static/") for one in scripts)
