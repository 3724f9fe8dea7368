"""Settings of one deployment and its sites, read once from TOML and an `environ` argument.

All problems are reported together; nothing secret has a default. Nothing here decides anything
clinical: a site's rule overrides are numbers the knowledge model lets a site set.
"""

from cds.config.codes import site_codes
from cds.config.document import configuration_table
from cds.config.fit import off_rules, unfit
from cds.config.loader import load
from cds.config.model import (
    SMART_SCOPE,
    Backend,
    ConfigError,
    Events,
    Issuer,
    Mode,
    Settings,
    Site,
    Smart,
)
from cds.config.soundness import unsound
from cds.config.urls import same_base


__all__ = [
    "SMART_SCOPE",
    "Backend",
    "ConfigError",
    "Events",
    "Issuer",
    "Mode",
    "Settings",
    "Site",
    "Smart",
    "configuration_table",
    "load",
    "off_rules",
    "same_base",
    "site_codes",
    "unfit",
    "unsound",
]
