"""JSON Schemas of the knowledge files, generated from the model so that both cannot drift."""

import json
from pathlib import Path
from typing import Any

import msgspec

from knowledge.dosing_model import AnakinraLimits, AntipyreticLimits, TocilizumabLimits
from knowledge.model import Header, References, SiteRules
from knowledge.product_model import Product, Protocol, RemsProgram
from knowledge.scale_model import CrsScale, IcansScale


SCHEMAS = Path(__file__).parent / "schemas"
KINDS: dict[str, type[Header]] = {
    "references": References,
    "crs-scale": CrsScale,
    "icans-scale": IcansScale,
    "product": Product,
    "protocol": Protocol,
    "tocilizumab-limits": TocilizumabLimits,
    "anakinra-limits": AnakinraLimits,
    "antipyretic-limits": AntipyreticLimits,
    "rems-program": RemsProgram,
    "site-rules": SiteRules,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every kind of file, by kind."""
    return {kind: schema_of(kind) for kind in KINDS}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of file."""
    body = _plain(msgspec.json.schema(KINDS[kind]))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


def text_of(schema: dict[str, Any]) -> str:
    """The schema as it stands on disk."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = SCHEMAS) -> None:
    """Write every schema to disk; a test compares the result with the model."""
    folder.mkdir(exist_ok=True)
    for kind, schema in schemas().items():
        (folder / f"{kind}.schema.json").write_text(text_of(schema), encoding="utf-8")


def _plain(node: Any) -> Any:
    """Closer to what authors write: decimals are numbers, and an absent key is simply absent.

    The generator describes decimals as strings and optional keys as "this or null"; without the
    null the error names what is expected.
    """
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "decimal":
        return {"type": "number"}
    options = [option for option in node.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
        return {**rest, **_plain(options[0])}
    return {key: _plain(value) for key, value in node.items()}
