"""What the rule on decision support of the US ONC asks every evidence-based intervention to tell.

45 CFR 170.315(b)(11)(iv)(A)(1) to (13). What is said here is true of the code and of the knowledge
files; what this project does not know or use is said to be so. No certification is claimed.
"""

from knowledge.library import Library


RULE = "45 CFR 170.315(b)(11)(iv)(A)"
_UNUSED = "not used"


def source_attributes(library: Library) -> list[dict[str, object]]:
    """The thirteen attributes in their order, each with its number, name and value."""
    values = (*_origin(library), *_DATA_USED)
    return [
        {"number": number, "attribute": name, "value": value}
        for number, (name, value) in enumerate(values, start=1)
    ]


def _origin(library: Library) -> tuple[tuple[str, str], ...]:
    titles = "; ".join(
        f"{one.title} ({one.publisher}{f', {one.published}' if one.published else ''})"
        for one in library.references.values()
    )
    checked = sorted({file.reviewed.on for file in library.files.values()})
    revised = f"last revised on {checked[-1]}" if checked else ""
    return (
        ("bibliographic citation of the intervention", titles),
        ("developer of the intervention", "the btce-cds project"),
        ("funding source of the technical implementation", "none stated"),
        (
            "release and revision dates of the intervention or reference source",
            f"knowledge {library.version}, {revised}; dates of the sources: see the citation",
        ),
    )


_DATA_USED: tuple[tuple[str, str], ...] = (
    ("use of race", _UNUSED),
    ("use of ethnicity", _UNUSED),
    ("use of language", _UNUSED),
    ("use of sexual orientation", _UNUSED),
    ("use of gender identity", _UNUSED),
    (
        "use of sex",
        "used in one place: the creatinine clearance that anakinra depends on takes the"
        " administrative gender of the record",
    ),
    (
        "use of date of birth",
        "used as age: the pressure limits of an adult, ICE or CAPD, and the creatinine clearance"
        " that anakinra depends on",
    ),
    ("use of social determinants of health data", _UNUSED),
    (
        "use of health status assessments data",
        "used where charted: ICE, CAPD and level of consciousness (mental and cognitive status),"
        " seizures, motor findings and a clinician's own grade; no other assessment",
    ),
)
