"""The report in lines for a terminal."""

from collections.abc import Iterator, Sequence

from cds.replay.model import Agreement, Missing, Report
from cds.replay.values import Counted, Share


def summary(report: Report) -> str:
    """The main figures; the rest is in report.json and report.html."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    found = report.input
    yield f"{report.says} Silent-mode evidence, protocol {report.protocol}".strip()
    yield f"  knowledge        {report.knowledge.version} {report.knowledge.sha256}"
    yield (
        f"  files            {found.files} of which {found.files_not_used} not used;"
        f" lines {found.lines.total}, evaluated {found.lines.evaluated},"
        f" not used {found.lines.not_used}"
    )
    for file in report.files:
        if file.problem:
            yield f"  not used         file {file.number}: {file.problem}"
        for lines in file.unused:
            yield (
                f"  not used         file {file.number}: {lines.count} x {lines.reason},"
                f" first in line {lines.first_line}"
            )
    yield f"  moments          {report.moments.total} ({_list(report.moments.by_source)})"
    for one in report.moments.refused:
        yield f"  refused          {one.count} x {one.what}"
    left = _list(report.as_of.left_out) or "none"
    yield f"  not known then   {left} ({report.as_of.counted} resources counted)"
    yield f"  action           {_rates(report.actions)}"
    yield f"  cannot evaluate  {_share(report.cannot_evaluate)}"
    for scale in report.grades:
        yield (
            f"  {scale.scale.upper():<16} assessed {_share(scale.assessed)},"
            f" one certain grade {_share(scale.certain)}"
        )
    yield f"  cards            {report.cards.total} ({_list(report.cards.by_indicator)})"
    for topic in report.cards.topics:
        rate = topic.at_orders.per_hundred
        yield f"    {topic.topic:<30} {topic.cards}, per 100 orders {'-' if rate is None else rate}"
    yield f"  missing          {_rates(report.missing) or 'nothing'}"
    for scale_found in report.agreement:
        yield f"  agreement        {_agreement(scale_found)}"
    if report.feedback is not None:
        yield f"  feedback         {report.feedback.items} items"
        for answers in report.feedback.topics:
            yield (
                f"    {answers.topic:<30} accepted {answers.accepted}, overridden"
                f" {answers.overridden} ({_list(answers.reasons) or 'no reason'})"
            )
    if report.against is not None:
        other = report.against
        yield (
            f"  against          {other.knowledge.version} {other.knowledge.sha256[:12]}:"
            f" {len(other.changed)} moments changed, {other.same} the same,"
            f" {other.only_rules} by other rule ids alone"
        )
        for change in other.changed[:20]:
            yield (
                f"    file {change.row.file} line {change.row.line}: {', '.join(change.what)};"
                f" {change.against.action} there, {change.here.action} here"
            )


def _agreement(found: Agreement) -> str:
    if not found.compared:
        return f"{found.scale.upper()}: no charted grade to compare with"
    outside = sum(one.count for one in (*found.too_low, *found.too_high))
    return (
        f"{found.scale.upper()}: {found.compared} charted, exact {_share(found.exact)}, inside"
        f" {_share(found.inside)}, outside {outside}, not assessed {found.not_assessed}"
    )


def _list(counts: Sequence[Counted]) -> str:
    return ", ".join(f"{one.what} {one.count}" for one in counts)


def _rates(rates: Sequence[Missing]) -> str:
    return ", ".join(f"{one.fact} {one.moments.count}" for one in rates)


def _share(share: Share) -> str:
    rate = "" if share.per_hundred is None else f" ({share.per_hundred} %)"
    return f"{share.count}/{share.of}{rate}"
