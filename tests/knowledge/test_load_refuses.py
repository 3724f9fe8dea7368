"""A broken knowledge file stops the start and names the file and the place."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from knowledge.library import load


PRODUCT = "products/teclistamab.yaml"
ANAKINRA = "dosing/anakinra.yaml"
BLINATUMOMAB = "products/blinatumomab.yaml"
GLOFITAMAB = "products/glofitamab.yaml"
MOSUNETUZUMAB = "products/mosunetuzumab.yaml"
TARLATAMAB = "products/tarlatamab.yaml"
NHS = "protocols/nhs-waht.yaml"
SOP = "protocols/community-sop.yaml"
LIMITS = "dosing/tocilizumab.yaml"
CRS_2 = "when: {toxicity: crs, grade: 2}"

# file, text to replace (first occurrence), replacement, place named, part of what is expected
BREAKS = {
    "a misspelt key": (
        PRODUCT, "      until: crs-resolved", "      untill: crs-resolved",
        "rows[0].then", "no key untill",
    ),
    "a number with its unit as text": (
        PRODUCT, "hours: 48", "hours: 48 h", "rows[1].then.nextDose.hospitalize.hours", "number",
    ),
    "a number as text in the limits": (LIMITS, "value: 800", "value: 800 mg", "capMg.value", "800"),
    "a row without its place in the source": (
        PRODUCT, "    at: Multiple myeloma CRS table, grade 1, teclistamab\n", "", "rows[0]", "at",
    ),
    "an empty place in the source": (
        PRODUCT, "at: Multiple myeloma CRS table, grade 1, teclistamab", 'at: " "',
        "rows[0].at", "place in the source",
    ),
    "an action outside the vocabulary": (
        PRODUCT, "action: withhold", "action: hold", "rows[0].then.action", "withhold",
    ),
    "a grade that does not exist": (PRODUCT, CRS_2, CRS_2.replace("2", "5"), "rows[1].when", "5"),
    "a source that is not in the references": (
        PRODUCT, "ref: tecvayli-label-2024-05", "ref: tecvayli-label-2030", "source.ref", "2030",
    ),
    "a number's source that is not in the references": (
        LIMITS, "ref: waht-hae-041, at: \"Tocilizumab, dose\"}\nweight",
        "ref: waht, at: \"Tocilizumab, dose\"}\nweight", "capMg.source.ref", "waht",
    ),
    "a protocol that falls back to nothing": (
        SOP, "fallsBackTo: us-label", "fallsBackTo: eu-label", "fallsBackTo", "protocol",
    ),
    "the same row id twice": (PRODUCT, "id: crs-2", "id: crs-1", "rows[1].id", "crs-1"),
    "two rows for the same facts": (
        PRODUCT, CRS_2, "when: {toxicity: crs, grade: 1}", "rows[1].when", "crs-1",
    ),
    "a first-event row beside one for any event": (
        PRODUCT, "grade: 3, occurrence: recurrent}", "grade: 3}", "rows[4].when", "crs-3-under-48h",
    ),
    "hours that meet at 48": (
        PRODUCT, ", lessThan: 48}", ", lessThan: 49}", "rows[3].when", "crs-3-under-48h",
    ),
    "a clause of a row that is not there": (
        GLOFITAMAB, "clauseOf: icans-3-first", "clauseOf: icans-9", "rows[9].clauseOf", "same",
    ),
    "medicines of a row that is not there": (
        TARLATAMAB, "medicationsOf: [crs-2]", "medicationsOf: [crs-9]",
        "rows[2].then.medicationsOf", "crs-9",
    ),
    "the content of a row that is not there": (
        GLOFITAMAB, "sameAs: crs-3-first", "sameAs: crs-9", "rows[2].then.sameAs", "own content",
    ),
    "something beside the content of another row": (
        GLOFITAMAB, "sameAs: crs-3-first", "sameAs: crs-3-first\n      until: crs-resolved",
        "rows[2].then", "nothing beside",
    ),
    "no bound of a weight": (
        BLINATUMOMAB, "weightKg: {atLeast: 45}", "weightKg: {}", "rows[2].when.weightKg", "one of",
    ),
    "an earlier grade without an occurrence": (
        MOSUNETUZUMAB, "occurrence: recurrent, ofGrade: 3", "ofGrade: 3", "rows", "occurrence",
    ),
    "a change before the label it changes": (
        GLOFITAMAB, "rows:",
        "changes:\n  - {on: 2020-01-01, text: x, source: {ref: project, at: y}}\nrows:",
        "changes[0].on", "2023-06-15",
    ),
    "anakinra by a protocol that is not there": (
        ANAKINRA, "statedBy: nhs-waht", "statedBy: nhs", "statedBy", "nhs",
    ),
    "two bounds in one condition": (
        PRODUCT, ", lessThan: 48}", ", lessThan: 48, atLeast: 1}",
        "rows[2].when.lasting", "exactly one",
    ),
    "no bound in a condition": (
        PRODUCT, ", lessThan: 48}", "}", "rows[2].when.lasting", "exactly one",
    ),
    "an unknown end of a hold": (
        PRODUCT, "until: crs-resolved", "until: next week", "rows[0].then.until", "crs-resolved",
    ),
    "a hold for CRS that waits for ICANS": (
        PRODUCT, "until: crs-resolved", "until: icans-resolved", "rows[0].then.until", "crs",
    ),
    "ending therapy where no list says so": (
        PRODUCT, "action: withhold\n      until: crs-resolved", "action: discontinue-permanently",
        "rows[0].then.action", "permanent.py",
    ),
    "a next dose after ending therapy": (
        NHS, "action: discontinue-permanently",
        "action: discontinue-permanently\n      nextDose: {premedicate: {strength: required}}",
        "rows[6].then", "no next dose",
    ),
    "a dose without a unit": (
        PRODUCT, "          unit: mg\n", "", "rows[7].then.medications[0]", "unit",
    ),
    "two rows whose hours overlap": (
        PRODUCT, ", lessThan: 48}", ", atLeast: 40}", "rows[", "",
    ),
    "a medicine that names its own rule": (
        PRODUCT, "          unit: mg\n", "          unit: mg\n          rule: mine\n",
        "rows[7].then.medications[0]", "no rule",
    ),
    "a protocol both silent and with counts": (
        LIMITS, "  us-label:", "  nhs-waht:", "silent", "also has counts",
    ),
    "limits for a protocol that is not there": (
        LIMITS, "  us-label:", "  eu-label:", "silent", "eu-label",
    ),
    "a key written twice": (
        PRODUCT, "brand: TECVAYLI", "brand: TECVAYLI\nbrand: TALVEY", "line 10", "twice",
    ),
    "a date that does not exist": (
        PRODUCT, "effective: 2024-05-28", "effective: 2024-05-32", "effective", "",
    ),
    "text that is not YAML": (PRODUCT, "rows:", "rows: [", "line", ""),
    "a character no text has": (PRODUCT, "brand: TECVAYLI", "brand: \0", "", "unacceptable"),
    "a key that is a list": (PRODUCT, "brand: TECVAYLI", "[a, b]: c", "", "words for keys"),
    "a status that is only nearly right": (PRODUCT, "status: active", "status: on", "status", "on"),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_refuses_and_names_the_place(copy: Path, case: str) -> None:
    file, before, after, place, expected = BREAKS[case]
    text = (copy / file).read_text(encoding="utf-8")
    assert before in text, "the test must break something"
    (copy / file).write_text(text.replace(before, after, 1), encoding="utf-8")

    with pytest.raises(KnowledgeError) as caught:
        load(copy)

    assert caught.value.file == file
    assert caught.value.path.startswith(place)
    assert expected in caught.value.expected


def test_refuses_two_editions_from_one_day(copy: Path) -> None:
    text = (copy / PRODUCT).read_text(encoding="utf-8")
    second = text.replace("id: teclistamab-label", "id: teclistamab-label-b", 1)
    (copy / "products/teclistamab-b.yaml").write_text(second, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="a day of its own"):
        load(copy)


def test_refuses_two_files_with_one_id(copy: Path) -> None:
    text = (copy / PRODUCT).read_text(encoding="utf-8")
    (copy / "products/talquetamab.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(KnowledgeError, match="an id of its own") as caught:
        load(copy)

    assert (caught.value.file, caught.value.path) == (PRODUCT, "id")


def test_refuses_a_file_in_no_known_place(copy: Path) -> None:
    (copy / "products" / "old").mkdir()
    (copy / PRODUCT).rename(copy / "products/old/teclistamab.yaml")

    with pytest.raises(KnowledgeError, match="products/"):
        load(copy)


def test_refuses_to_start_without_the_scales(copy: Path) -> None:
    (copy / "scales/astct-crs-2019.yaml").unlink()

    with pytest.raises(KnowledgeError, match="astct-crs-2019"):
        load(copy)


def test_refuses_limits_that_leave_a_protocol_out(copy: Path) -> None:
    file = copy / LIMITS
    text = file.read_text(encoding="utf-8")
    start, end = text.index("silent:"), text.index("notChecked:")
    file.write_text(text[:start] + "silent: {}\n" + text[end:], encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load(copy)
    assert "us-label" in caught.value.expected
