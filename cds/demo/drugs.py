"""The drugs of the demo: how an EHR would code them, and the orders one can place.

Codes and order sentences only. Doses are what a user of the demo orders, never advice.
"""

from typing import Any

from msgspec import Struct


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

# RxNorm code and the name an EHR shows. For the bispecifics only product codes were found in public
# mappings, so a product is what the demo orders.
DRUGS: dict[str, tuple[str, str]] = {
    "teclistamab": ("2619444", "teclistamab-cqyv 153 mg/1.7 mL injection (Tecvayli)"),
    "talquetamab": ("2644464", "talquetamab-tgvs 40 mg/mL injection (Talvey)"),
    "tocilizumab": ("612865", "tocilizumab"),
    "tocilizumab-syringe": ("1441527", "tocilizumab 162 mg/0.9 mL prefilled syringe"),
    "norepinephrine": ("7512", "norepinephrine"),
    "phenylephrine": ("8163", "phenylephrine"),
    "dexamethasone": ("3264", "dexamethasone"),
    "acetaminophen": ("161", "acetaminophen"),
    "ibuprofen": ("5640", "ibuprofen"),
}
ROUTES: dict[str, tuple[str, str]] = {
    "IV": ("47625008", "Intravenous route"),
    "SC": ("34206005", "Subcutaneous route"),
    "PO": ("26643006", "Oral route"),
}


class DemoOrder(Struct, frozen=True):
    """One order the workbench offers."""

    id: str
    label: str
    drug: str
    dose: float
    unit: str
    route: str


ORDERS: dict[str, DemoOrder] = {
    order.id: order
    for order in (
        DemoOrder("teclistamab", "teclistamab 1.5 mg/kg SC", "teclistamab", 1.5, "mg/kg", "SC"),
        DemoOrder("talquetamab", "talquetamab 0.4 mg/kg SC", "talquetamab", 0.4, "mg/kg", "SC"),
        DemoOrder("tocilizumab", "tocilizumab 560 mg IV", "tocilizumab", 560, "mg", "IV"),
        DemoOrder(
            "tocilizumab-sc",
            "tocilizumab 162 mg SC (prefilled syringe)",
            "tocilizumab-syringe",
            162,
            "mg",
            "SC",
        ),
        DemoOrder("dexamethasone", "dexamethasone 10 mg IV", "dexamethasone", 10, "mg", "IV"),
        DemoOrder("acetaminophen", "acetaminophen 650 mg PO", "acetaminophen", 650, "mg", "PO"),
        DemoOrder("ibuprofen", "ibuprofen 400 mg PO", "ibuprofen", 400, "mg", "PO"),
    )
}


def medication(drug: str) -> dict[str, Any]:
    """The CodeableConcept of a drug."""
    code, display = DRUGS[drug]
    return {"coding": [{"system": RXNORM, "code": code, "display": display}], "text": display}


def route(name: str) -> dict[str, Any]:
    """The CodeableConcept of a route."""
    code, display = ROUTES[name]
    return {"coding": [{"system": SNOMED, "code": code, "display": display}], "text": name}


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A UCUM Quantity; whole numbers are written without a decimal point."""
    number = int(value) if float(value).is_integer() else value
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}
