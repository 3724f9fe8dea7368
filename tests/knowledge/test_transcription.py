"""The knowledge files against a second transcription of their sources, made without seeing them.

What the two said differently, and how it was settled, is in second/DIFFERENCES.md.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge.library import Library
from knowledge.product_model import Product, Protocol
from knowledge.reading import parse
from tests.knowledge.comparison import FIELDS, MEDICINE_FIELDS, WORD_NUMBERS, Item, key_of, numbers
from tests.knowledge.differences import RENDERINGS, differences


SECOND = Path(__file__).parent / "second"
PRODUCTS = (
    "blinatumomab",
    "elranatamab",
    "epcoritamab",
    "glofitamab",
    "linvoseltamab",
    "mosunetuzumab",
    "talquetamab",
    "tarlatamab",
    "tebentafusp",
    "teclistamab",
)
PROTOCOLS = ("community-sop", "nhs-waht")

# Topics of the REMS section; each word list finds the topic in both transcriptions.
REMS_TOPICS = {
    "assessment": "knowledge assessment",
    "prescriber enrolment": "prescriber enrol",
    "counselling with the card": "counsel.*wallet card",
    "representative": "^(designate|name) an authori[sz]ed representative",
    "who may represent": "pharmacist, pharmacy technician, registered nurse",
    "not the prescriber": "(cannot|must not) be the (same person as a )?certified prescriber",
    "setting enrolment": "(enrollment|enrolment) form of the pharmacy|setting enrollment form",
    "training": "^train all",
    "reporting": "^report serious",
    "records of training": "records of staff training",
    "records of processes": "records that processes",
    "records of dispenses": "records of all dispenses|^record each dispense",
    "audits": "^comply with audits|^accept audits",
    "passing on": "certified pharmacies",
    "certification at each dispense": "confirm.*certification.*(all|every) dispense"
    "|for every dispense.*certification",
    "website": "rems website",
    "identity of the prescriber": "npi number or name",
    "authorisation": r"\(rda\)",
    "no dispense without it": "only upon generation of an rda|without an rda do not dispense",
    "log for audits": "in a log",
}


@pytest.mark.parametrize("name", [*PRODUCTS, *PROTOCOLS])
def test_both_transcriptions_say_the_same(library: Library, name: str) -> None:
    found = differences(name, first(library, name), second(name))

    assert [item for item in found if not item.rendering] == []


def test_the_list_of_differences_counts_every_rendering(library: Library) -> None:
    """second/DIFFERENCES.md hides nothing: its counts are those found here."""
    found = [
        d for n in (*PRODUCTS, *PROTOCOLS) for d in differences(n, first(library, n), second(n))
    ]
    text = (SECOND / "DIFFERENCES.md").read_text(encoding="utf-8")
    written = {name: int(count) for name, count in re.findall(r"\| `([\w-]+)` \| (\d+) \|", text)}

    assert written == Counter(item.rendering for item in found)
    assert set(written) == set(RENDERINGS)


@pytest.mark.parametrize("name", [*PRODUCTS, *PROTOCOLS])
def test_a_changed_value_is_noticed(library: Library, name: str) -> None:
    """No rendering is so wide that it explains a wrong value, and no field goes uncompared."""
    file, items = first(library, name), second(name)

    unnoticed = [
        what
        for what, changed in changes(items)
        if all(found.rendering for found in differences(name, file, changed))
    ]

    assert unnoticed == []


def changes(items: list[Item]) -> Iterator[tuple[str, list[Item]]]:
    """The items once for each value they hold, with that value changed or left out."""
    for index, item in enumerate(items):
        for place, value in values(item):
            for new in wrong(place, value):
                changed = copy.deepcopy(items)
                put(changed[index], place, new)
                yield f"{key_of(item)} {place}: {value!r} to {new!r}", changed


Place = tuple[str | int, ...]


def values(item: Item) -> Iterator[tuple[Place, Any]]:
    """The compared values of an item, with their place. Lines count for their numbers alone."""
    for field in (name for name in FIELDS if name in item):
        if "manageAs" in item and item[field] is True:
            continue  # said again beside the grade that says it
        if field == "resolvedHours":
            yield from (((field, part), value) for part, value in item[field].items())
        else:
            yield (field,), item[field]
    for index, line in enumerate(item.get("clauses", [])):
        if numbers(line) and not line.startswith("Presenting"):
            yield ("clauses", index), line
    for index, medicine in enumerate(item.get("medicines", [])):
        bare = not {"dose", "every"} & medicine.keys()
        fields = ("agent", "strength") if bare else MEDICINE_FIELDS
        yield from ((("medicines", index, f), medicine[f]) for f in fields if f in medicine)


def wrong(place: Place, value: Any) -> list[Any]:
    """Values to put there instead; None leaves it out. Free text is compared by its numbers."""
    if place[-1] == "strength":
        return ["consider", "as-needed"] if value == "administer" else ["administer"]
    if isinstance(value, bool):
        return [not value] if place[0] == "resolvedHours" else [None]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, list):
        return [[977]]
    if numbers(value):
        words = "|".join(WORD_NUMBERS)
        return [re.sub(rf"\d+|\b(?:{words})\b", "977", value, flags=re.IGNORECASE)]
    free = place[-1] in {"duration", "tocilizumabCondition"}
    return [None] if free else ["other"]


def put(item: Any, place: Place, value: Any) -> None:
    for step in place[:-1]:
        item = item[step]
    if value is None:
        del item[place[-1]]
    else:
        item[place[-1]] = value


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("toxicity", ["crs", "icans"])
def test_incidence_has_the_same_figures(library: Library, name: str, toxicity: str) -> None:
    said = document("incidence")[name][toxicity]
    incidence = library.products[name].incidence
    assert incidence is not None
    printed = getattr(incidence, toxicity)

    for field in ("rate", "onset", "duration"):
        assert figures(getattr(printed, field)) == figures(said[field])


def figures(text: str) -> list[str]:
    """Numbers, percents, units, approximations and what is counted from, in their order."""
    plain = text.lower().replace("about", "~")
    found = re.findall(r"~|\d+(?:\.\d+)?%?|hour|day|week|not reported", plain)
    return found + [w for w in ("most recent", "start of", "first 3") if w in plain]


@pytest.mark.parametrize("programme", range(3))
def test_rems_duties_cover_the_same_topics(library: Library, programme: int) -> None:
    rems = document("rems")
    printed = rems["programmes"][programme]
    files = {library.rems[name].id: library.rems[name] for name in printed["products"]}
    (file,) = files.values()

    assert sorted(file.products) == sorted(printed["products"])
    assert file.program == re.sub("[™®]", "", printed["name"])
    duties = [duty for duty in file.duties if not duty.ref]
    said = topics((item["role"], item["text"]) for item in rems["requirements"])
    assert topics((duty.role, duty.text) for duty in duties) == said
    assert len(said) == len(rems["requirements"])


def topics(duties: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Role and topic of every duty; a duty without a topic is one too many."""
    found: set[tuple[str, str]] = set()
    for role, text in duties:
        named = {(role, t) for t, words in REMS_TOPICS.items() if re.search(words, text.lower())}
        assert named, text
        found |= named
    return found


@pytest.mark.parametrize("name", PRODUCTS)
def test_package_insert_and_identity_are_the_same(library: Library, name: str) -> None:
    product, rems = library.products[name], document("rems")
    reference = library.references[product.source.ref]
    (insert,) = (item for item in rems["packageInserts"] if item["product"] == name)
    (identity,) = (item for item in rems["products"] if item["product"] == name)

    assert str(reference.published) == str(product.effective) == insert["published"]
    assert reference.url.removeprefix("https://") == insert["url"].removeprefix("https://")
    assert reference.publisher == insert["applicant"]
    assert reference.title.startswith(f"{product.brand} ({insert['printedName']}) ")
    assert (product.brand, product.target) == (insert["brand"], identity["target"])
    assert product.disease.startswith(identity["disease"]) or (
        product.disease.lower() == identity["disease"].lower()
    )


def first(library: Library, name: str) -> Product | Protocol:
    return library.products[name] if name in PRODUCTS else library.protocols[name]


def second(name: str) -> list[Item]:
    said = document(name)
    items: list[Item] = said["rows"] if isinstance(said, dict) else said
    return items


def document(name: str) -> Any:
    return parse((SECOND / f"{name}.yaml").read_bytes(), name)
