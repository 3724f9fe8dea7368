"""The code sets themselves: check digits, no code with two meanings, nothing unverified."""

import pytest

from fhir_mapping.codes import HERE
from tests.unit.fhir_mapping.mapped import CODES


LOINC = "http://loinc.org"


def _check_digit(number: str) -> int:
    """LOINC's mod-10 check digit."""
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10


def test_every_loinc_number_has_its_check_digit() -> None:
    codes = [code for system, code in CODES.observations if system == LOINC and code]
    assert len(codes) > 30
    for code in codes:
        number, digit = code.split("-")
        assert _check_digit(number) == int(digit), code


# Seen quoted, and unverified or wrong.
@pytest.mark.parametrize(
    "code", ["3150-6", "60830-2", "J9286", "J9350", "J1323", "J3055", "C01CX09"]
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


def test_every_code_says_where_it_was_seen() -> None:
    for file in HERE.glob("*.yaml"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if "{code:" in line:
                assert "evidence: " in line
                assert 'evidence: ""' not in line
