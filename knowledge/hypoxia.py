"""The hypoxia axis at one time: the oxygen device decides, saturation only asks for a look.

No device record is not room air. Low saturation on room air means oxygen may be required and is
not given yet: none or low flow. Tiers: Lee et al. 2019, Table 2.
"""

from datetime import datetime, timedelta

from knowledge.facts import Facts, Missing, Notice
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.series import any_within, newest


ORDER = ("none", "low-flow", "high-flow", "positive-pressure")


def hypoxia_levels(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Axis:
    """The oxygen support levels the facts allow at `at`."""
    device = any_within(facts.oxygen, at, window)
    saturation = any_within(facts.saturations, at, window)
    low = saturation is not None and saturation.value < rules.saturation_below
    evidence = () if saturation is None else (saturation.evidence,)
    if device is not None and device.levels and not device.preliminary:
        levels = set(device.levels)
        if levels == {"none"} and low:
            levels.add("low-flow")
        missing = _flow_missing(device.levels)
        return Axis(
            frozenset(levels),
            (device.evidence, *evidence),
            missing=missing,
            abnormal=levels != {"none"},
            observed=True,
        )
    if device is None and not facts.oxygen and _assume_room_air(facts, rules):
        levels = {"none", "low-flow"} if low else {"none"}
        text = "No oxygen device is charted; this site's setting reads that as room air."
        return Axis(
            frozenset(levels),
            evidence,
            notices=(Notice("oxygen-assumed-room-air", text),),
            abnormal=low,
            observed=saturation is not None,
        )
    old = newest(facts.oxygen, at)
    reason = "oxygen device not charted"
    if old is not None:
        hours = int((at - old.at).total_seconds() // 3600)
        reason = f"oxygen device last charted {hours} h ago"
        evidence = (old.evidence, *evidence)
    return Axis(
        frozenset(ORDER),
        evidence,
        missing=(Missing("oxygen-device", reason),),
        abnormal=low,
        observed=saturation is not None,
    )


def _flow_missing(levels: tuple[str, ...]) -> tuple[Missing, ...]:
    if set(levels) == {"low-flow", "high-flow"}:
        return (Missing("oxygen-flow", "nasal cannula without a flow"),)
    return ()


def _assume_room_air(facts: Facts, rules: SiteRules) -> bool:
    return rules.oxygen_absent_means == "room-air" and "oxygen" in facts.answered
