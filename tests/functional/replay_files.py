"""Folders to replay, made from the demo's stories: exports, saved requests, and what is run."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cds.cli import main
from cds.demo.drugs import ORDERS
from cds.demo.patients import chart, encounter, patient
from cds.demo.sign import order_sign
from cds.demo.story import Entry, Story, load


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Json = dict[str, Any]
STORIES = load()
LATEST = "zz"  # sorts after the files of the export: rows of these stay where they are


def at(hours: float) -> str:
    """So many hours after (negative: before) NOW, as FHIR writes it."""
    return (NOW + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def story(*entries: Entry, id_: str = "case") -> Story:
    """A patient with just this chart."""
    return msgspec.structs.replace(STORIES["cannula-without-flow"], id=id_, chart=entries)


def resources(one: Story) -> list[Json]:
    """The whole record of a story."""
    return [patient(one, NOW), encounter(one, NOW), *chart(one, NOW)]


def request(one: Story, number: int = 1, *, now: datetime = NOW) -> Json:
    """The order-sign call of a story's usual order."""
    hook_instance = f"00000000-0000-4000-8000-{number:012}"
    return order_sign(one, ORDERS[one.order], now=now, hook_instance=hook_instance)


def export(folder: Path, *found: Json, name: str = "") -> Path:
    """One file a type, a resource a line, in the order they are given."""
    by_type: dict[str, list[str]] = {}
    for one in found:
        by_type.setdefault(one["resourceType"], []).append(json.dumps(one))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, lines in by_type.items():
        (folder / f"{name}{kind}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def save(folder: Path, *bodies: object) -> Path:
    """Saved requests, numbered in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(bodies, start=1):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        (folder / f"{number:03}.json").write_bytes(content)
    return folder


def replayed(folder: Path, out: Path, *options: str) -> Json:
    """report.json of a run that must succeed."""
    assert main(["replay", str(folder), "--out", str(out), *options]) == 0
    return json.loads((out / "report.json").read_bytes())


def by_name(rows: Iterable[Json], name: str = "what", value: str = "count") -> dict[str, Any]:
    """Rows of a report by their name."""
    return {row[name]: row[value] for row in rows}


def rates(rows: Iterable[Json]) -> dict[str, int]:
    """Counts of moments by fact or action."""
    return {row["fact"]: row["moments"]["count"] for row in rows}
