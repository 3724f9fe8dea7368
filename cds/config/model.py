"""What a configuration is once it has been read: frozen values, no file and no check."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from knowledge.model import SiteRules


Mode = Literal["live", "silent"]
Auth = Literal["off", "jwt"]
BackendAuth = Literal["private_key_jwt", "client_secret_basic", "none"]
SmartAuth = Literal["public", "client_secret_basic", "private_key_jwt"]
Tell = Literal["nothing", "flag", "communication"]


# What the bedside app reads (everything a hook call would), what it writes, and who is there.
SMART_SCOPE = (
    "launch launch/patient openid fhirUser online_access patient/*.rs"
    " patient/Observation.c patient/QuestionnaireResponse.c"
)


class ConfigError(Exception):
    """The configuration is refused; `problems` is every reason, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Issuer(Struct, frozen=True, kw_only=True):
    """One client that may sign calls for a site (CDS Hooks 2.0, "Trusting CDS Clients").

    Its keys are fetched from `jwks_url` or pinned in `jwks_file`; exactly one of the two is set.
    `tenants`: accepted values of the claim of that name. `jku`: values of that header accepted
    besides `jwks_url`; none is ever fetched. `audience`: accepted besides the URL of the endpoint.
    `subjects`: accepted `sub`; empty: not looked at. `longest_seconds`: from `iat` to `exp`.
    """

    iss: str
    tenants: frozenset[str] = frozenset()
    jwks_url: str | None = None
    jwks_file: Path | None = None
    jku: frozenset[str] = frozenset()
    algorithms: tuple[str, ...] = ("ES384", "RS384")
    audience: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    leeway_seconds: int = 60
    longest_seconds: int = 3600


class Backend(Struct, frozen=True, kw_only=True):
    """How this service reads a site's FHIR base without a user (SMART Backend Services).

    `token_url` None: the one its `.well-known/smart-configuration` names. `key_file`: a private
    JWK, for `private_key_jwt`. `secret_file`: its text, for `client_secret_basic`. `none`: a
    server on the loopback address that asks for nothing.
    """

    auth: BackendAuth = "private_key_jwt"
    client_id: str = ""
    token_url: str | None = None
    key_file: Path | None = None
    algorithm: str = "ES384"
    secret_file: Path | None = None
    scope: str = "system/*.rs"


class Events(Struct, frozen=True, kw_only=True):
    """How this service hears of changes between hook calls, and what it does about them.

    `secret_file`: the text a server sends as bearer token with each notification. `url`: under
    which that server reaches this service, if not `public_url`. `poll_seconds`: how often every
    watched patient is read again, whatever was or was not notified. `pause_seconds`: the least
    time between two readings of one patient. `tell`: what is written to the FHIR server when a
    grade changes.
    """

    secret_file: Path
    url: str | None = None
    poll_seconds: int = 300
    pause_seconds: int = 10
    tell: Tell = "nothing"


class Smart(Struct, frozen=True, kw_only=True):
    """How the bedside app is registered at a site's authorization server (SMART App Launch 2).

    That server is the one that `.well-known/smart-configuration` below the site's FHIR base names.
    `id_token_issuer` None: the `issuer` of that document; some servers sign in another name.
    `key_file`, `algorithm`: for `private_key_jwt`. `secret_file`: for `client_secret_basic`.
    `ehr_origins`: whose pages may show the app in a frame. `idle_minutes`: after which a session
    ends by itself.
    """

    client_id: str
    auth: SmartAuth = "public"
    id_token_issuer: str | None = None
    key_file: Path | None = None
    algorithm: str = "ES384"
    secret_file: Path | None = None
    scope: str = SMART_SCOPE
    ehr_origins: frozenset[str] = frozenset()
    idle_minutes: int = 15


class Site(Struct, frozen=True, kw_only=True):
    """One hospital: its FHIR base, protocol, zone and mode. `fhir_base` None: no base is known.

    `contacts`: by the role a protocol names ("outreach nurses"), how it is reached here.
    `code_overlay`: the folder of its own codes, see docs/overlay.md. `off_topics`, `off_rules`:
    cards and rules switched off here. `fetch`: whether missing data are read from `fhir_base`.
    `backend`, `events`: None where this service only answers hook calls. `smart`: None where the
    bedside app is not offered.
    """

    id: str
    fhir_base: str | None
    protocol: str
    zone: ZoneInfo
    mode: Mode = "live"
    approved_knowledge: str | None = None
    smart_url: str | None = None
    contacts: Mapping[str, str] = {}
    rules: Mapping[str, int | str | Decimal] = {}
    code_overlay: Path | None = None
    issuers: tuple[Issuer, ...] = ()
    off_topics: frozenset[str] = frozenset()
    off_rules: frozenset[str] = frozenset()
    fetch: bool = True
    backend: Backend | None = None
    events: Events | None = None
    smart: Smart | None = None

    def site_rules(self, defaults: SiteRules) -> SiteRules:
        """The defaults with this site's own numbers."""
        return msgspec.structs.replace(defaults, **self.rules)


class Settings(Struct, frozen=True, kw_only=True):
    """One deployment. Requests without a client token are answered for `default_site` only.

    `store`: an SQLAlchemy URL; it may hold a password, so it is never shown. `spool`: the folder
    where decisions wait while the store is down.
    """

    host: str
    port: int
    public_url: str
    auth: Auth
    default_site: str = ""
    sites: Mapping[str, Site]
    origins: frozenset[str] = frozenset()
    store: str = "sqlite://"
    spool: Path = Path("btce-cds-spool")
    deadline_seconds: Decimal = Decimal(2)

    @property
    def site(self) -> Site:
        """The site that requests without a client token belong to."""
        return self.sites[self.default_site]
