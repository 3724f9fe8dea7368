"""What product and protocol files say beside their rows: identity, frequencies, changes, gaps."""

from knowledge.dosing_model import Limit
from knowledge.library import Library
from knowledge.model import Header, SourceRef
from knowledge.plain import plain
from knowledge.product_model import Frequency, Product, Protocol, RemsProgram
from knowledge.spec_markdown import bullets, table


def identity(file: Header, library: Library) -> list[tuple[str, str]]:
    """Which file, of which document and date, and whether a clinician has reviewed it."""
    by = file.reviewed.by
    reviewed = "**not clinically reviewed**" if by == "none" else f"reviewed by {by}"
    published = library.references[file.source.ref].published
    return [
        ("Rules", f"`{library.rule_id(file, '')}`, {file.status}, {reviewed}"),
        ("Document", place(file.source)),
        *([] if published is None else [("Its date", str(published))]),
        ("In effect from", str(file.effective)),
    ]


def place(source: SourceRef) -> str:
    """The document by its id under "Documents", and the place in it."""
    if source.ref == "project":
        return f"decision of this project: {source.at}"
    return f"`{source.ref}`: {source.at}"


def product_facts(file: Product, library: Library) -> list[str]:
    """One product: what it is, how often toxicities occur, what changed, what is not stated."""
    facts = [
        ("Brand", file.brand),
        ("Target", file.target),
        ("Disease", file.disease),
        *identity(file, library),
        *_limits(file),
    ]
    if file.incidence is not None:
        facts.append(("CRS occurs", _frequency(file.incidence.crs)))
        facts.append(("ICANS occurs", _frequency(file.incidence.icans)))
    changes = (f"{one.on}: {one.text} ({place(one.source)})" for one in file.changes)
    return [
        *table(("", ""), facts),
        *bullets("Changed after this label, not in the rows", changes),
        *bullets("Not stated by the source", file.gaps),
        *bullets("Open questions", file.open_questions),
    ]


def _limits(file: Product) -> list[tuple[str, str]]:
    found = _flow("Oxygen is high flow", "from", file.high_flow_from)
    if file.step_up is not None:
        step = file.step_up
        days = f"{step.min_days}-{step.max_days} days between doses, first {step.doses} doses"
        found.append(("Step-up", f"{days} ({place(step.source)})"))
    return found


def _flow(name: str, word: str, limit: Limit | None) -> list[tuple[str, str]]:
    if limit is None:
        return []
    return [(name, f"{word} {plain(limit.value)} L/min ({place(limit.source)})")]


def protocol_facts(file: Protocol, library: Library) -> list[str]:
    """One protocol: what it is, what it leaves to the label, its principles and silences."""
    facts = identity(file, library)
    facts += _flow("Oxygen is low flow", "under", file.low_flow_under)
    if file.names_products:
        facts.append(("Products it names", ", ".join(file.names_products)))
    if file.expires is not None:
        facts.append(("Not to be used after", str(file.expires)))
    if file.falls_back_to is not None:
        scope = ", ".join(file.fallback_scope)
        facts.append(("Left to the label", f"{scope} ({file.falls_back_to})"))
    principles = (f"{p.text} (`{library.rule_id(file, p.id)}`, {p.at})" for p in file.principles)
    guidance = (f"{g.text} ({g.topic}; {g.at})" for g in file.guidance)
    return [
        *table(("", ""), facts),
        *bullets("Principles", principles),
        *bullets("Beside its grades", guidance),
        *bullets("Not stated by the source", file.gaps),
    ]


def rems_facts(file: RemsProgram, library: Library) -> list[str]:
    """One REMS programme: its products, when its status was looked up, its duties."""
    facts = [
        ("Products", ", ".join(file.products)),
        ("Status looked up on", str(file.verified_on)),
        *identity(file, library),
    ]
    duties = (
        f"{duty.role.replace('-', ' ')}: {duty.text} "
        f"({place(SourceRef(duty.ref or file.source.ref, duty.at))})"
        for duty in file.duties
    )
    return [*table(("", ""), facts), *bullets("Duties", duties)]


def documents(library: Library) -> list[str]:
    """Every document by its id."""
    rows = (
        (
            f"`{name}`",
            f"{one.title} ({one.publisher}){'' if not one.url else f' <{one.url}>'}",
            "" if one.published is None else str(one.published),
            one.note,
        )
        for name, one in sorted(library.references.items())
    )
    return table(("Id", "Document", "Date", "Note"), rows)


def _frequency(printed: Frequency) -> str:
    doubt = f". Doubtful: {printed.discrepancy}" if printed.discrepancy else ""
    return f"{printed.rate}; onset {printed.onset}; duration {printed.duration}{doubt}"
