"""All that a decision rests on beside the knowledge, as one value; reads and decides nothing.

What is concluded is concluded from this alone, so that whoever keeps it can conclude it again.
"""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from cds.config import Mode, Site
from knowledge.facts import Facts
from knowledge.model import SiteRules


_RULES = {field.name: field.type for field in msgspec.structs.fields(SiteRules)}


class MadeFrom(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """All that a decision and its cards rest on, beside the knowledge and the drafts.

    `zone`: its IANA name. `rules`: the site's own numbers, decimals as text; the others are those
    of the knowledge. `off_topics`, `off_rules`: as the site names them.
    """

    facts: Facts
    hook_instance: str
    site: str
    mode: Mode
    protocol: str
    engine_version: str
    zone: str
    smart_url: str | None = None
    contacts: Mapping[str, str] = {}
    rules: Mapping[str, int | str] = {}
    acknowledged: frozenset[str] = frozenset()
    off_topics: frozenset[str] = frozenset()
    off_rules: frozenset[str] = frozenset()


def made_from(
    facts: Facts,
    *,
    hook_instance: str,
    site: Site,
    mode: Mode,
    acknowledged: frozenset[str],
    engine_version: str,
) -> MadeFrom:
    """What is known of one request at `site`, which runs in `mode`."""
    return MadeFrom(
        facts=facts,
        hook_instance=hook_instance,
        site=site.id,
        mode=mode,
        protocol=site.protocol,
        engine_version=engine_version,
        zone=site.zone.key,
        smart_url=site.smart_url,
        contacts=site.contacts,
        rules=msgspec.to_builtins(site.rules),
        acknowledged=acknowledged,
        off_topics=site.off_topics,
        off_rules=site.off_rules,
    )


def site_of(given: MadeFrom) -> Site:
    """The site as far as a decision can tell.

    Raises `LookupError`, `ValueError` or `msgspec.ValidationError` where this machine does not know
    the zone, or the knowledge a rule or its kind.
    """
    return Site(
        id=given.site,
        fhir_base=None,
        protocol=given.protocol,
        zone=ZoneInfo(given.zone),
        mode=given.mode,
        smart_url=given.smart_url,
        contacts=given.contacts,
        rules={name: msgspec.convert(one, _RULES[name]) for name, one in given.rules.items()},
        off_topics=given.off_topics,
        off_rules=given.off_rules,
    )
