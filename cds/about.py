"""What runs here, for GET /about: software, knowledge, sites, what is switched off, sources."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cds import __version__
from cds.config import Mode, Settings, Site
from cds.source_attributes import RULE, source_attributes
from knowledge.library import Library


UNKNOWN = "unknown"
COMMIT = Path(__file__).parent / "COMMIT"  # written when an image is built
_HASH = re.compile(r"[0-9a-f]{7,64}")


def about(
    settings: Settings, library: Library, mode_of: Callable[[Site], Mode], *, commit: str = UNKNOWN
) -> dict[str, object]:
    """The page as JSON values. `mode_of`: the mode a site runs in, whatever it asked for."""
    reviewed = "clinically reviewed" if library.clinically_reviewed else "not clinically reviewed"
    return {
        "software": "btce-cds",
        "version": __version__,
        "commit": commit,
        "notice": reviewed,
        "knowledge": {
            "version": library.version,
            "sha256": library.sha256,
            "clinicallyReviewed": library.clinically_reviewed,
            "nextReview": next_review(library).isoformat(),
        },
        "sites": [_site(site, library, mode_of(site)) for site in settings.sites.values()],
        "sourceAttributes": {"rule": RULE, "attributes": source_attributes(library)},
        "sources": _sources(library),
    }


def next_review(library: Library) -> date:
    """The day on which the first knowledge file is due for review."""
    checked = min(file.reviewed.on for file in library.files.values())
    return checked + timedelta(days=library.rules.knowledge_stale_days)


def installed_commit(file: Path = COMMIT, package: str = "btce-cds") -> str:
    """The commit this was built from: a file of the build, else the installer's record (PEP 610).

    `unknown` where neither says.
    """
    try:
        found = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        found = _recorded(package)
    return found if _HASH.fullmatch(found) else UNKNOWN


def _recorded(package: str) -> str:
    try:
        text = distribution(package).read_text("direct_url.json")
        return str(json.loads(text or "{}").get("vcs_info", {}).get("commit_id", ""))
    except (PackageNotFoundError, ValueError):
        return ""


def _site(site: Site, library: Library, mode: Mode) -> dict[str, object]:
    expires = library.protocols[site.protocol].expires
    found: dict[str, object] = {
        "id": site.id,
        "protocol": site.protocol,
        "mode": mode,
        "approved": site.approved_knowledge == library.sha256,
        "switchedOff": {"topics": sorted(site.off_topics), "rules": sorted(site.off_rules)},
        "fetch": site.fetch,
    }
    return found | ({"protocolExpires": expires.isoformat()} if expires else {})


def _sources(library: Library) -> list[dict[str, str]]:
    found = []
    for id_, one in library.references.items():
        published = one.published.isoformat() if one.published else ""
        said = {"published": published, "url": one.url, "note": one.note}
        kept = {name: value for name, value in said.items() if value}
        found.append({"id": id_, "title": one.title, "publisher": one.publisher, **kept})
    return found
