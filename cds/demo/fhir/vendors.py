"""The named quirks, each with what it is like and where that can be read; and two vendors' sets.

"Epic" and "Oracle" mean what was seen in captures of their public sandboxes and read in public
documentation. A hospital's server may differ, and what nobody published is not imitated.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from cds.demo.fhir import shapes_epic, shapes_oracle
from cds.demo.fhir.quirks import Quirks


MAP = "https://github.com/mock-health/the-map (captures of April and May 2026)"
PAGING = f"{MAP}, reports/pagination-2026-05-15.md"
ORACLE = "https://github.com/cerner/fhir.cerner.com, content/millennium/r4 (archived May 2024)"
EPIC = "https://fhir.epic.com/Documentation?docId=cds-hooks (read as a copy, 2024)"


class Named(Struct, frozen=True, kw_only=True):
    """One quirk: what the server then does, where that is from, and the settings it changes."""

    what: str
    source: str
    settings: Mapping[str, Any]


def _named(what: str, source: str, **settings: Any) -> Named:
    return Named(what=what, source=source, settings=MappingProxyType(settings))


_UNKNOWN = frozenset({"_sort", "_include", "_total", "_summary"})
NAMED: Mapping[str, Named] = MappingProxyType(
    {
        "flowsheet-codings": _named(
            "flowsheet row and id before LOINC; each vital sign coded as the panel of them too",
            f"{MAP}, tests/golden/epic, observation-vital-signs",
            shapes=(shapes_epic.flowsheet_codings,),
        ),
        "flowsheet-alone": _named(
            "a flowsheet row without LOINC: nothing a client knows until the site maps it",
            f"{MAP}, tests/golden/epic: the local codings, with the others taken away",
            shapes=(shapes_epic.flowsheet_alone,),
        ),
        "smartdata-assessments": _named(
            "assessments filed as SmartData, their value as text in a component",
            f"{MAP}, ehrs/epic, CapabilityStatement of May 2026: Observation, SmartData",
            shapes=(shapes_epic.smart_data,),
        ),
        "medication-references": _named(
            "a drug is a reference to a Medication, with its name beside",
            f"{MAP}, tests/golden/epic, medicationrequest",
            shapes=(shapes_epic.medication_reference,),
            named_medications=True,
        ),
        "ignored-parameters": _named(
            "_sort, _include, _total and _summary are ignored, and not in the self link",
            f"{MAP}, CapabilityStatements of Epic and Cerner list none; ehrs/epic/overlay.json",
            ignored=_UNKNOWN,
        ),
        "no-last-updated": _named(
            "_lastUpdated is ignored as well",
            f"{MAP}, CapabilityStatement of Epic",
            ignored=frozenset({"_lastUpdated"}),
        ),
        "no-subscriptions": _named(
            "Subscription is not served",
            f"{MAP}, CapabilityStatements of Epic and Cerner",
            left_out=frozenset({"Subscription"}),
        ),
        "grouped-order": _named(
            "unsorted results come by code, newest first within a code",
            f"{MAP}, tests/golden/epic, observation-vital-signs: every BP, then every Temp",
            unsorted="by-code",
        ),
        "outcome-entries": _named(
            "an empty search has an entry saying so, an ignored parameter too; mode outcome",
            f"{MAP}, tests/golden/epic, procedure and error-search-with-unsupported-param; {EPIC}",
            notes=True,
        ),
        "withheld-results": _named(
            "each search says that results of a sub-type were not returned (59204)",
            f"{MAP}, tests/golden/epic, observation-vital-signs",
            withheld=True,
        ),
        "total-of-page": _named("total counts the page", PAGING, total_of_page=True),
        "session-paging": _named(
            "the next link is a session id and nothing else; it expires (after five minutes here:"
            " the time is not published)",
            PAGING,
            page_parameter="sessionID",
            page_seconds=300.0,
        ),
        "proprietary-codings": _named(
            "the system's own code first and marked as the user's; of a pressure only the parts"
            " have one, and each part is coded as the panel as well",
            f"{MAP}, tests/golden/cerner, observation-vital-signs",
            shapes=(shapes_oracle.proprietary_codings, shapes_oracle.drug_synonyms),
        ),
        "panel-only": _named(
            "a pressure is found by 85354-9 only, not by the codes of its parts",
            f"{ORACLE}, Observation: Parameters, Notes",
            ignored=frozenset({"combo-code", "component-code"}),
        ),
        "missing-units": _named(
            "one measurement in three has a number and no unit",
            f"{MAP}, tests/golden/cerner, observation-vital-signs: 15 such values",
            shapes=(shapes_oracle.bare_values(3),),
        ),
        "contained-infusions": _named(
            "the drug of an infusion is an ingredient of a contained Medication",
            f"{ORACLE}, MedicationAdministration: Overview",
            shapes=(shapes_oracle.contained_infusion,),
        ),
        "page-context": _named(
            "the next link is the search with -pageContext and -pageDirection; there is no total",
            PAGING,
            page_parameter="-pageContext",
            page_keeps_query=True,
            no_total=True,
        ),
        "newest-first": _named(
            "unsorted Observations and Encounters come newest first, other types in any order",
            f"{ORACLE}, Observation and Encounter: Implementation Notes; {MAP},"
            " tests/golden/cerner, medicationrequest and procedure: in no order of time",
            unsorted="newest-first",
            newest_first=frozenset({"Observation", "Encounter"}),
        ),
        "echoed-self-link": _named(
            "the self link repeats the search as it was asked, ignored parameters too",
            PAGING,
            echoes=True,
        ),
        "count-cap": _named(
            "200 entries of a page at most", f"{ORACLE}, Observation: _count", largest_page=200
        ),
        "needs-patient": _named(
            "a search without a patient is refused, 400",
            f"{ORACLE}, Observation: Parameters; {MAP}, tests/golden/cerner, error-search",
            needs_patient=True,
        ),
        "date-limits": _named(
            "eq, ge, gt, le, lt only; twice as a range at most; date not with _lastUpdated;"
            " effective-time needs a prefix and a time",
            f"{ORACLE}, Observation and MedicationAdministration: Notes",
            strict_dates=True,
        ),
    }
)

SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "none": (),
        "epic": (
            *(
                "flowsheet-codings",
                "medication-references",
                "ignored-parameters",
                "no-last-updated",
            ),
            *("grouped-order", "outcome-entries", "total-of-page", "session-paging"),
            "no-subscriptions",
        ),
        "oracle": (
            *("proprietary-codings", "panel-only", "missing-units", "contained-infusions"),
            *("ignored-parameters", "newest-first", "echoed-self-link", "page-context"),
            *("count-cap", "needs-patient", "date-limits", "no-subscriptions"),
        ),
    }
)


def quirks_of(*names: str) -> Quirks:
    """The settings of quirks and sets by name, together. Raises `KeyError` for an unknown one."""
    single = [one for name in names for one in SETS.get(name, (name,))]
    made = Quirks()
    for name in dict.fromkeys(single):
        settings = NAMED[name].settings
        ignored = made.ignored | settings.get("ignored", frozenset())
        shapes = (*made.shapes, *settings.get("shapes", ()))
        both = {**settings, "ignored": ignored, "shapes": shapes}
        made = msgspec.structs.replace(made, **both)
    return made
