"""The timeline of one patient: the drawing, its words and the table; GET only, changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from flask import Blueprint, request

from cards.units import time as written
from cds.pipeline import Evaluation
from cds.smart.advised import Look, look
from cds.smart.evaluating import assessed
from cds.smart.parts import Parts
from cds.smart.showing import page
from cds.smart.timeline.axis import DEFAULT, NAMES, WINDOWS, axis_of
from cds.smart.timeline.band import Sample, band, moments
from cds.smart.timeline.drawing import LEFT, RIGHT, Plan, draw
from cds.smart.timeline.item import What
from cds.smart.timeline.marks import kept_marks, marks_of
from cds.smart.timeline.series import Series, charted_times, series_of
from cds.smart.timeline.table import table
from cds.smart.timeline.words import course
from knowledge.assessment import Assessment
from knowledge.crs_state import freshness
from knowledge.scale_model import ScoreBand


_DIGITS = 4


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """GET /smart/l/<launch>/timeline; `hours`: one of the windows, `part`: of the table."""

    @smart.get("/l/<launch>/timeline")
    def timeline(launch: str) -> str:
        seen = look(parts)
        record, evaluation, now = seen.record, seen.evaluation, seen.now
        hours = _one_of(request.args.get("hours", ""))
        since = now - timedelta(hours=hours)
        series = _series(seen, parts, since)
        chosen = moments(charted_times(series.items, since), since, now, _values(evaluation))
        samples = band(chosen.at, _assess(seen, parts))

        def at(moment: datetime) -> str:
            return written(moment, seen.here.site.zone)

        return page(
            "smart/timeline.html",
            record,
            evaluation,
            drawing=draw(_plan(seen, parts, series, samples, hours)),
            words=course(series, samples, at),
            part=table(series, samples, _number(request.args.get("part", "")), at),
            hours=hours,
            windows=NAMES,
            moments=chosen,
            failed=tuple(map(str, record.failed)),
            notes=seen.notes,
            fever=parts.deployment.library.crs,
            now=now,
        )


def _series(seen: Look, parts: Parts, since: datetime) -> Series:
    marks = {**marks_of(seen.record.request.prefetch), **kept_marks(seen.kept)}
    limit = int(parts.deployment.library.icans.capd_under_age.value)
    return series_of(seen.evaluation.facts, marks, since, capd_under=limit)


def _assess(seen: Look, parts: Parts) -> Callable[[datetime], Assessment]:
    """What the pipeline says of a moment, with what was stated here by then; of now it has been
    asked."""

    def assess(at: datetime) -> Assessment:
        if at == seen.now:
            return seen.evaluation.decision.assessment
        stated = seen.stated_here.by(at)
        there = assessed(seen.record, seen.here, parts.deployment, now=at, stated=stated)
        return there.decision.assessment

    return assess


def _plan(
    seen: Look, parts: Parts, series: Series, samples: tuple[Sample, ...], hours: int
) -> Plan:
    library, facts, zone = parts.deployment.library, seen.evaluation.facts, seen.here.site.zone
    rules = seen.here.site.site_rules(library.rules)
    scores: dict[What, tuple[ScoreBand, ...]] = {
        "ice": library.icans.ice,
        "capd": library.icans.capd,
    }
    return Plan(
        series=series,
        samples=samples,
        axis=axis_of(series.until, hours, zone, LEFT, RIGHT),
        fever_cel=library.crs.fever_cel.value,
        most={what: Decimal(max(one.high for one in bands)) for what, bands in scores.items()},
        fresh=freshness(facts, rules, reached_grade_2=False),
        score_fresh=timedelta(hours=rules.ice_hours),
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
