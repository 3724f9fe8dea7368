"""The code sets of the sites that have codes of their own (docs/overlay.md)."""

from cds.config.model import Settings
from fhir_mapping.codes import CodesError, CodeSets, load_codes


def site_codes(settings: Settings) -> tuple[dict[str, CodeSets], list[str]]:
    """The code sets of each site that has codes of its own, and why others cannot be used."""
    found: dict[str, CodeSets] = {}
    problems: list[str] = []
    for site in settings.sites.values():
        if site.code_overlay is not None:
            try:
                found[site.id] = load_codes(site.code_overlay)
            except CodesError as error:
                at = f"sites.{site.id}.code_overlay"
                problems += (f"{at}: {problem}" for problem in error.problems)
    return found, problems
