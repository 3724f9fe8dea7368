"""What the answers come to, beside what the record says alone: the view of one evaluation.

Pure. It words nothing clinical and resolves no contradiction: both sides are shown.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from cards import citing, detail, plain, terms, unread
from cards.bedside import Shown, bedside, differing
from cds.pipeline import Evaluation
from cds.smart.evaluating import STATED
from cds.smart.form.answers import Answers
from cds.smart.known import Axis, Scale, lines, scales
from cds.smart.prose import unescaped
from fhir_mapping.definitions import ice_items
from knowledge.assessment import Assessment, ToxicityState
from knowledge.decision import AppliedRow
from knowledge.library import Library


_STATED = f"prefetch.{STATED}."


class Rule(Struct, frozen=True):
    """A row that is reached: its heading, what it says, and last its source."""

    title: str
    items: tuple[str, ...]


class Graded(Struct, frozen=True, kw_only=True):
    """One toxicity. `of_data`: the grade without anybody's own, where there is one beside it.

    `own`: the grade stated on the form; `differs`: the data do not allow it. `unanswered`: axes
    of which nobody says anything, though the scale may count them as absent.
    """

    scale: Scale
    axes: tuple[Axis, ...]
    unanswered: tuple[str, ...]
    of_data: str
    own: int | None
    differs: bool
    rules: tuple[Rule, ...]
    possible: tuple[str, ...]
    source: str


class Total(Struct, frozen=True):
    """ICE so far: points, items answered, and the totals that are still possible."""

    points: int
    answered: int
    items: int
    most: int


class Result(Struct, frozen=True, kw_only=True):
    """All of it. `advice`: the disposition, a line for each card a hook would lead with;
    `withheld`: why the site shows no advice; `missing`: of no single scale; `unread`: what was not
    read or not used, shown whatever the site withholds; `differs`: a grade charted before and the
    data.
    """

    graded: tuple[Graded, ...]
    advice: tuple[str, ...]
    withheld: tuple[str, ...]
    differs: tuple[str, ...]
    missing: tuple[str, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    ice: Total | None


def result(
    now: Evaluation, record: Evaluation, answers: Answers, library: Library, shown: Shown
) -> Result:
    """`now`: with the answers; `record`: without. Rules and notes go where advice is withheld."""
    decision, zone = now.decision, shown.zone
    assessment = decision.assessment
    sheet = bedside(decision, library, shown)
    withheld = tuple(text for one in sheet.sections if one.code == "withheld" for text in one.texts)
    rows = () if withheld else decision.rows
    apart = differing(decision)
    before = {one.code: one for one in scales(record, zone)}
    of_scales = {one for _, state in terms.states(assessment) for one in state.missing}
    others = tuple(one for one in decision.missing if one not in of_scales)
    states = dict(terms.states(assessment))
    return Result(
        graded=tuple(
            _graded(one, before[one.code], states[one.code], answers, rows, library)
            for one in scales(now, zone)
        ),
        advice=tuple(one.summary for one in sheet.leads if one not in apart),
        withheld=_paragraphs(withheld),
        differs=_plain(unread.differing(decision, but=frozenset(map(str, answers.grades)))),
        missing=lines(detail.missing(unread.missing(others, now.facts))),
        unread=_unread(assessment),
        notes=() if withheld else _plain(unread.noted(assessment, unread=False)),
        ice=_total(answers),
    )


def _paragraphs(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(unescaped(line) for text in texts for line in text.splitlines() if line)


def _plain(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(unescaped(text) for text in texts)


def _unread(assessment: Assessment) -> tuple[str, ...]:
    """What was not used; of what is stated here the reason alone, as it has no place."""
    stated = [one for one in assessment.unreadable if one.at.startswith(_STATED)]
    others = tuple(one for one in assessment.unreadable if one not in stated)
    rest = msgspec.structs.replace(assessment, unreadable=others)
    reasons = dict.fromkeys(f"Stated here: {one.reason}" for one in stated)
    return (*_plain(unread.noted(rest, unread=True)), *_plain(map(plain.text, reasons)))


def _graded(
    scale: Scale,
    before: Scale,
    state: ToxicityState,
    answers: Answers,
    rows: Iterable[AppliedRow],
    library: Library,
) -> Graded:
    own = {str(code): grade for code, grade in answers.grades.items()}.get(scale.code)
    data = state.grade
    of_data = terms.grade(scale.code, msgspec.structs.replace(state, acting=None))
    mine = tuple(row for row in rows if row.toxicity == scale.code)
    header = library.crs if scale.code == "crs" else library.icans
    return Graded(
        scale=scale,
        axes=tuple(_beside(axis, before) for axis in scale.axes),
        unanswered=tuple(axis.label for axis in scale.axes if not axis.values),
        of_data=of_data if of_data != scale.grade or own is not None else "",
        own=own,
        differs=own is not None and data is not None and not data.at_least <= own <= data.at_most,
        rules=tuple(_rule(row) for row in mine if row.reached),
        possible=lines(detail.possible(mine)),
        source=unescaped(citing.line(library.citation(header, header.source.at))),
    )


def _beside(axis: Axis, before: Scale) -> Axis:
    """The axis with what the record said of it, where that is no longer among its values."""
    if not any(one.stated == "now" for one in axis.values):
        return axis
    known = {one.ref for one in axis.values}
    earlier = next((one for one in before.axes if one.code == axis.code), None)
    more = () if earlier is None else tuple(v for v in earlier.values if v.ref not in known)
    return msgspec.structs.replace(axis, values=(*axis.values, *more))


def _rule(row: AppliedRow) -> Rule:
    section = detail.rules((row,))
    return Rule(unescaped(section.splitlines()[0]), lines(section))


def _total(answers: Answers) -> Total | None:
    if not answers.ice:
        return None
    points = sum(answers.ice.values())
    rest = sum(most for item, most in ice_items().items() if item not in answers.ice)
    return Total(points, len(answers.ice), len(ice_items()), points + rest)
