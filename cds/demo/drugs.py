"""The drugs of the demo: how an EHR would code them, and the orders one can place.

Codes and order sentences only. Doses are what a user of the demo orders, never advice: of the
bispecifics the full dose their US labels print, of the others a dose that is common.
"""

from typing import Any

from msgspec import Struct


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

# RxNorm code and the name an EHR shows; without a code only the name, as for free-text orders. For
# the bispecifics product codes were found in public mappings, and for some no code at all.
DRUGS: dict[str, tuple[str, str]] = {
    "blinatumomab": ("1597262", "blinatumomab 35 mcg injection (Blincyto)"),
    "elranatamab": ("2644888", "elranatamab-bcmm 40 mg/mL injection (Elrexfio)"),
    "epcoritamab": ("2637399", "epcoritamab-bysp 48 mg/0.8 mL injection (Epkinly)"),
    "glofitamab": ("", "glofitamab-gxbm 1 mg/mL injection (Columvi)"),
    "linvoseltamab": ("", "linvoseltamab-gcpt 20 mg/mL injection (Lynozyfic)"),
    "mosunetuzumab": ("2625138", "mosunetuzumab-axgb 30 mg/30 mL injection (Lunsumio)"),
    "talquetamab": ("2644464", "talquetamab-tgvs 40 mg/mL injection (Talvey)"),
    "tarlatamab": ("", "tarlatamab-dlle 10 mg injection (Imdelltra)"),
    "tebentafusp": ("2590754", "tebentafusp-tebn 100 mcg/0.5 mL injection (Kimmtrak)"),
    "teclistamab": ("2619444", "teclistamab-cqyv 153 mg/1.7 mL injection (Tecvayli)"),
    "tocilizumab": ("612865", "tocilizumab"),
    "tocilizumab-syringe": ("1441527", "tocilizumab 162 mg/0.9 mL prefilled syringe"),
    "anakinra": ("72435", "anakinra"),
    "norepinephrine": ("7512", "norepinephrine"),
    "phenylephrine": ("8163", "phenylephrine"),
    "dexamethasone": ("3264", "dexamethasone"),
    "acetaminophen": ("161", "acetaminophen"),
    "ibuprofen": ("5640", "ibuprofen"),
    "diphenhydramine": ("", "diphenhydramine"),
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


class Regimen(Struct, frozen=True):
    """Several orders placed at once: one MedicationRequest each, as EHRs send them."""

    id: str
    label: str
    orders: tuple[DemoOrder, ...]


def _order(id_: str, dose: float, unit: str, route: str, *, drug: str = "") -> DemoOrder:
    shown = "mcg" if unit == "ug" else unit.replace("ug/", "mcg/")
    what = f"{drug or id_} {dose:g} {shown} {route}"
    return DemoOrder(id_, what, drug or id_, dose, unit, route)


_TECLISTAMAB = _order("teclistamab", 1.5, "mg/kg", "SC")
ORDERS: dict[str, DemoOrder] = {
    order.id: order
    for order in (
        _TECLISTAMAB,
        _order("talquetamab", 0.4, "mg/kg", "SC"),
        _order("elranatamab", 76, "mg", "SC"),
        _order("linvoseltamab", 200, "mg", "IV"),
        _order("epcoritamab", 48, "mg", "SC"),
        _order("glofitamab", 30, "mg", "IV"),
        _order("mosunetuzumab", 30, "mg", "IV"),
        _order("blinatumomab", 28, "ug/d", "IV"),
        _order("tarlatamab", 10, "mg", "IV"),
        _order("tebentafusp", 68, "ug", "IV"),
        _order("tocilizumab", 560, "mg", "IV"),
        DemoOrder(
            "tocilizumab-sc",
            "tocilizumab 162 mg SC (prefilled syringe)",
            "tocilizumab-syringe",
            162,
            "mg",
            "SC",
        ),
        _order("anakinra", 100, "mg", "SC"),
        _order("dexamethasone", 10, "mg", "IV"),
        _order("acetaminophen", 650, "mg", "PO"),
        _order("ibuprofen", 400, "mg", "PO"),
    )
}
REGIMENS: dict[str, Regimen] = {
    one.id: one
    for one in (
        Regimen(
            "regimen-teclistamab",
            "Regimen: teclistamab with premedication (4 orders)",
            (
                _order("premed-dexamethasone", 16, "mg", "IV", drug="dexamethasone"),
                _order("premed-diphenhydramine", 50, "mg", "IV", drug="diphenhydramine"),
                _order("premed-acetaminophen", 650, "mg", "PO", drug="acetaminophen"),
                _TECLISTAMAB,
            ),
        ),
        Regimen(
            "regimen-crs",
            "Order set: tocilizumab and dexamethasone (2 orders)",
            (ORDERS["tocilizumab"], ORDERS["dexamethasone"]),
        ),
    )
}


def placed(choice: str) -> tuple[DemoOrder, ...]:
    """The orders behind one choice of the workbench, none where there is no such choice."""
    if choice in REGIMENS:
        return REGIMENS[choice].orders
    return (ORDERS[choice],) if choice in ORDERS else ()


def choices() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """What can be ordered, in groups: (name, (id, label) ...)."""
    from_id = {one.id: one.label for one in ORDERS.values()}
    supportive = ("tocilizumab", "tocilizumab-sc", "anakinra", "dexamethasone")
    others = ("acetaminophen", "ibuprofen")
    btce = [one for one in from_id if one not in (*supportive, *others)]
    groups = (
        ("Bispecific T-cell engagers", btce),
        ("Treatment of CRS and ICANS", supportive),
        ("Antipyretics", others),
    )
    found = tuple((name, tuple((id_, from_id[id_]) for id_ in ids)) for name, ids in groups)
    sets = tuple((one.id, one.label) for one in REGIMENS.values())
    return (*found, ("Several orders at once", sets))


def medication(drug: str) -> dict[str, Any]:
    """The CodeableConcept of a drug."""
    code, display = DRUGS[drug]
    if not code:
        return {"text": display}
    return {"coding": [{"system": RXNORM, "code": code, "display": display}], "text": display}


def route(name: str) -> dict[str, Any]:
    """The CodeableConcept of a route."""
    code, display = ROUTES[name]
    return {"coding": [{"system": SNOMED, "code": code, "display": display}], "text": name}


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A UCUM Quantity; whole numbers are written without a decimal point."""
    number = int(value) if float(value).is_integer() else value
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}
