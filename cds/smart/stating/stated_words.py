"""What was stated, as a reader sees it, and where it is now: for the page of statements.

The words of questions and answers are those of the resource, which come from the Questionnaire;
here are labels only. Templates escape all of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from cards.units import quantity
from cds.smart.stating.sending import PERHAPS, Problem
from cds.smart.stating.statement import resource_of
from cds.store.statements_kept import StatementRow
from knowledge.facts import Evidence


NOT_SENT = "Not in the chart yet: it was not sent. Send it again."
SENDING = "Being sent now. Load this page again in a minute."
IN_CHART = "In the chart"
WITHDRAWN = "Withdrawn: it does not count here and is not sent."
PERHAPS_WITHDRAWN = (
    "Withdrawn: it does not count here and is not sent again. It may be in the chart all the same:"
    " look there, and correct it in the EHR."
)
PROBLEMS: Mapping[Problem, str] = {
    "not-granted": (
        "Not in the chart: this app was not given the right to write it. Chart it in the EHR, and"
        " tell those who manage this app at your site."
    ),
    "session": (
        "Not in the chart: your session with the EHR is over. Open the app from the EHR again and"
        " send it again, or chart it in the EHR."
    ),
    "not-allowed": (
        "Not in the chart: the EHR refused it (not allowed). Try again, or chart it in the EHR."
    ),
    "rejected": ("Not in the chart: the EHR did not accept it. Try again, or chart it in the EHR."),
    "another-patient": (
        "Not known to be in this chart: the EHR answered with the record of another patient. Check"
        " the chart, and tell those who manage this app at your site."
    ),
    "busy": "Not in the chart yet: the EHR is busy. Wait a minute, then send it again.",
    "unreachable": "Not in the chart yet: the EHR could not be reached. Send it again.",
    "unclear": (
        "It may be in the chart: the EHR did not say. Send it again: what is found there is not"
        " written twice. If that does not settle it, look in the chart."
    ),
}


class Stated(Struct, frozen=True, kw_only=True):
    """One statement in words. `where`: in the chart, or why not and what to do.

    `perhaps`: nobody knows whether the chart has it.
    """

    what: str
    value: str
    where: str
    in_chart: bool
    withdrawn: bool
    perhaps: bool
    ref: str


class Confirmed(Struct, frozen=True, kw_only=True):
    """One confirmed form. `submission`: its id. `by`: the reference of who charted it."""

    submission: str
    at: datetime
    by: str
    stated: tuple[Stated, ...]
    sending: bool

    @property
    def open(self) -> int:
        """How many of its statements are not known to be in the chart, and not withdrawn."""
        return sum(not one.in_chart and not one.withdrawn for one in self.stated)

    @property
    def in_chart(self) -> int:
        """How many are in the chart."""
        return sum(one.in_chart for one in self.stated)

    @property
    def withdrawn(self) -> int:
        """How many were withdrawn."""
        return sum(one.withdrawn for one in self.stated)

    @property
    def perhaps_withdrawn(self) -> int:
        """How many were withdrawn that may be in the chart all the same."""
        return sum(one.withdrawn and one.perhaps for one in self.stated)


def confirmed(rows: Iterable[StatementRow], now: datetime) -> tuple[Confirmed, ...]:
    """The forms that `rows` are of, in the order of the rows."""
    forms: dict[str, list[StatementRow]] = {}
    for row in rows:
        forms.setdefault(row.submission, []).append(row)
    return tuple(
        Confirmed(
            submission=key,
            at=some[0].charted_at,
            by=_by(resource_of(some[0])),
            stated=tuple(_stated(row, now) for row in some),
            sending=all(
                _is_sending(row, now) for row in some if row.state not in ("written", "withdrawn")
            ),
        )
        for key, some in forms.items()
    )


def _stated(row: StatementRow, now: datetime) -> Stated:
    resource = resource_of(row)
    form = resource["resourceType"] == "QuestionnaireResponse"
    return Stated(
        what="All answers, as a form" if form else _label(resource) or row.kind,
        value=_count(resource) if form else _value(resource),
        where=_where(row, now),
        in_chart=row.state == "written",
        withdrawn=row.state == "withdrawn",
        perhaps=row.problem in PERHAPS,
        ref=row.ref,
    )


def _where(row: StatementRow, now: datetime) -> str:
    if row.state == "written":
        return IN_CHART
    if row.state == "withdrawn":
        return PERHAPS_WITHDRAWN if row.problem in PERHAPS else WITHDRAWN
    if _is_sending(row, now):
        return SENDING
    if row.state == "sending":
        return PROBLEMS["unclear"]
    words = {str(problem): text for problem, text in PROBLEMS.items()}
    return words.get(row.problem, NOT_SENT)


def _is_sending(row: StatementRow, now: datetime) -> bool:
    return row.state == "sending" and row.held_until is not None and row.held_until > now


def _by(resource: Mapping[str, Any]) -> str:
    who = resource.get("author") or (resource.get("performer") or [{}])[0]
    return str(who.get("reference", ""))


def _label(resource: Mapping[str, Any]) -> str:
    return _concept(resource.get("code", {}))


def _concept(concept: Mapping[str, Any]) -> str:
    coding = (concept.get("coding") or [{}])[0]
    return str(concept.get("text") or coding.get("display") or coding.get("code") or "")


def _value(resource: Mapping[str, Any]) -> str:
    """Value and components of an Observation; why it has none, where it has none."""
    parts = [_own(resource)]
    parts += [f"{_label(one)}: {_own(one)}" for one in resource.get("component", ())]
    return "; ".join(part for part in parts if part)


def _own(one: Mapping[str, Any]) -> str:
    if "valueInteger" in one:
        return str(one["valueInteger"])
    if "valueString" in one:
        return str(one["valueString"])
    if "valueCodeableConcept" in one:
        return _concept(one["valueCodeableConcept"])
    if "valueQuantity" in one:
        said = one["valueQuantity"]
        unit = str(said.get("code") or said.get("unit") or "")
        return quantity(Evidence(ref="", value=f"{said['value']:f}", unit=unit))
    if "dataAbsentReason" in one:
        return f"Not assessed: {_concept(one['dataAbsentReason'])}"
    return ""


def _count(resource: Mapping[str, Any]) -> str:
    number = sum(1 for _ in _answers(resource))
    return "1 answer" if number == 1 else f"{number} answers"


def _answers(item: Mapping[str, Any]) -> Iterator[Any]:
    yield from item.get("answer", ())
    for one in item.get("item", ()):
        yield from _answers(one)
