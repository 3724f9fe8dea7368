"""The timeline of one patient: the drawing, its words and the table; GET only, changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from flask import Blueprint, request

from cards.units import time as written
from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord
from cds.smart.evaluating import assessed, record_of
from cds.smart.parts import Bedside, Parts, bedside
from cds.smart.showing import page
from cds.smart.timeline.axis import DEFAULT, NAMES, WINDOWS, axis_of
from cds.smart.timeline.band import Sample, band, moments
from cds.smart.timeline.drawing import LEFT, RIGHT, Plan, draw
from cds.smart.timeline.marks import marks_of
from cds.smart.timeline.series import Series, charted_times, series_of
from cds.smart.timeline.table import table
from cds.smart.timeline.words import course
from knowledge.assessment import Assessment
from knowledge.crs_state import freshness


_DIGITS = 4


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """GET /smart/l/<launch>/timeline; `hours`: one of the windows, `part`: of the table."""

    @smart.get("/l/<launch>/timeline")
    def timeline(launch: str) -> str:
        here = bedside()
        record = record_of(here, parts.deployment, parts.at_hand)
        now = parts.deployment.clock()
        hours = _one_of(request.args.get("hours", ""))
        evaluation = assessed(record, here, parts.deployment, now=now)
        since = now - timedelta(hours=hours)
        series = series_of(evaluation.facts, marks_of(record.request.prefetch), since)
        chosen = moments(charted_times(series.items, since), since, now, _values(evaluation))
        samples = band(chosen.at, _assess(record, here, parts, now, evaluation))

        def at(moment: datetime) -> str:
            return written(moment, here.site.zone)

        return page(
            "smart/timeline.html",
            record,
            evaluation,
            drawing=draw(_plan(evaluation, here, parts, series, samples, hours)),
            words=course(series, samples, at),
            part=table(series, samples, _number(request.args.get("part", "")), at),
            hours=hours,
            windows=NAMES,
            moments=chosen,
            failed=tuple(map(str, record.failed)),
            fever=parts.deployment.library.crs,
            now=now,
        )


def _assess(
    record: PatientRecord, here: Bedside, parts: Parts, now: datetime, current: Evaluation
) -> Callable[[datetime], Assessment]:
    """What the pipeline says of a moment; of now it has been asked."""

    def assess(at: datetime) -> Assessment:
        if at == now:
            return current.decision.assessment
        return assessed(record, here, parts.deployment, now=at).decision.assessment

    return assess


def _plan(
    evaluation: Evaluation,
    here: Bedside,
    parts: Parts,
    series: Series,
    samples: tuple[Sample, ...],
    hours: int,
) -> Plan:
    library, facts = parts.deployment.library, evaluation.facts
    rules = here.site.site_rules(library.rules)
    return Plan(
        series=series,
        samples=samples,
        axis=axis_of(series.until, hours, here.site.zone, LEFT, RIGHT),
        fever_cel=library.crs.fever_cel.value,
        ice_most=Decimal(max(one.high for one in library.icans.ice)),
        fresh=freshness(facts, rules, reached_grade_2=False),
        ice_fresh=timedelta(hours=rules.ice_hours),
    )


def _values(evaluation: Evaluation) -> int:
    """How many values the record holds: what one evaluation costs."""
    facts = evaluation.facts
    series = (facts.temperatures, facts.systolic, facts.saturations, facts.oxygen, facts.masking)
    return sum(map(len, series))


def _one_of(text: str) -> int:
    """The window that was asked for, if there is such a window."""
    return next((hours for hours in WINDOWS if str(hours) == text), DEFAULT)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 1
