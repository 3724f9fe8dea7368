"""The last tests of a run: what all of it logged, answered, counted and kept is searched."""

import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from cds import log
from tests.canaries import strings
from tests.canaries.watch import Watch
from tests.conftest import State


def cells(state: State) -> list[tuple[str, str]]:
    """Every value of the run's store as text, with its table and column."""
    found = []
    engine = create_engine(state["store"].engine.url)
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()  # noqa: S608
            found += [
                (f"{table}.{name}", _plain(value)) for row in rows for name, value in row.items()
            ]
    engine.dispose()
    return found


def _plain(value: Any) -> str:
    """A record is compressed behind its format number and its digest."""
    if isinstance(value, bytes) and value:
        return zlib.decompress(value[33:]).decode()
    return str(value)


def places(state: State, canaries: tuple[str, ...]) -> set[str]:
    return {where for where, value in cells(state) if any(one in value for one in canaries)}


def test_no_log_line_no_page_and_no_answer_of_the_run_held_a_canary(watch: Watch) -> None:
    assert watch.lines > 0
    assert watch.answers > 0
    assert watch.errors > 0
    assert watch.metrics > 0
    assert watch.found == []


def test_tokens_and_names_are_in_no_database_and_no_spool_of_the_run(
    watch: Watch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert watch.files(tmp_path_factory.getbasetemp()) > 0
    assert watch.found == []


def test_tokens_and_names_are_in_no_cell_of_the_store(state: State) -> None:
    assert places(state, (*strings.NOWHERE, *strings.OTHER_TOKENS)) == set()


def test_clinical_values_are_in_the_assessments_and_their_records_alone(state: State) -> None:
    """And they are there: the search sees what it looks for."""
    assert places(state, strings.CLINICAL) == {"decisions.assessment", "decisions.record"}


def test_a_users_comment_is_in_the_feedback_alone(state: State) -> None:
    assert places(state, strings.FEEDBACK) == {"feedback.comment"}


@pytest.mark.parametrize("canary", [strings.FAMILY, strings.SENT_TEMPERATURE, strings.FHIR_TOKEN])
def test_the_watch_would_have_seen_one(canary: str, tmp_path: Path) -> None:
    own: Any = Watch()
    own.start()
    try:
        log.event("request", code=canary)
    finally:
        own.stop()
    (found,) = own.found
    assert found.startswith(f"{canary} in log")
    (tmp_path / "x.db").write_text(strings.FAMILY)
    assert own.files(tmp_path) == 1
    assert len(own.found) == 2
    (tmp_path / "x.db").unlink()
