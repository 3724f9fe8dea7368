"""What an evaluation says of one patient, as rows for a page: each value with its time and source.

Pure, and no sentence of its own: the words are those of `cards`. Texts are plain, for a template
that escapes them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from cards import detail, plain, terms, unread
from cds.pipeline import Evaluation
from cds.smart.form.stating import is_draft
from cds.smart.prose import unescaped
from cds.smart.stating.statement import KEPT
from knowledge.assessment import AxisState, ToxicityState
from knowledge.facts import Evidence, Facts, bispecific_doses


_DOSES_SHOWN = 3  # of a bispecific, the newest


class Value(Struct, frozen=True):
    """One value with its time, and the reference it is from.

    `stated`: on the form just now, or before and kept here because the FHIR server has it not.
    """

    text: str
    ref: str
    stated: Literal["", "now", "kept"]


class Axis(Struct, frozen=True):
    """One axis of a scale: its level in words and what says so.

    `unread`: what was not read of the queries it rests on.
    """

    code: str
    label: str
    level: str
    values: tuple[Value, ...]
    unread: str = ""


class Scale(Struct, frozen=True, kw_only=True):
    """One toxicity. `course`: charted grade and event; `missing`: what would settle the grade."""

    code: str
    label: str
    grade: str
    course: tuple[str, ...]
    charted_ref: str
    axes: tuple[Axis, ...]
    missing: tuple[str, ...]


class Given(Struct, frozen=True):
    """A medicine that was given and bears on the grade."""

    name: str
    kind: str
    at: datetime
    ref: str


class Known(Struct, frozen=True):
    """Everything a person who grades should not have to look up again.

    `unread`: what was not read or not used, a line each; `given_unread`: of the medicines.
    """

    scales: tuple[Scale, ...]
    given: tuple[Given, ...]
    unread: tuple[str, ...]
    given_unread: str


def known(evaluation: Evaluation, zone: ZoneInfo) -> Known:
    """What the evaluation rests on; newest medicine first."""
    facts, assessment = evaluation.facts, evaluation.decision.assessment
    given = sorted(_given(facts), key=lambda one: (one.at, one.name), reverse=True)
    return Known(
        scales=scales(evaluation, zone),
        given=tuple(given),
        unread=tuple(unescaped(one) for one in unread.noted(assessment, unread=True)),
        given_unread=unread.told(facts, ("administrations",)),
    )


def scales(evaluation: Evaluation, zone: ZoneInfo) -> tuple[Scale, ...]:
    """Both toxicities."""
    pairs = terms.states(evaluation.decision.assessment)
    return tuple(_scale(code, plain.state(one), evaluation.facts, zone) for code, one in pairs)


def lines(section: str) -> tuple[str, ...]:
    """The items of a section of a card's detail, without its title, as plain text."""
    return tuple(unescaped(one.removeprefix("- ")) for one in section.splitlines()[1:])


def _scale(code: str, state: ToxicityState, facts: Facts, zone: ZoneInfo) -> Scale:
    without_axes = msgspec.structs.replace(state, axes={})
    return Scale(
        code=code,
        label=terms.syndrome(code),
        grade=terms.grade(code, state),
        course=lines(detail.course(code, without_axes, zone)),
        charted_ref=state.charted.ref if state.charted is not None else "",
        axes=tuple(_axis(key, axis, facts, zone) for key, axis in state.axes.items()),
        missing=lines(detail.missing(unread.missing(state.missing, facts))),
    )


def _axis(key: str, axis: AxisState, facts: Facts, zone: ZoneInfo) -> Axis:
    values = tuple(_values(axis.evidence, zone))
    level = unescaped(terms.level(axis.level))
    return Axis(key, terms.axis(key), level, values, unread.axis(key, facts))


def _values(evidence: Iterable[Evidence], zone: ZoneInfo) -> Iterator[Value]:
    for one in evidence:
        kept: Literal["", "kept"] = "kept" if one.ref.startswith(f"Observation/{KEPT}") else ""
        stated = "now" if is_draft(one.ref) else kept
        yield Value(unescaped(detail.evidence(one, zone)), one.ref, stated)


def _given(facts: Facts) -> Iterator[Given]:
    for dose in bispecific_doses(facts)[-_DOSES_SHOWN:]:
        yield Given(dose.ingredient, "bispecific", dose.start, dose.evidence.ref)
    for drug in facts.masking:
        yield Given(drug.agent, terms.words(drug.kind), drug.at, drug.evidence.ref)
    for infusion in facts.infusions:
        yield Given(infusion.agent, infusion.kind, infusion.start, infusion.evidence.ref)
