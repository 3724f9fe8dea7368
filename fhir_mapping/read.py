"""One patient's resources to `Facts`: the facts are listed in the order they are read.

Reads and reports; it decides nothing. Whatever cannot be used is named in `missing`, `notices` or
`unreadable`. Raises nothing but `AnotherPatient`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Raw, Struct

from fhir_mapping.administrations import (
    any_lost,
    read_doses,
    read_given,
    read_masking,
    unnamed_in_window,
)
from fhir_mapping.baselines import read_baselines
from fhir_mapping.binding import Binding
from fhir_mapping.blood_pressure import read_pressures
from fhir_mapping.bundles import Page, read_page
from fhir_mapping.codes import CodeSets
from fhir_mapping.completeness import answered_queries, has_newest, read_back_to
from fhir_mapping.consciousness import read_background, read_consciousness, read_sedatives
from fhir_mapping.devices import read_device_uses
from fhir_mapping.diagnoses import read_diagnoses
from fhir_mapping.fluids import read_boluses
from fhir_mapping.history import read_attributions, read_grades
from fhir_mapping.infusions import read_infusions
from fhir_mapping.labs import read_creatinine, read_platelets
from fhir_mapping.linked_records import was_merged
from fhir_mapping.malformed import read_malformed
from fhir_mapping.neuro import read_capd, read_ice
from fhir_mapping.notes import Notes
from fhir_mapping.orders import draft_medications, open_drafts, read_drafts
from fhir_mapping.oxygen import read_oxygen
from fhir_mapping.person import (
    note_death,
    read_active_orders,
    read_age,
    read_allergies,
    read_setting,
    read_sex,
    read_weights,
)
from fhir_mapping.procedures import read_procedures
from fhir_mapping.readings import Scope, in_order
from fhir_mapping.record import sort_resources
from fhir_mapping.resources import Patient
from fhir_mapping.saturation import read_saturations
from fhir_mapping.seizures import read_seizure_counts, read_seizures
from fhir_mapping.signs import AROUSAL, MOTOR, RAISED_ICP, SUPPORT, read_words
from fhir_mapping.temperature import read_temperatures
from knowledge.facts import Facts
from knowledge.model import SiteRules


class PatientInput(Struct, frozen=True):
    """What a request brought: `prefetch` by key, drafts and selections as they were sent."""

    patient_id: str
    fhir_base: str | None
    draft_orders: Raw | None
    selections: tuple[str, ...] | None
    prefetch: Mapping[str, Raw]


class Mapped(Struct, frozen=True):
    """The facts, and each draft order's own JSON by its reference."""

    facts: Facts
    drafts: Mapping[str, bytes]


def read(data: PatientInput, *, now: datetime, rules: SiteRules, codes: CodeSets) -> Mapped:
    """Every fact in the request at `now` (UTC); raises `AnotherPatient`."""
    notes = Notes()
    pages = [read_page(name, raw, notes) for name, raw in data.prefetch.items()]
    binding = _binding(data, pages)
    record = sort_resources(pages, binding, codes, notes)
    if was_merged(record, binding, notes):
        pages, record = [], sort_resources((), binding, codes, notes)
    waiting = open_drafts(data.draft_orders, notes)
    record.medications.update(draft_medications(waiting, binding, notes))
    drafts = read_drafts(waiting, data.selections, binding, record.medications, codes, notes)

    note_death(record, notes)
    since = now - timedelta(days=rules.icans_lookback_days)
    scope = Scope(now, since, notes)
    ever = Scope(now, datetime.min.replace(tzinfo=now.tzinfo), notes)
    pressures = read_pressures(record, scope, codes)
    saturations = read_saturations(record, scope)
    given = read_given(record, scope, codes)
    unnamed = unnamed_in_window(record, given, scope, codes) | any_lost(pages, scope)
    procedures = read_procedures(record, scope, codes)
    devices = read_device_uses(record, scope, codes)
    charted = (*saturations.on_room_air, *procedures.oxygen)
    oxygen = read_oxygen(record, scope, codes, charted, devices.uses)
    ice = read_ice(record, scope)
    lost = read_malformed(pages, scope, codes)
    facts = Facts(
        patient=f"Patient/{data.patient_id}",
        evaluated_at=now,
        age_years=read_age(record, now),
        sex=read_sex(record),
        in_hospital=read_setting(record, now, newest=has_newest(pages, "encounter")),
        temperatures=read_temperatures(record, scope),
        systolic=pressures.systolic,
        mean_pressure=pressures.mean,
        saturations=saturations.readings,
        oxygen=oxygen,
        infusions=read_infusions(record, given, scope, codes),
        boluses=in_order(
            (*procedures.boluses, *read_boluses(given, scope, record, codes, rules.bolus_hours))
        ),
        support=read_words(record, "hypotension-support", SUPPORT, scope, doubts=False),
        masking=read_masking(given, scope),
        baselines=(
            *read_baselines(record, scope, codes),
            *procedures.airways,
            *devices.airways,
        ),
        ice=ice.totals,
        capd=read_capd(record, scope),
        arousal=lost.among(
            "arousal", read_words(record, "arousal", AROUSAL, scope, empty="sedated")
        ),
        seizure=lost.among("seizure", read_seizures(record, scope, codes)),
        motor=lost.among("motor", read_words(record, "motor", MOTOR, scope)),
        raised_icp=lost.among("raised-icp", read_words(record, "raised-icp", RAISED_ICP, scope)),
        grades=read_grades(record, ever),
        diagnoses=read_diagnoses(record, scope, codes),
        attributions=read_attributions(record, scope),
        doses=read_doses(given),
        seizure_counts=read_seizure_counts(record, ever, codes),
        weights=read_weights(record, ever),
        creatinine=read_creatinine(record, scope),
        platelets=read_platelets(record, scope),
        ice_doubts=lost.among("ice", ice.doubts),
        consciousness=read_consciousness(record, scope),
        sedatives=read_sedatives(record, scope, codes),
        background=read_background(record, codes),
        orders=drafts.orders,
        unread_orders=drafts.unread,
        active_orders=read_active_orders(record, codes, frozenset(drafts.raw)),
        allergies=read_allergies(record, codes),
        answered=answered_queries(pages, now, since, notes)
        - ({"administrations"} if unnamed else set()),
        read_back_to=read_back_to(pages),
        # Arguments are evaluated in this order: by now everything has been noted.
        unusable=notes.all_unusable,
        missing=notes.all_missing,
        notices=notes.all_notices,
        unreadable=notes.all_unreadable,
    )
    return Mapped(facts, drafts.raw)


def _binding(data: PatientInput, pages: list[Page]) -> Binding:
    """The patient's own identifiers, and patients met by the URL of their entry."""
    patients: list[Patient] = []
    by_full_url: dict[str, str | None] = {}
    for page in pages:
        for entry in page.entries:
            if type(entry.resource) is Patient:
                patients.append(entry.resource)
                if entry.full_url is not None and entry.full_url.startswith("urn:"):
                    by_full_url[entry.full_url] = entry.resource.id
    return Binding(data.patient_id, data.fhir_base, patients=patients, by_full_url=by_full_url)
