"""Running a case through the real decision and comparing what came out with what is expected."""

from zoneinfo import ZoneInfo

from msgspec import UNSET

from knowledge import spec
from knowledge.assemble import Context
from knowledge.assessment import Assessment
from knowledge.case_model import Case, Expect, plainly
from knowledge.decide import decide
from knowledge.decision import AppliedRow, Decision
from knowledge.library import Library
from knowledge.plain import plain
from knowledge.product_model import Product, Protocol
from knowledge.treatment import Medication, NextDose
from tests.knowledge.case_chart import facts_of


CASES = spec.CASES
NEXT_DOSE = NextDose.__struct_fields__


def document(library: Library, name: str) -> Product | Protocol:
    """The knowledge file a case file is about."""
    return library.products[name] if name in library.products else library.protocols[name]


def run(case: Case, name: str, library: Library) -> Decision:
    """The decision for one case of the file `name`."""
    product = name if name in library.products else spec.DEFAULT_PRODUCT
    context = Context("cases", "live", case.given.protocol, "0", library.rules, ZoneInfo("UTC"))
    return decide(facts_of(case.given, product), library, context)


def differences(case: Case, name: str, found: Decision, library: Library) -> list[str]:
    """One line per key that came out otherwise, expected and found."""
    file = document(library, name)
    return [
        *_rule_differences(case, file, found, library),
        *_disposition_differences(case.expect, found.assessment),
        *_next_dose_differences(case.expect, found.assessment),
        *_treatment_differences(case.expect, found.assessment),
        *_text_differences(case.expect, found),
    ]


def _differs(key: str, expected: object, found: object) -> list[str]:
    if expected is UNSET or expected == found:
        return []
    return [f"{key}: expected {_shown(expected)}, found {_shown(found)}"]


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _rule_differences(
    case: Case, file: Product | Protocol, found: Decision, library: Library
) -> list[str]:
    reached = {row.rule for row in found.rows if row.reached}
    possible = {row.rule for row in found.rows if not row.reached}
    seen = f"found reached {sorted(reached)}, possible {sorted(possible)}"
    known = {row.id for row in file.rows}
    named = [name for name in (case.rule, case.possible, *case.not_rule) if name]
    wrong = [f"{name}: no row of {file.id} has this id" for name in named if name not in known]
    if case.rule and library.rule_id(file, case.rule) not in reached:
        wrong.append(f"rule: expected {case.rule} reached, {seen}")
    if case.possible and library.rule_id(file, case.possible) not in possible:
        wrong.append(f"possible: expected {case.possible} by the upper bound only, {seen}")
    for name in case.not_rule:
        if library.rule_id(file, name) in reached:
            wrong.append(f"notRule: expected {name} not reached, {seen}")
    return wrong


def _disposition_differences(expect: Expect, found: Assessment) -> list[str]:
    disposition = found.disposition
    reason = disposition.reason or None
    wrong = [
        *_differs("action", expect.action, disposition.action),
        *_differs("confirmed", expect.confirmed, disposition.confirmed),
        *_differs("until", expect.until, disposition.until or None),
    ]
    if isinstance(expect.reason, str):
        if expect.reason.lower() not in disposition.reason.lower():
            wrong.append(f"reason: expected {expect.reason!r} in it, found {_shown(reason)}")
        return wrong
    return [*wrong, *_differs("reason", expect.reason, reason)]


def _next_dose_differences(expect: Expect, found: Assessment) -> list[str]:
    stated = found.next_dose or NextDose()
    return [
        line
        for field in NEXT_DOSE
        for line in _differs(field, getattr(expect, field), getattr(stated, field))
    ]


def _treatment_differences(expect: Expect, found: Assessment) -> list[str]:
    indication = None if found.tocilizumab is None else found.tocilizumab.indication
    status = None if found.tocilizumab is None else found.tocilizumab.status
    wrong = _differs("tocilizumab", expect.tocilizumab, indication)
    wrong += _differs("tocilizumabStatus", expect.tocilizumab_status, status)
    if expect.medications is UNSET:
        return wrong
    wanted = [plainly(text) for text in expect.medications or ()]
    return [*wrong, *_differs("medications", wanted, [in_words(m) for m in found.medications])]


def _text_differences(expect: Expect, found: Decision) -> list[str]:
    codes = {notice.code for notice in found.assessment.notices}
    own = [row for row in found.rows if row.reached and not row.other_source]
    shown = " | ".join(text for row in own for text in row.statements)
    all_said = " | ".join((shown, *_actions(own), found.assessment.disposition.action))
    return [
        *(
            f"notices: expected {c}, found {sorted(codes)}"
            for c in expect.notices
            if c not in codes
        ),
        *(f"notNotices: expected none of {c}" for c in expect.not_notices if c in codes),
        *(
            f"says: expected {text!r}, found {shown!r}"
            for text in expect.says
            if text.lower() not in shown.lower()
        ),
        *(
            f"neverSays: expected no {text!r}, found {all_said!r}"
            for text in expect.never_says
            if text.lower() in all_said.lower()
        ),
    ]


def _actions(rows: list[AppliedRow]) -> list[str]:
    return [row.action for row in rows]


def in_words(medicine: Medication) -> str:
    """`dexamethasone 10 mg IV every 6 h: administer`, as the cases write it."""
    per = "" if medicine.per is None else f"/{medicine.per}"
    parts = [medicine.agent]
    if medicine.dose is not None:
        to = "" if medicine.dose_to is None else f"-{plain(medicine.dose_to)}"
        parts.append(f"{plain(medicine.dose)}{to} {medicine.unit}{per}")
    if medicine.route:
        parts.append(medicine.route)
    if medicine.every:
        parts.append(f"every {medicine.every}")
    if medicine.computed is not None:
        parts.append(f"computed {plain(medicine.computed)} {medicine.unit}")
    if medicine.max_dose is not None:
        parts.append(f"max {plain(medicine.max_dose)}")
    return plainly(f"{' '.join(parts)}: {medicine.strength}")
