"""A stored decision made again from its record, and whether it is the same; changes nothing.

The same knowledge and software must give the same bytes. Under another knowledge the differences
are what that knowledge would say of the same facts.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from cds import __version__
from cds.about import UNKNOWN
from cds.given_back import stand_ins
from cds.json_changes import Change, changes
from cds.pipeline import EXTENSION, Evaluation, conclude, encoded_cards
from cds.record import Record, RecordError, unpack
from cds.store.recording import Call, decision_row, sent_assessment
from cds.store.rows import DecisionRow
from knowledge.library import Library


Verdict = Literal[
    "same", "differs", "other-knowledge", "other-engine", "no-record", "unreadable-record"
]
# What a bad value in a record may raise where it is used: there is no end to what it may be.
_UNUSABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgspec.ValidationError,
)
# In the row and not concluded from the record, or compared by themselves.
_OTHERWISE = ("assessment", "inputs", "record")
_ENCODER = msgspec.json.Encoder()


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one decision. `changes` may hold clinical values, `reason` holds none.

    `other-knowledge` and `other-engine` say under what the decision was made; `changes` is then
    what would be said now.
    """

    id: str
    evaluated_at: datetime
    site: str
    verdict: Verdict
    reason: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether somebody must look: it should be the same, or should be readable, and is not."""
        return self.verdict in {"differs", "unreadable-record"}


def recompute(row: DecisionRow, library: Library, *, commit: str = "") -> Outcome:
    """Make the decision of `row` again under `library`; raises nothing.

    `commit`: of the source this software was built from; "" or "unknown" where it is not known,
    and then the version alone tells.
    """
    if not row.record:
        return _outcome(row, "no-record")
    why = _made_otherwise(row, library, commit)
    try:
        found = _differences(row, unpack(row.record), library)
    except RecordError as error:
        return _outcome(row, "unreadable-record", "; ".join((*why, str(error))))
    if row.knowledge_sha256 != library.sha256:
        return _outcome(row, "other-knowledge", "; ".join(why), found)
    if why:
        return _outcome(row, "other-engine", "; ".join(why), found)
    return _outcome(row, "differs" if found else "same", "", found)


def _outcome(
    row: DecisionRow, verdict: Verdict, reason: str = "", found: tuple[Change, ...] = ()
) -> Outcome:
    return Outcome(
        id=row.id,
        evaluated_at=row.evaluated_at,
        site=row.site,
        verdict=verdict,
        reason=reason,
        changes=found,
    )


def _made_otherwise(row: DecisionRow, library: Library, commit: str) -> tuple[str, ...]:
    """What is not as it was then: knowledge, software."""
    why = []
    if row.knowledge_sha256 != library.sha256:
        why.append(f"knowledge {row.knowledge_version} {row.knowledge_sha256[:12]}")
    commits = {commit, row.source_commit} - {"", UNKNOWN}
    if row.engine_version != __version__ or len(commits) > 1:
        why.append(f"software {row.engine_version} {row.source_commit[:12]}".rstrip())
    return tuple(why)


def _differences(row: DecisionRow, record: Record, library: Library) -> tuple[Change, ...]:
    if row.knowledge_sha256 != library.sha256:  # its name differs anyway: what it says is compared
        library = replace(library, version=row.knowledge_version, sha256=row.knowledge_sha256)
    made = _made_again(record, library)
    again = _row_again(row, made, library)
    return (
        *changes("assessment", row.assessment.encode(), again.assessment.encode()),
        *changes("cards", bytes(record.cards), encoded_cards(made.cards)),
        *changes("decision", _document(row), _document(again)),
    )


def _made_again(record: Record, library: Library) -> Evaluation:
    given = record.made_from
    drafts = stand_ins(record.drafts, record.by_hand, given.facts.patient)
    try:
        return conclude(given, drafts, library)
    except _UNUSABLE as error:
        kind = type(error).__name__  # its text may hold a value
        raise RecordError(f"cannot be made again from what it holds ({kind})") from None


def _row_again(row: DecisionRow, made: Evaluation, library: Library) -> DecisionRow:
    given = made.made_from
    call = Call(
        id=row.id,
        site=given.site,
        patient=given.facts.patient.removeprefix("Patient/"),
        hook=row.hook,
        hook_instance=given.hook_instance,
        service=row.service,
    )
    return decision_row(
        call,
        made.decision,
        cards=made.cards,
        assessment=sent_assessment(made.response, EXTENSION),
        inputs=row.inputs,
        programs={one.program: one.id for one in library.rems.values()},
        commit=row.source_commit,
        record=row.record,
    )


def _document(row: DecisionRow) -> bytes:
    """The row without what is compared elsewhere; its cards in the order of their ids."""
    document = msgspec.to_builtins(row)
    document["cards"] = sorted(document["cards"], key=lambda card: card["uuid"])
    return _ENCODER.encode({k: one for k, one in document.items() if k not in _OTHERWISE})
