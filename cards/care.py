"""Sections on treatment: medicines of the rows reached, tocilizumab, next-dose conditions.

No dose is computed here: every number comes with the decision.
"""

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from cards import citing, detail, terms, wording
from cards.escape import markdown
from cards.units import number, time
from knowledge.assessment import Tocilizumab
from knowledge.decision import Decision
from knowledge.treatment import Medication, NextDose, Restart, Strength


_CYTOKINE_DRUGS = frozenset({"tocilizumab", "anakinra"})
_STRENGTH = {"administer": "give", "consider": "consider", "as-needed": "as needed"}
_PER = {"kg": "/kg", "m2": "/m²", "day": "/day"}
_INDICATIONS = {
    "administer": "the rule reached says to give it, on its condition where it names one",
    "consider": "the rule reached says to consider it",
    "not-addressed": "the rules reached do not address it",
    "not-for-isolated-icans": "not for ICANS without CRS",
}
_STATUSES = {
    "blocked": "a limit speaks against a dose now",
    "cannot-evaluate": "the limits cannot be checked",
    "not-addressed": "the active protocol does not address it here",
    "allowed": "no checked limit speaks against the dose checked",
}


def medications(items: tuple[Medication, ...]) -> str:
    """Medicines that the rows reached name, a dose only where the source prints one."""
    return detail.section("Acute management", (_medication(item) for item in items))


def _medication(item: Medication) -> str:
    parts = [f"{item.agent}:", _STRENGTH[item.strength]]
    if item.dose is None:
        parts.append("(dose not stated in the source)")
    else:
        upper = f" to {number(item.dose_to)}" if item.dose_to is not None else ""
        parts.append(f"{number(item.dose)}{upper} {item.unit}{_PER.get(item.per or '', '')}")
    if item.computed is not None:
        parts.append(f"= {wording.dose_text(item.computed)}")
    parts.append(item.route)
    if item.every:
        # "12 h" is an interval; "once" or "up to 3 times daily" says itself how often.
        parts.append(f"every {item.every}" if item.every[0].isdigit() else item.every)
    if item.duration:
        parts.append(f"for {item.duration}" if item.duration[0].isdigit() else item.duration)
    if item.max_dose is not None:
        parts.append(f"(at most {number(item.max_dose)} {item.unit})")
    if item.rule:
        parts.append(f"[rule {item.rule}]")
    return " ".join(part for part in parts if part)


def tocilizumab(decision: Decision, result: Tocilizumab | None, zone: ZoneInfo) -> str:
    """Limits, dose arithmetic, counts and the earliest time, each limit with its source."""
    if result is None:
        return ""
    items = [f"Check: {checked(result)}", *arithmetic(decision, result)]
    if result.doses_this_event is not None:
        items.append(f"Doses in this event: {result.doses_this_event}")
    if result.doses_in_6_weeks is not None:
        items.append(f"Doses in the last 6 weeks: {result.doses_in_6_weeks}")
    if result.earliest is not None:
        items.append(f"Earliest next dose by the limits: {time(result.earliest, zone)}")
    items += [terms.capital(terms.reason(markdown(reason))) for reason in result.reasons]
    items += citing.grouped(
        (f"{terms.capital(line.text)}.", line.citation) for line in decision.tocilizumab_lines
    )
    return detail.section("Tocilizumab", items)


def checked(result: Tocilizumab) -> str:
    """Whether a limit speaks against a dose, and whether a rule asks for one."""
    return f"{_STATUSES[result.status]}; {_INDICATIONS[result.indication]}"


def arithmetic(decision: Decision, result: Tocilizumab) -> list[str]:
    """The dose with its inputs, uncapped and capped."""
    if result.dose_mg is None:
        return []
    dose = wording.dose_text(result.dose_mg)
    uncapped = result.uncapped_mg if result.uncapped_mg is not None else result.dose_mg
    capped = f"; capped at {dose}" if uncapped != result.dose_mg else ""
    weight, per_kg = decision.tocilizumab_weight, decision.tocilizumab_mg_per_kg
    if weight is None or per_kg is None:
        return [f"Calculated dose {wording.dose_text(uncapped)}{capped}"]
    inputs = f"{number(per_kg)} mg/kg × {number(weight.value)} kg"
    return [f"Dose: {inputs} = {wording.dose_text(uncapped)}{capped}"]


def weight(decision: Decision, zone: ZoneInfo) -> str:
    """The weight the dose rests on, and when it was measured."""
    used = decision.tocilizumab_weight
    return "" if used is None else f"Weight used: {detail.evidence(used.evidence, zone)}"


def limits(decision: Decision, agents: Iterable[str], zone: ZoneInfo) -> tuple[str, str]:
    """Recorded allergies, then what was not checked; only beside tocilizumab or anakinra."""
    if _CYTOKINE_DRUGS.isdisjoint(agents):
        return ("", "")
    items = [
        f"{markdown(a.ingredient)}: {detail.evidence(a.evidence, zone) or 'recorded'}"
        for a in decision.allergies
    ]
    unchecked = ", ".join(decision.not_checked or wording.NOT_CHECKED)
    return (detail.section("Recorded allergy or intolerance", items), f"Not checked: {unchecked}.")


def conditions(value: NextDose | None) -> tuple[str, ...]:
    """The conditions on the next dose, hospitalisation first, as the source states them."""
    if value is None:
        return ()
    items = [
        _strength("hospitalise", "hospitalisation", value.hospitalize),
        _strength("monitor", "monitoring", value.monitor),
        _strength("premedicate", "premedication", value.premedicate),
        _strength("slower infusion", "a slower infusion", value.rate),
    ]
    if value.resolved is not None:
        bound = "more than" if value.resolved.strict else "at least"
        hours = number(value.resolved.hours)
        items.append(f"resolved, as the rule defines it, for {bound} {hours} h")
    if value.max_infusion_hours is not None:
        items.append(f"infusion of at most {number(value.max_infusion_hours)} h")
    if value.dose_level is not None:
        items.append(f"{value.dose_level} dose level")
    items += [_restart("restart at", value.restart), _restart("escalate to", value.escalate)]
    if value.current_infusion is not None:
        items.append(
            _infusion(value.current_infusion.action, value.current_infusion.resume_percent)
        )
    return tuple(item for item in items if item)


def _infusion(action: str, percent: Decimal | None) -> str:
    resumed = f", resume at {number(percent)} % of the rate" if percent is not None else ""
    return f"current infusion: {terms.words(action)}{resumed}"


def _strength(required: str, considered: str, value: Strength | None) -> str:
    if value is None:
        return ""
    text = required if value.strength == "required" else f"consider {considered}"
    if value.hours is not None:
        upper = f" to {number(value.hours_to)}" if value.hours_to is not None else ""
        text += f" for {number(value.hours)}{upper} h"
    if value.percent is None:
        return text
    return f"{text} ({number(value.percent)} %, as the rule defines it)"


def _restart(verb: str, value: Restart | None) -> str:
    if value is None:
        return ""
    after = f" after {value.after_days} days" if value.after_days is not None else ""
    return f"{verb} {number(value.dose)} {value.unit}{after}"
