"""Pages of one search show each resource exactly once, whatever is written meanwhile."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demo.fhir_sandbox import NOW, Client, observation, ref, served


@pytest.fixture(scope="module")
def fhir() -> Iterator[Client]:
    with served() as client:
        yield client


def pages(fhir: Client, path: str) -> Iterator[list[str]]:
    """`Type/id` of each page, following the links."""
    link: str | None = path
    while link is not None:
        found = fhir.bundle(link)
        yield [ref(one["resource"]) for one in found.get("entry", [])]
        links = {one["relation"]: one["url"] for one in found["link"]}
        link = links.get("next")


@settings(max_examples=40, deadline=None)  # many requests each
@given(
    count=st.integers(1, 7),
    there=st.integers(0, 20),
    sort=st.sampled_from(["_id", "-_id", "-date,_id", "code"]),
    between=st.lists(st.sampled_from(["create", "delete", "update"]), max_size=6),
)
def test_each_exactly_once_while_others_come_and_go(
    fhir: Client, count: int, there: int, sort: str, between: list[str]
) -> None:
    with fhir.store.change() as records:
        for one in records.all_of("Observation"):
            records.put("Observation", one.id, None, method="DELETE", now=NOW)
    fhir.store.load([observation(f"o{number:02}") for number in range(there)], now=NOW)
    writes = iter(between)
    shown: list[str] = []
    for page in pages(fhir, f"Observation?patient=p1&_sort={sort}&_count={count}"):
        assert len(page) <= count
        shown += page
        match next(writes, ""):
            case "create":
                fhir.create(observation(""))
            case "delete" if there:
                fhir.ask("DELETE", "Observation/o00")
            case "update" if there:
                fhir.put(observation("o01", effectiveDateTime="2020-01-01"))
    assert sorted(shown) == [f"Observation/o{number:02}" for number in range(there)]


def test_each_exactly_once_under_writers_in_other_threads() -> None:
    with served() as fhir:
        fhir.store.load([observation(f"o{number:03}") for number in range(200)], now=NOW)
        stop = threading.Event()
        made: list[str] = []

        def write() -> None:
            while not stop.is_set():
                made.append(ref(fhir.create(observation(""))))

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(5):
                shown = [one for page in pages(fhir, "Observation?_count=17") for one in page]
                assert len(shown) == len(set(shown))
                assert {f"Observation/o{number:03}" for number in range(200)} <= set(shown)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        assert len(made) == len(set(made)) > 0
        everything = [one for page in pages(fhir, "Observation?_count=400") for one in page]
        assert sorted(everything) == sorted(
            [*made, *(f"Observation/o{number:03}" for number in range(200))]
        )


def test_a_page_already_shown_can_be_shown_again(fhir: Client) -> None:
    fhir.store.load(
        [observation(f"again{number}", of="Patient/again") for number in range(5)], now=NOW
    )
    first = fhir.bundle("Observation?patient=again&_count=2")
    following = next(one["url"] for one in first["link"] if one["relation"] == "next")
    second = fhir.bundle(following)
    assert fhir.bundle(following) == second
    back = next(one["url"] for one in second["link"] if one["relation"] == "previous")
    assert fhir.bundle(back)["entry"] == first["entry"]
    assert following.startswith(f"{fhir.base}/Observation?")
