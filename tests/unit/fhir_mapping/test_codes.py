"""The code sets themselves: check digits, no code with two meanings, nothing unverified."""

from pathlib import Path

import pytest

from fhir_mapping.codes import HERE, CodesError, load_codes
from fhir_mapping.codes.files import SHAPES, read_files
from fhir_mapping.codes.tables import is_loinc
from fhir_mapping.neuro import ICE_ITEMS
from fhir_mapping.seizures import SEIZURE
from fhir_mapping.signs import AROUSAL, MOTOR, RAISED_ICP, SUPPORT
from tests.unit.fhir_mapping.mapped import CODES


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        # US Core and every vendor: body temperature, blood pressure panel, inhaled oxygen.
        ("8310-5", True),
        ("85354-9", True),
        ("3150-0", True),
        # Often quoted and wrong.
        ("3150-6", False),
        ("60830-2", False),
        ("8310", False),
        ("8310-", False),
        ("temp-5", False),
        ("८३१०-5", False),
    ],
)
def test_the_check_digit_of_loinc(number: str, valid: bool) -> None:
    assert is_loinc(number) is valid


def test_every_loinc_number_has_its_check_digit() -> None:
    codes = [code for system, code in CODES.observations if system == LOINC and code]
    assert len(codes) > 30
    assert [code for code in codes if not is_loinc(code)] == []


# Seen quoted, and unverified or wrong.
@pytest.mark.parametrize(
    "code",
    [
        "3150-6",
        "60830-2",
        "J9286",
        "J9350",
        "J1323",
        "J3055",
        "Q5135",
        "J2860",
        "C01CX09",
        "2729439",
        "2639786",
        "5A0935A",
        "1230290005",
        "10052015",
    ],
)
def test_codes_that_must_not_be_shipped(code: str) -> None:
    for file in HERE.glob("*.yaml"):
        assert f'"{code}"' not in file.read_text(encoding="utf-8")


def test_ten_bispecifics_are_known() -> None:
    ingredients = {drug.ingredient for drug in CODES.drug_names.values() if drug.kind == "btce"}
    assert ingredients == {
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
    }


def test_every_code_says_what_it_is_and_where_it_was_seen() -> None:
    """The shape asks for display and evidence; here: that none of them is a blank."""
    files, problems = read_files(HERE, SHAPES)
    assert problems == []
    seen = 0
    for items in files.values():
        for item in items:
            for entry in (*getattr(item.value, "codes", ()), *getattr(item.value, "excluded", ())):
                seen += 1
                assert entry.display.strip(), item.at
                assert entry.evidence.strip(), item.at
    assert seen > 300


def test_what_is_excluded_says_why() -> None:
    excluded = {concept.excluded for concept in CODES.observations.values() if concept.excluded}
    assert "surface or peripheral site" in excluded
    assert set(CODES.excluded_drugs.values()) == {"epinephrine", "phenylephrine"}


def test_the_files_of_the_package_are_read_without_a_site() -> None:
    assert not load_codes().has_overlay
    assert load_codes().drug_texts == {}


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match="No such file"):
        load_codes(tmp_path / "absent")


def test_the_answers_a_site_may_map_to_are_those_that_are_read() -> None:
    """The words each fact can have, as the readers know them."""
    files, _ = read_files(HERE, SHAPES)
    allowed = {item.value.fact: set(item.value.values) for item in files["values.yaml", "allowed"]}
    assert allowed.keys() <= CODES.project_facts
    assert allowed["arousal"] == {*AROUSAL, "sedated"}
    assert allowed["seizure"] == set(SEIZURE)
    assert allowed["motor"] == set(MOTOR)
    assert allowed["raised-icp"] == set(RAISED_ICP)
    assert allowed["hypotension-support"] == set(SUPPORT)
    for item, most in ICE_ITEMS.items():
        assert allowed[item] == {str(number) for number in range(most + 1)}
