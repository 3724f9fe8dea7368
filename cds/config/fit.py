"""The settings beside the knowledge that runs: the names of it they use."""

from collections.abc import Iterator
from itertools import chain

from cds.config.model import Settings, Site
from knowledge.library import Library


def unfit(settings: Settings, library: Library) -> list[str]:
    """Protocols and switched-off rules of a site that the knowledge has not."""
    known = set(_rules(library))
    known |= {_unversioned(rule) for rule in known}
    problems = []
    for site in settings.sites.values():
        if site.protocol not in library.protocols:
            problems.append(f"sites.{site.id}.protocol: no protocol is called {site.protocol}")
        problems += [
            f"sites.{site.id}.off_rules: no rule is called {rule}"
            for rule in sorted(site.off_rules - known)
        ]
    return problems


def off_rules(site: Site, library: Library) -> frozenset[str]:
    """The ids of the rules switched off here; one named without a version is off in every one."""
    if not site.off_rules:  # as at most sites, and every call asks
        return frozenset()
    return frozenset(
        rule
        for rule in _rules(library)
        if rule in site.off_rules or _unversioned(rule) in site.off_rules
    )


def _rules(library: Library) -> Iterator[str]:
    """Every rule that can be switched off, `teclistamab-label@1#crs-2`: rows and principles."""
    for edition in chain.from_iterable(library.editions.values()):
        yield from (library.rule_id(edition, row.id) for row in edition.rows)
    for protocol in library.protocols.values():
        yield from (library.rule_id(protocol, one.id) for one in protocol.rows)
        yield from (library.rule_id(protocol, one.id) for one in protocol.principles)


def _unversioned(rule: str) -> str:
    file, mark, row = rule.partition("#")
    return file.partition("@")[0] + mark + row
