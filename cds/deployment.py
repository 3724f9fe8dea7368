"""What one running service is made of, put together once by the composition root."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from cds.clock import Clock
from cds.config import Settings, Site
from cds.metrics import Metrics
from cds.recorder import Recorder
from cds.services import Service
from cds.trust import Keys
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


class Deployment(Struct, frozen=True, kw_only=True):
    """The parts every endpoint uses; `codes` and `services` by the id of the site.

    `monotonic`: seconds. `first_use`: of (iss, jti, until, now), whether a token's id is new.
    """

    settings: Settings
    library: Library
    codes: Mapping[str, CodeSets]
    services: Mapping[str, Mapping[str, Service]]
    clock: Clock
    monotonic: Callable[[], float]
    metrics: Metrics
    recorder: Recorder
    keys: Keys
    first_use: Callable[[str, str, datetime, datetime], bool]
    commit: str

    def keys_at_hand(self) -> dict[str, bool]:
        """By site, whether the keys of all its clients were read."""
        return {site.id: self._has_keys(site) for site in self.settings.sites.values()}

    def _has_keys(self, site: Site) -> bool:
        return all(
            issuer.jwks_file is not None or self.keys.age(issuer) is not None
            for issuer in site.issuers
        )
