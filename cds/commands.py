"""What the commands about the store do: each gives the lines to print, and prints nothing.

Every one raises `ConfigError` for its file and `StoreDown` for a database that cannot be used.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Literal

from cds import audit, feedback_report
from cds.about import installed_commit
from cds.config import load
from cds.store import DecisionRow, open_store
from cds.store.migrations import migrate


Format = Literal["text", "json"]
WAIT_SECONDS = 30.0  # nobody waits for an answer in two seconds here


def migrate_store(config: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Bring the store up to date; no line, as nothing is to be said."""
    migrate(load(config, environ).store)
    yield from ()


def report_feedback(
    config: Path, environ: Mapping[str, str], *, since: datetime, form: Format
) -> Iterator[str]:
    """What users did with the cards of decisions evaluated at or after `since`, by topic."""
    with closing(open_store(load(config, environ).store, wait=WAIT_SECONDS)) as store:
        report = feedback_report.feedback_report(store, since)
    as_form = feedback_report.as_json if form == "json" else feedback_report.as_text
    yield as_form(report)


def list_affected(
    config: Path,
    environ: Mapping[str, str],
    *,
    knowledge: str,
    since: datetime | None,
    rules: Collection[str],
    form: Format,
) -> Iterator[str]:
    """A line for each decision made under `knowledge`; raises `ValueError` for no digest."""
    with closing(open_store(load(config, environ).store, wait=WAIT_SECONDS)) as store:
        rows = audit.affected(store, knowledge, since, rules)
        yield from audit.as_json(rows) if form == "json" else audit.as_text(rows)


def recompute_decisions(
    config: Path,
    environ: Mapping[str, str],
    *,
    ids: Collection[str],
    since: datetime | None,
    until: datetime | None,
    site: str | None,
    form: Format,
    show_values: bool,
) -> Iterator[str]:
    """What comes of making stored decisions again with the knowledge and software installed here.

    `ids`: these, or else all; of both only those `since` and before `until`, and of `site`.
    Raises `SomeDiffer` after its last line, and `ValueError` for an id that is not among them.
    """
    # Not for the commands above: it takes the whole pipeline.
    from cds.recompute import recompute  # noqa: PLC0415
    from cds.recompute_report import lines  # noqa: PLC0415
    from knowledge import library  # noqa: PLC0415

    knowledge, commit = library.load(), installed_commit()
    with closing(open_store(load(config, environ).store, wait=WAIT_SECONDS)) as store:
        rows = store.decisions(ids=ids, since=since, until=until, site=site)
        outcomes = (recompute(row, knowledge, commit=commit) for row in _all_of(ids, rows))
        yield from lines(outcomes, as_json=form == "json", show_values=show_values)


def _all_of(ids: Collection[str], rows: Iterable[DecisionRow]) -> Iterator[DecisionRow]:
    wanted = set(ids)
    for row in rows:
        wanted.discard(row.id)
        yield row
    if wanted:
        raise ValueError(f"no such decision among these: {', '.join(sorted(wanted))}")
