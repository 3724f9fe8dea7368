"""The timeline of a patient for the workbench, drawn by what the bedside app draws with.

Everything charted up to the hour, and what the pipeline says of its moments, from the FHIR server.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from msgspec import Raw, Struct

from cards.units import time as written
from cds.config import Site
from cds.demo.fhir.resource_json import encode
from cds.hook_request import HookRequest
from cds.pipeline import Evaluation, evaluate
from cds.smart.timeline.axis import DEFAULT, NAMES, WINDOWS, axis_of
from cds.smart.timeline.band import band, moments
from cds.smart.timeline.drawing import LEFT, RIGHT, Drawing, Plan, draw
from cds.smart.timeline.item import What
from cds.smart.timeline.marks import marks_of
from cds.smart.timeline.series import charted_times, series_of
from cds.smart.timeline.table import Part, table
from cds.smart.timeline.words import course
from fhir_mapping.codes import CodeSets
from knowledge.assessment import Assessment
from knowledge.crs_state import freshness
from knowledge.library import Library
from knowledge.scale_model import ScoreBand


HOOK = "patient-view"


class Timeline(Struct, frozen=True, kw_only=True):
    """What the template shows: a drawing, its words, one part of the table of values."""

    drawing: Drawing
    words: tuple[str, ...]
    part: Part
    hours: int
    windows: Mapping[int, str]
    until: str


class Timelines(Struct, frozen=True, kw_only=True):
    """What every drawing needs; `sites` by protocol."""

    sites: Mapping[str, Site]
    library: Library
    codes: CodeSets

    def of(
        self,
        protocol: str,
        patient: str,
        prefetch: Mapping[str, Any],
        *,
        now: datetime,
        hours: int = DEFAULT,
        part: int = 1,
    ) -> Timeline:
        """Of one record. Raises `AnotherPatient`."""
        site = self.sites[protocol]
        request = HookRequest(
            hook=HOOK,
            hook_instance=str(uuid4()),
            patient_id=patient,
            fhir_server=site.fhir_base,
            draft_orders=None,
            selections=None,
            prefetch={key: Raw(encode(value)) for key, value in prefetch.items()},
        )

        def evaluated(at: datetime) -> Evaluation:
            return evaluate(request, site=site, library=self.library, codes=self.codes, now=at)

        def assess(at: datetime) -> Assessment:
            return evaluated(at).decision.assessment

        def at(moment: datetime) -> str:
            return written(moment, site.zone)

        hours = hours if hours in WINDOWS else DEFAULT
        facts, since = evaluated(now).facts, now - timedelta(hours=hours)
        limit = int(self.library.icans.capd_under_age.value)
        series = series_of(facts, marks_of(request.prefetch), since, capd_under=limit)
        values = sum(map(len, (facts.temperatures, facts.systolic, facts.saturations)))
        chosen = moments(charted_times(series.items, since), since, now, values)
        samples = band(chosen.at, assess)
        scores: dict[What, tuple[ScoreBand, ...]] = {
            "ice": self.library.icans.ice,
            "capd": self.library.icans.capd,
        }
        rules = site.site_rules(self.library.rules)
        plan = Plan(
            series=series,
            samples=samples,
            axis=axis_of(series.until, hours, site.zone, LEFT, RIGHT),
            fever_cel=self.library.crs.fever_cel.value,
            most={what: Decimal(max(one.high for one in bands)) for what, bands in scores.items()},
            fresh=freshness(facts, rules, reached_grade_2=False),
            score_fresh=timedelta(hours=rules.ice_hours),
        )
        return Timeline(
            drawing=draw(plan),
            words=course(series, samples, at),
            part=table(series, samples, part, at),
            hours=hours,
            windows=NAMES,
            until=at(now),
        )
