"""What is committed beside the knowledge equals what the code and the files say."""

from pathlib import Path

import pytest

from knowledge import lock
from knowledge.schema import KINDS, SCHEMAS, schemas, text_of, write


@pytest.mark.parametrize("kind", KINDS)
def test_schema_on_disk_equals_the_model(kind: str) -> None:
    on_disk = (SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")

    assert on_disk == text_of(schemas()[kind])


def test_no_schema_without_a_model() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{kind}.schema.json" for kind in KINDS}


def test_lock_matches_the_files() -> None:
    assert lock.check() == ()


def test_content_changed_under_an_old_version_is_a_problem(copy: Path, tmp_path: Path) -> None:
    locked = tmp_path / "lock.json"
    lock.write(copy, locked)
    before = locked.read_bytes()
    file = copy / "products/teclistamab.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("hours: 48", "hours: 24"), encoding="utf-8")

    (problem,) = lock.check(copy, locked)
    assert "teclistamab-label" in problem
    assert "version 2" in problem
    assert lock.write(copy, locked) == (problem,)
    assert locked.read_bytes() == before


def test_a_raised_version_may_be_locked(copy: Path, tmp_path: Path) -> None:
    locked = tmp_path / "lock.json"
    lock.write(copy, locked)
    file = copy / "products/teclistamab.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("version: 2", "version: 3", 1), encoding="utf-8")

    assert lock.check(copy, locked) == ("teclistamab-label: version 3 is not in the lock",)
    assert lock.write(copy, locked) == ()
    assert lock.check(copy, locked) == ()


def test_a_file_that_vanished_is_a_problem(copy: Path, tmp_path: Path) -> None:
    locked = tmp_path / "lock.json"
    lock.write(copy, locked)
    (copy / "rems/tecvayli-talvey.yaml").unlink()

    (problem,) = lock.check(copy, locked)
    assert "tecvayli-talvey-rems" in problem


def test_schemas_are_written_as_they_are_compared(tmp_path: Path) -> None:
    write(tmp_path / "schemas")
    written = {p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "schemas").iterdir()}
    shipped = {p.name: p.read_text(encoding="utf-8") for p in SCHEMAS.iterdir()}
    assert written == shipped
