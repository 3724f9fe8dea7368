"""The lines about decisions that were made again: counted, chosen, and without clinical values."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds.commands import recompute_decisions
from cds.config import Settings, load
from cds.recompute_report import SomeDiffer
from cds.store import DecisionRow, StoreDown, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import NOW, fever
from tests.functional.deployed import another_call, deploy
from tests.functional.serving import write_config
from tests.store.rows import decision


@pytest.fixture
def rows(
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    library: Library,
    codes: CodeSets,
) -> tuple[DecisionRow, ...]:
    """Three decisions of the service, at noon and one and two minutes later."""
    at = [NOW]
    folder = tmp_path_factory.mktemp("made")
    one = deploy(settings, folder, library, codes, now=lambda: at[0])
    for minute in range(3):
        at[0] = NOW.replace(minute=minute)
        assert one.client.call(another_call(*fever())).status_code == 200
    return tuple(one.store.decisions())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with an empty store beside it."""
    made = write_config(tmp_path)
    migrate(load(made, {}).store)
    return made


def keep(config: Path, *found: DecisionRow) -> None:
    with closing(open_store(load(config, {}).store)) as store:
        for row in found:
            store.record(row)


def run(config: Path, **how: Any) -> tuple[list[str], str]:
    """The lines, and what was raised at their end."""
    asked: dict[str, Any] = {"ids": (), "since": None, "until": None, "site": None}
    asked |= {"form": "text", "show_values": False, **how}
    lines = []
    try:
        for line in recompute_decisions(config, {}, **asked):
            lines.append(line)
    except SomeDiffer as differ:
        return lines, str(differ)
    return lines, ""


def test_a_line_a_decision_and_a_count(config: Path, rows: tuple[DecisionRow, ...]) -> None:
    keep(config, *rows, decision("old"))
    lines, differ = run(config)
    first = f"2026-11-21T12:00:00Z  {rows[0].id}  demo  same"
    assert first in lines
    assert len(lines) == 5
    assert (lines[-1], differ) == ("4 decisions: 1 no-record, 3 same", "")


def test_of_no_decision_that_is_said(config: Path) -> None:
    assert run(config) == (["0 decisions"], "")


@pytest.mark.parametrize(
    ("how", "places"),
    [
        ({"since": NOW.replace(minute=1)}, (1, 2)),
        ({"until": NOW.replace(minute=1)}, (0,)),
        ({"since": NOW.replace(minute=1), "until": NOW.replace(minute=2)}, (1,)),
        ({"site": "demo"}, (0, 1, 2)),
        ({"site": "elsewhere"}, ()),
    ],
    ids=str,
)
def test_decisions_are_chosen_by_time_and_site(
    config: Path, rows: tuple[DecisionRow, ...], how: dict[str, Any], places: tuple[int, ...]
) -> None:
    keep(config, *rows)
    lines, _ = run(config, form="json", **how)
    assert [json.loads(line)["id"] for line in lines] == [rows[place].id for place in places]


def test_decisions_are_chosen_by_id_and_an_id_that_is_not_there_is_told(
    config: Path, rows: tuple[DecisionRow, ...]
) -> None:
    keep(config, *rows)
    lines, _ = run(config, form="json", ids=(rows[2].id,))
    assert [json.loads(line)["id"] for line in lines] == [rows[2].id]
    with pytest.raises(ValueError, match=rf"^no such decision among these: {rows[0].id}, no-such$"):
        run(config, ids=(rows[0].id, rows[1].id, "no-such"), since=NOW.replace(minute=1))


def changed(row: DecisionRow) -> DecisionRow:
    """Somebody wrote grade 2 over the lower bound."""
    text = row.assessment.replace('"grade":{"atLeast":1', '"grade":{"atLeast":2', 1)
    assert text != row.assessment
    return msgspec.structs.replace(row, assessment=text)


def test_what_differs_is_named_by_path_alone_unless_values_are_asked(
    config: Path, rows: tuple[DecisionRow, ...]
) -> None:
    keep(config, changed(rows[0]), *rows[1:])
    lines, differ = run(config)
    assert lines[:2] == [
        f"2026-11-21T12:00:00Z  {rows[0].id}  demo  differs",
        "    assessment.crs.grade.atLeast",
    ]
    assert lines[-1] == "3 decisions: 1 differs, 2 same"
    assert differ == "1 of 3 decisions differ or cannot be read"
    lines, _ = run(config, show_values=True)
    assert lines[1] == "    assessment.crs.grade.atLeast: 2 -> 1"


def test_a_document_has_the_same(config: Path, rows: tuple[DecisionRow, ...]) -> None:
    keep(config, changed(rows[0]), rows[1])
    (line, other), differ = run(config, form="json")
    assert differ
    assert json.loads(line) == {
        "id": rows[0].id,
        "evaluatedAt": "2026-11-21T12:00:00Z",
        "site": "demo",
        "verdict": "differs",
        "changes": [{"path": "assessment.crs.grade.atLeast"}],
    }
    assert json.loads(other)["verdict"] == "same"
    (line, _), _ = run(config, form="json", show_values=True)
    (found,) = json.loads(line)["changes"]
    assert found == {"path": "assessment.crs.grade.atLeast", "kept": "2", "now": "1"}


def test_a_record_that_cannot_be_read_is_told_with_its_reason_and_fails(
    config: Path, rows: tuple[DecisionRow, ...]
) -> None:
    keep(config, msgspec.structs.replace(rows[0], record=b"\x07" + rows[0].record[1:]))
    lines, differ = run(config)
    assert lines[0].endswith("unreadable-record  format 7 is not known here")
    assert differ == "1 of 1 decisions differ or cannot be read"


def test_no_value_of_the_record_is_shown_where_none_is_asked(
    config: Path, rows: tuple[DecisionRow, ...]
) -> None:
    """Every value of the assessment and of the cards changed: places alone are printed."""
    broken = rows[0].assessment.replace("38.6", "39.1").replace("118", "113.57")
    other = msgspec.structs.replace(rows[0], assessment=broken, record=rows[1].record)
    keep(config, other, msgspec.structs.replace(rows[2], record=rows[2].record[:-9]))
    for form in ("text", "json"):
        lines, differ = run(config, form=form)
        assert differ
        assert not [one for one in ("39.1", "38.6", "113.57", "118") if one in "\n".join(lines)]
    lines, _ = run(config, show_values=True)
    assert "39.1" in "\n".join(lines)


def test_another_knowledge_is_no_failure(config: Path, rows: tuple[DecisionRow, ...]) -> None:
    keep(config, msgspec.structs.replace(rows[0], knowledge_sha256="ab" * 32))
    lines, differ = run(config)
    name = f"knowledge {rows[0].knowledge_version} {'ab' * 6}"
    assert lines[0].endswith(f"other-knowledge  {name}")
    assert lines[1:-1] == ["    assessment.knowledge.sha256"]  # this row was changed by hand
    assert differ == ""


def test_a_store_that_is_down_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreDown):
        run(write_config(tmp_path))


def test_nothing_is_changed_in_the_store(config: Path, rows: tuple[DecisionRow, ...]) -> None:
    keep(config, *rows)
    with closing(open_store(load(config, {}).store)) as store:
        before = list(store.decisions())
        run(config)
        assert list(store.decisions()) == before
