"""What a clinician stated and the EHR did not take, for the tests of pages that count it."""

from decimal import Decimal

from cds.smart.parts import Bedside, Parts
from cds.smart.stating.writing import state
from cds.store.statements_kept import StatementRow
from fhir_mapping import write, write_vitals
from fhir_mapping.write import Charting
from tests.beside import DOCTOR
from tests.functional.grading import ROOM_AIR


READ_ONLY = frozenset({"patient/*.rs"})


def state_grade_3(parts: Parts, here: Bedside) -> tuple[StatementRow, ...]:
    """39.5 °C with one vasopressor on room air, confirmed now: CRS grade 3. `here`: a launch
    without the right to write."""
    now = parts.deployment.clock()
    by = Charting(here.context.patient, DOCTOR, now)
    made = [
        ("temperature", write_vitals.temperature(by, Decimal("39.5"), "Cel")),
        ("hypotension-support", write.hypotension_support(by, "one-vasopressor")),
        ("oxygen-device", write.oxygen_device(by, ROOM_AIR)),
    ]
    rows = state(parts, here, "f" * 32, made, now)
    assert [row.problem for row in rows] == ["not-granted"] * 3
    return rows
