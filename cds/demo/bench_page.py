"""What one page of the workbench shows of a visit: values for its templates.

Sorting and naming only; the clinical text on it is the service's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import render_template
from msgspec import Struct

from cards.units import time as written
from cds.demo import chart_text
from cds.demo.answer import Answer
from cds.demo.bench import PROTOCOLS, Bench, launch_url
from cds.demo.drugs import choices
from cds.demo.explanation import explained, grade
from cds.demo.faults import FAULTS
from cds.demo.hook_call import SERVICES, context_of
from cds.demo.observing import AROUSAL, DEVICES, SUPPORT, UNITS
from cds.demo.prefetching import NoDiscovery, Source, fill, templates_of
from cds.demo.rendering import TITLES, Shown, Way, shown
from cds.demo.steps import EHRS, named
from cds.demo.stored import Holdings, holdings
from cds.demo.story import Story
from cds.demo.story_timeline import Timeline
from cds.demo.visit import Visit
from cds.errors import AnotherPatient


_HOOKS = tuple(SERVICES)
VIEW_NAMES = {
    "full": "In full",
    "epic": "As Epic",
    "oracle": "As Oracle Health",
    "beside": "Side by side",
}


class Column(Struct, frozen=True):
    """The cards in one way; `live`: what is in them can be pressed."""

    way: Way
    title: str
    cards: tuple[Shown, ...]
    live: bool


def render(bench: Bench, visit: Visit, asked: Mapping[str, str]) -> str:
    """The whole page. `asked`: `timeline` (hours) and `part`, where the timeline is looked at."""
    story, now = bench.stories[visit.story], bench.hospital.now(visit)
    answer = visit.answer
    there = held(bench, visit)
    drawn, problem = _timeline(bench, visit, story, now, asked)
    return render_template(
        "workbench/page.html",
        stories=bench.stories.values(),
        story=story,
        chart=chart_text.lines(story),
        visit=visit,
        choices=choices(),
        drafts=named(visit),
        protocols=PROTOCOLS,
        ehrs=EHRS,
        faults=FAULTS,
        now=now,
        hours=_charted(story),
        hours_since=_hours(now - bench.hospital.began),
        answer=answer,
        hooks=tuple(one for one in _HOOKS if one in visit.answers),
        columns=_columns(visit, answer),
        views=VIEW_NAMES,
        sections=explained(answer.found) if answer is not None else (),
        grade=grade,
        devices=DEVICES,
        arousal=AROUSAL,
        support=SUPPORT,
        units=UNITS,
        holdings=there,
        drawn=drawn,
        drawn_problem=problem,
        time=lambda at: written(at, bench.zones[visit.protocol]),
        app=launch_url(bench.hospital.base, visit.protocol),
    )


def held(bench: Bench, visit: Visit) -> Holdings:
    """What the store and the FHIR server hold of the patient now."""
    hospital = bench.hospital
    site = bench.sites[visit.protocol]
    with hospital.connect() as session:
        return holdings(bench.store, session, hospital.door("plain"), site, visit.story)


def stored_part(bench: Bench, visit: Visit, there: Holdings) -> str:
    """The part of the page about it."""
    zone = bench.zones[visit.protocol]
    return render_template(
        "workbench/stored.html", visit=visit, holdings=there, time=lambda at: written(at, zone)
    )


def _columns(visit: Visit, answer: Answer | None) -> tuple[Column, ...]:
    if answer is None:
        return ()
    ways: tuple[Way, ...] = ("full", "epic", "oracle")
    if visit.view == "beside":
        return tuple(
            Column(way, TITLES[way], shown(answer.cards, way), way == "full") for way in ways
        )
    return tuple(
        Column(way, TITLES[way], shown(answer.cards, way), live=True)
        for way in ways
        if way == visit.view
    )


def _timeline(
    bench: Bench, visit: Visit, story: Story, now: datetime, asked: Mapping[str, str]
) -> tuple[Timeline | None, str]:
    """Only where it is asked for: it evaluates some forty moments."""
    hours = asked.get("timeline", "")
    if bench.timelines is None or not hours.isdecimal():
        return None, ""
    hospital = bench.hospital
    past = None if visit.hour is None else now
    source = Source(door=hospital.door("plain"), base=hospital.fhir, until=past)
    part = asked.get("part", "")
    try:
        with hospital.connect() as session:
            templates = templates_of(
                session, f"{hospital.base}/{visit.protocol}", SERVICES["patient-view"]
            )
            got = fill(session, templates, context_of("patient-view", visit, story), source)
        drawn = bench.timelines.of(
            visit.protocol,
            story.id,
            got.values,
            now=now,
            hours=int(hours[:4]),
            part=int(part[:4]) if part.isdecimal() else 1,
        )
    except NoDiscovery as error:
        return None, str(error)
    except AnotherPatient:
        return None, "A resource of another patient is in the record: nothing is drawn."
    return drawn, ""


def _charted(story: Story) -> tuple[float, ...]:
    """The hours at which something was charted, newest first."""
    return tuple(sorted({at for entry in story.chart for at in entry.times()}, reverse=True))


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)
