"""The sentences of summaries, suggestions and fixed statements; decides nothing.

A summary is under 140 characters by choosing a shorter variant, never by cutting.
"""

from decimal import Decimal

from cards import terms
from cards.units import number


LIMIT = 140

RESTART = "Restart after a delay is not stated in the source."
BY_HAND = (
    "This service could not rebuild the order for an automatic hold: the order has to be held "
    "by hand."
)
ONE_DRUG = "Stops the dose drafted now; later doses are a separate decision."
NOT_CHECKED = ("allergy", "infection", "neutrophils", "liver", "interactions")
REMS_STATUS = "confirm current status at REMS@FDA"
CHART_MAXIMUM = "Chart the event's maximum grade to settle these conditions."
BEDSIDE_LINK = "Grade at the bedside"
OVERFLOW = "Also for this request:"

_VERBS = {
    "withhold": "Hold",
    "interrupt": "Interrupt",
    "discontinue-current": "Stop the current dose of",
}


def fits(text: str) -> bool:
    """Under the limit in UTF-16 units, as a browser counts."""
    return len(text.encode("utf-16-le")) // 2 < LIMIT


def shortest(*variants: str) -> str:
    """The first variant that fits, longest first; ValueError when none does."""
    for text in variants:
        if fits(text):
            return text
    raise ValueError("no variant of this summary is short enough")


def hold(action: str, drug: str, findings: tuple[str, ...], missing: str) -> str:
    """A hold: what to do, the grade, and the input that would settle it."""
    verb = _VERBS[action]
    every = "; ".join(findings) or "toxicity not excluded"
    first = findings[0] if findings else "toxicity not excluded"
    return shortest(
        *([f"{verb} {drug}: {every}: {missing}"] if missing else []),
        f"{verb} {drug}: {every}",
        f"{verb} {drug}: {first}",
        f"{verb} this order: {every}",
        f"{verb} this order: {first}",
    )


def permanent(drug: str, why: str, confirmed: bool) -> str:
    """Permanent discontinuation: an instruction only once a clinician's grade covers it."""
    subject = terms.capital(drug)
    if confirmed:
        return shortest(
            f"{subject}: discontinue permanently ({why})",
            f"{subject}: discontinue permanently: grade confirmed",
            "This order: discontinue permanently: grade confirmed",
        )
    return shortest(
        f"{subject}: meets permanent discontinuation ({why}): confirm the grade",
        f"{subject}: meets permanent discontinuation: confirm the grade",
        "This order: meets permanent discontinuation: confirm the grade",
    )


def about(drug: str, *texts: str) -> str:
    """A statement about one drug, with shorter statements and an unnamed drug to fall back on."""
    subject = terms.capital(drug)
    return shortest(
        *(f"{subject}: {text}" for text in texts), *(f"This order: {text}" for text in texts)
    )


def disposition(drug: str, findings: tuple[str, ...], action: str) -> str:
    """A disposition that is no hold, beside the grade."""
    stated = terms.action(action)
    return about(
        drug,
        *([f"{'; '.join(findings)}: {stated}", f"{findings[0]}: {stated}"] if findings else []),
        stated,
    )


def unsupported(drug: str) -> str:
    """A bispecific without rules here."""
    return about(drug, "recognised, not yet in the knowledge base: not evaluated")


def cannot_evaluate(drug: str, missing: str) -> str:
    """Nothing usable to evaluate with."""
    return about(drug, *([f"cannot evaluate: {missing}"] if missing else []), "cannot evaluate")


def unread_order(number: int) -> str:
    """Drafts that nobody here could read: which drug they are for is not known."""
    if number == 1:
        return "One order could not be read: not evaluated"
    return f"{number} orders could not be read: not evaluated"


def incomplete(drug: str, missing: str) -> str:
    """Evaluated in part; silence would look like a complete answer."""
    return about(drug, f"cannot evaluate fully: {missing}", "cannot evaluate fully")


def not_exposed(drug: str, fever: bool, dosed: bool) -> str:
    """Something abnormal before any dose of a bispecific, or long after the last one."""
    finding = "fever" if fever else "abnormal findings"
    when = "outside the look-back after the last dose" if dosed else "before a first dose"
    more = "toxicity not excluded; evaluate infection" if dosed else "evaluate infection"
    return about(
        drug,
        f"{finding} {when}: look for another cause, {more}",
        f"{finding} {when}: look for another cause",
    )


def other_cause(drug: str, toxicities: tuple[str, ...]) -> str:
    """Findings that a clinician attributed to something else."""
    crs = "active fever or hypotension attributed to another cause"
    icans = "active neurological findings attributed to another cause"
    both = "active fever, hypotension or neurological findings attributed to another cause"
    if set(toxicities) == {"icans"}:
        return about(drug, icans)
    return about(drug, both if "icans" in toxicities else crs)


def switched_off(drug: str, findings: tuple[str, ...]) -> str:
    """Advice that the site's own configuration withholds."""
    told = "advice is switched off at this site"
    return about(drug, f"{'; '.join(findings)}: {told}", told)


def step_up(drug: str, text: str) -> str:
    """A planned dose outside the step-up interval."""
    return about(drug, f"step-up interval: {text}", "step-up interval: check the dosing day")


def acute(drug: str, findings: tuple[str, ...]) -> str:
    """Management of active toxicity beside a supportive drug."""
    every = "; ".join(findings)
    return about(drug, f"{every}: acute management in the source", "acute management in the source")


def next_dose(drug: str, conditions: tuple[str, ...], event: str) -> str:
    """Conditions on the next dose."""
    after = f" after {event}" if event else ""
    shown = ", ".join(conditions)
    return about(
        drug,
        f"next dose{after}: {shown}",
        *([f"next dose{after}: {conditions[0]} and more"] if len(conditions) > 1 else []),
        f"next dose has conditions{after}",
        "next dose has conditions",
    )


def rems(drug: str, program: str, verified: str) -> str:
    """A REMS programme that covers the drug."""
    dated = f"per source dated {verified}: {REMS_STATUS}"
    return about(drug, f"{program}, {dated}", f"REMS {dated}")


def tocilizumab(drug: str, level: str, why: str, dose: str) -> str:
    """The check of one tocilizumab order."""
    if level == "blocked":
        return about(drug, f"blocked: {why}", "blocked: see the limits")
    if level == "cannot-evaluate":
        return about(drug, f"dose cannot be checked: {why}", "dose cannot be checked")
    if level == "warning":
        return about(drug, f"check the order: {why}", "check the order")
    return about(drug, f"{dose} {why}".strip(), why, "checked: see the limits")


def supportive(drug: str, problem: str, status: str) -> str:
    """A drafted supportive drug: the first thing against it, else how its check went."""
    first = problem.partition("; ")[0]
    more = " and more" if "; " in problem else ""
    if not problem:
        return shortest(
            f"{terms.capital(drug)} order: {status}", f"{terms.capital(drug)} order: checked"
        )
    return shortest(
        f"Check this {drug} order: {first}{more}",
        f"Check this {drug} order: {first}",
        f"Check this {drug} order: something speaks against it",
    )


def dose_text(milligrams: Decimal) -> str:
    """A dose in mg."""
    return f"{number(milligrams)} mg"


def enter_dose(milligrams: Decimal) -> str:
    """EHRs may replace the dose of a suggested order by the default of their record."""
    return f"Enter {dose_text(milligrams)}: the EHR may use its own default"
