"""What is said beside an ICANS grade and never changes it: other consciousness scales, sedatives,
and coded conditions the scale excludes or that lower an ICE of their own.
"""

from datetime import datetime, timedelta

from knowledge.facts import Consciousness, Evidence, Facts, Notice


_SAID = {
    "haemorrhage": Notice(
        "intracranial-haemorrhage",
        "An intracranial haemorrhage is coded: the ICANS scale excludes it, and it is no less"
        " urgent for that.",
    ),
    "stroke": Notice(
        "stroke",
        "A stroke is charted: it is no part of the ICANS scale, and it is no less urgent for that.",
    ),
    "speech": Notice(
        "speech-problem",
        "Aphasia is coded: an ICE may be low for that reason; compare with the ICE before"
        " treatment.",
    ),
    "seizure-disorder": Notice(
        "seizure-disorder",
        "A seizure disorder is coded: whether a seizure belongs to ICANS is for a clinician.",
    ),
    "functional-seizure": Notice(
        "functional-seizure",
        "Functional (psychogenic) seizures are charted: whether a seizure belongs to ICANS is for a"
        " clinician.",
    ),
}


def scales_beside(facts: Facts, at: datetime, window: timedelta) -> tuple[Consciousness, ...]:
    """The newest entry of each other scale in the window."""
    fresh = [one for one in facts.consciousness if timedelta(0) <= at - one.at <= window]
    return tuple({(one.scale, one.evidence.code): one for one in fresh}.values())


def evidence_beside(facts: Facts, at: datetime, window: timedelta) -> tuple[Evidence, ...]:
    """These entries as evidence for the arousal axis; their note says that they do not grade."""
    return tuple(one.evidence for one in scales_beside(facts, at, window))


def is_depressed(facts: Facts, at: datetime, window: timedelta) -> bool:
    """Whether another scale is below its best: a neurological sign nobody graded yet."""
    return any(one.depressed for one in scales_beside(facts, at, window))


def notices_beside(facts: Facts, at: datetime, window: timedelta) -> tuple[Notice, ...]:
    """Everything to say beside the grade."""
    found: list[Notice] = []
    low = [one for one in scales_beside(facts, at, window) if one.depressed]
    if low:
        said = ", ".join(f"{one.scale} {one.value} {_ago(one.at, at)}" for one in low)
        text = (
            f"{said}: supports a look at arousal and does not grade ICANS; chart arousal and ICE."
        )
        found.append(Notice("consciousness-scale", text))
    given = [
        one
        for one in facts.sedatives
        if one.start <= at and (one.end is None or at - one.end <= window)
    ]
    if given:
        agents = ", ".join(dict.fromkeys(one.agent for one in given))
        text = (
            f"Sedation ({agents}): arousal may not be assessable; what a sedative does to"
            " consciousness does not count."
        )
        found.append(Notice("sedation", text))
    kinds = {one.kind for one in facts.background}
    found.extend(notice for kind, notice in _SAID.items() if kind in kinds)
    return tuple(found)


def _ago(then: datetime, now: datetime) -> str:
    hours = int((now - then).total_seconds() // 3600)
    return "under an hour ago" if hours == 0 else f"{hours} h ago"
