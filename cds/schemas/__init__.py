"""The JSON Schemas this service publishes, and how the assessment's is made from its values.

`python -m cds.schemas` rewrites the generated file; a test compares it with the code.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from knowledge.assessment import Assessment


if TYPE_CHECKING:
    from jsonschema.protocols import Validator

FOLDER = Path(__file__).parent
ASSESSMENT = "assessment.schema.json"
HOOK_REQUEST = "hook-request.schema.json"

_INSTANT = {
    "description": "an instant in UTC",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
}
_INSTANTS = (
    ("Assessment", "evaluatedAt"),
    ("Agent", "lastDose"),
    ("ChartedAt", "at"),
    ("Event", "onset"),
    ("Event", "resolvedAt"),
    ("Evidence", "at"),
    ("Tocilizumab", "earliest"),
)
_GRADE = {"minimum": 0, "maximum": 4}


def assessment_schema() -> dict[str, Any]:
    """The JSON Schema of the assessment: numbers are JSON numbers, absent members are absent."""
    generated = _as_encoded(msgspec.json.schema(Assessment))
    values = generated["$defs"]
    properties = values["Assessment"]["properties"]
    properties["schema"] = {"const": "btce-cds/assessment/1"}
    properties["patient"]["pattern"] = "^Patient/[A-Za-z0-9._-]+$"
    for struct, name in _INSTANTS:
        values[struct]["properties"][name].update(_INSTANT)
    for name in ("atLeast", "atMost"):
        values["Grade"]["properties"][name].update(_GRADE)
    values["ChartedAt"]["properties"]["grade"].update(_GRADE)
    values["AxisState"]["properties"]["level"]["minLength"] = 1  # "unknown" is a level, "" is not
    values["ToxicityState"]["allOf"] = [_assessed_has_a_grade()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://btce-cds.org/schemas/{ASSESSMENT}",
        "title": "What the service concluded, beside the cards of every answer",
        **generated,
    }


def text(schema: dict[str, Any]) -> str:
    """The schema as it stands on disk."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


@cache
def validator(name: str) -> "Validator":
    """The compiled validator of one shipped schema. Imports jsonschema: not for the hot path."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - start-up stays quick

    return Draft202012Validator(msgspec.json.decode((FOLDER / name).read_bytes()))


def _assessed_has_a_grade() -> dict[str, Any]:
    """Assessed: both intervals are there. Not assessed: neither is, and never a grade 0."""
    return {
        "if": {"properties": {"assessed": {"const": True}}},
        "then": {"required": ["grade", "acting"]},
        "else": {"not": {"anyOf": [{"required": ["grade"]}, {"required": ["acting"]}]}},
    }


def _as_encoded(node: Any) -> Any:
    """What the encoder does differently: decimals as numbers, no nulls, no defaults."""
    if isinstance(node, list):
        return [_as_encoded(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "decimal":
        return {"type": "number"}
    kept = {key: _as_encoded(value) for key, value in node.items() if key != "default"}
    options = [item for item in kept.get("anyOf", []) if item != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        return {**kept, **options[0]}
    if options:
        kept["anyOf"] = options
    return kept
