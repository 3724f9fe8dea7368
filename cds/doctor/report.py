"""The findings of an examination as lines and as one JSON document."""

from collections.abc import Mapping, Sequence

import msgspec

from cds.doctor.finding import Finding


def line(site: str, one: Finding) -> str:
    """One check, on one line."""
    step = f" Next: {one.next_step}." if one.next_step else ""
    return f"{site}: {one.status:11} {one.check:22} {one.finding}.{step}"


def summary(failed: Mapping[str, Sequence[Finding]]) -> str:
    """What fails, in one sentence; empty where nothing does."""
    every = [(site, one) for site, found in failed.items() for one in found]
    if not every:
        return ""
    site, first = every[0]
    number = len(every)
    checks = "1 check fails" if number == 1 else f"{number} checks fail, the first"
    return f"{site}: {checks}: {first.check}: {first.finding}: {first.next_step}."


def as_json(found: Mapping[str, Sequence[Finding]], *, reviewed: bool) -> str:
    """Every finding of every site, on one line. `reviewed`: the knowledge, by a clinician."""
    sites = [{"site": site, "findings": findings} for site, findings in found.items()]
    number = sum(one.status == "FAIL" for findings in found.values() for one in findings)
    review = f"{'' if reviewed else 'not '}clinically reviewed"
    document = {"review": review, "failed": number, "sites": sites}
    return msgspec.json.encode(document).decode()
