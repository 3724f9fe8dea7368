"""The hypoxia axis at one time: the oxygen device decides, saturation only asks for a look.

No device record is not room air. Low saturation on room air means oxygen may be required and is
not given yet: none or low flow. Tiers: Lee et al. 2019, Table 2.
"""

from datetime import datetime, timedelta

from knowledge.baseline import oxygen_with_baseline
from knowledge.doubts import HIDDEN, doubt
from knowledge.facts import Charted, Facts, Missing, Notice
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
    hidden = _hidden_saturation(facts, at, rules, window)
    newer = doubt(facts, "oxygen-device", at, window, None if device is None else device.at)
    if newer is not None:
        return Axis(
            frozenset(ORDER),
            (newer.evidence, *(() if device is None else (device.evidence,)), *evidence),
            missing=(Missing("oxygen-device", HIDDEN),),
            abnormal=low or (device is not None and "none" not in device.levels),
            observed=saturation is not None or device is not None,
        )
    if device is not None and device.levels and not device.preliminary:
        found, notices = oxygen_with_baseline(facts, device, at, rules)
        levels = set(found)
        missing = _not_settled(device)
        if levels == {"none"} and (low or hidden):
            levels.add("low-flow")
            missing += hidden
        if low and "low-flow" in levels and device.levels == ("none",):
            text = "Saturation is low on room air: oxygen may be required and is not charted."
            notices += (Notice("oxygen-may-be-required", text),)
        return Axis(
            frozenset(levels),
            (device.evidence, *evidence),
            missing=missing,
            notices=notices,
            abnormal=levels != {"none"},
            observed=True,
        )
    if device is None and not facts.oxygen and _assume_room_air(facts, rules):
        levels = {"none", "low-flow"} if low or hidden else {"none"}
        text = "No oxygen device is charted; this site's setting reads that as room air."
        return Axis(
            frozenset(levels),
            evidence,
            missing=hidden,
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
        # Preliminary can raise: oxygen that is charted so is abnormal until it is settled.
        abnormal=low or (device is not None and "none" not in device.levels),
        observed=saturation is not None,
    )


def _not_settled(device: Charted) -> tuple[Missing, ...]:
    """What would tell the levels of a device apart."""
    if set(device.levels) == set(ORDER):
        said = device.evidence.value or "no device"
        return (Missing("oxygen-device", f"the level is not settled by: {said}"),)
    if {"low-flow", "high-flow"} <= set(device.levels) <= {"none", "low-flow", "high-flow"}:
        return (Missing("oxygen-flow", "nasal cannula without a flow"),)
    return ()


def _hidden_saturation(
    facts: Facts, at: datetime, rules: SiteRules, window: timedelta
) -> tuple[Missing, ...]:
    """A saturation newer than the last one that can be used may be a low one."""
    last = newest(facts.saturations, at)
    since = None if last is None else last.at
    if doubt(facts, "saturation", at, window, since, rules.saturation_below.__le__) is None:
        return ()
    return (Missing("saturation", HIDDEN),)


def _assume_room_air(facts: Facts, rules: SiteRules) -> bool:
    return rules.oxygen_absent_means == "room-air" and "oxygen" in facts.answered
