"""The JSON Schema of report.json, made from its values; `report.schema.json` is this on disk.

`python -m cds.replay.schema` rewrites the file; a test compares the two.
"""

from pathlib import Path
from typing import Any

import msgspec

from cds.replay.model import SCHEMA, Report


PATH = Path(__file__).with_name("report.schema.json")


def schema() -> dict[str, Any]:
    """Numbers are JSON numbers, and nothing else than the members of the report is allowed."""
    made: dict[str, Any] = _as_encoded(msgspec.json.schema(Report))
    made["$defs"]["Report"]["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://btce-cds.org/schemas/replay-report.schema.json",
        "title": "What came of saved requests and exports, evaluated as of their own times",
        **made,
    }


def text() -> str:
    """The schema as it stands on disk."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _as_encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_encoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "decimal":
        return {"type": "number"}
    found = {name: _as_encoded(one) for name, one in value.items()}
    if found.get("type") == "object" and "properties" in found:
        found["additionalProperties"] = False
    return found


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
