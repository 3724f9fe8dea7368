"""Settings of one deployment and its sites, read once from TOML and an `environ` argument.

All problems are reported together; nothing secret has a default. Nothing here decides anything
clinical: a site's rule overrides are numbers the knowledge model lets a site set.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from fhir_mapping.codes import CodesError, CodeSets, load_codes
from knowledge.model import Header, SiteRules


Mode = Literal["live", "silent"]
_HEADER = {field.name for field in msgspec.structs.fields(Header)}
_RULES = {f.name: f.type for f in msgspec.structs.fields(SiteRules) if f.name not in _HEADER}
_SETTINGS = {"bind", "public_url", "auth", "default_site", "origins", "sites"}
_SITE = {
    "fhir_base",
    "protocol",
    "time_zone",
    "mode",
    "approved_knowledge",
    "smart_url",
    "contacts",
    "rules",
    "code_overlay",
}
_ENVIRON = {
    "BTCE_BIND": "bind",
    "BTCE_PUBLIC_URL": "public_url",
    "BTCE_AUTH": "auth",
    "BTCE_DEFAULT_SITE": "default_site",
}


class ConfigError(Exception):
    """The configuration is refused; `problems` is every reason, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Site(Struct, frozen=True, kw_only=True):
    """One hospital: its FHIR base, protocol, zone and mode. `fhir_base` None: no base is known.

    `contacts`: by the role a protocol names ("outreach nurses"), how it is reached here.
    `code_overlay`: the folder of its own codes, see docs/overlay.md.
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

    def site_rules(self, defaults: SiteRules) -> SiteRules:
        """The defaults with this site's own numbers."""
        return msgspec.structs.replace(defaults, **self.rules)


class Settings(Struct, frozen=True, kw_only=True):
    """One deployment. Requests without a client token are answered for `default_site` only."""

    host: str
    port: int
    public_url: str
    auth: Literal["off"]
    default_site: str
    sites: Mapping[str, Site]
    origins: frozenset[str] = frozenset()

    @property
    def site(self) -> Site:
        """The site that requests without a client token belong to."""
        return self.sites[self.default_site]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in `path`, single ones replaced from `environ`; raises `ConfigError`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError((f"{path}: {error}",)) from None
    table |= {key: environ[name] for name, key in _ENVIRON.items() if environ.get(name)}
    problems: list[str] = []
    _unknown(table, _SETTINGS, "", problems)
    host, port = _bind(_text(table, "bind", "", problems), problems)
    folder = path.parent
    tables = _tables(table, problems)
    sites = {name: _site(name, site, folder, problems) for name, site in tables.items()}
    settings = Settings(
        host=host,
        port=port,
        public_url=_url(_text(table, "public_url", "", problems), "public_url", problems),
        auth=_choice(table, "auth", "", ("off",), problems),
        default_site=_text(table, "default_site", "", problems),
        sites=sites,
        origins=frozenset(_origins(table, problems)),
    )
    problems += unsound(settings)
    problems += site_codes(settings)[1]
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    return settings


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


def unsound(settings: Settings) -> list[str]:
    """What is wrong between settings that are each well formed; empty when nothing is."""
    problems = []
    if settings.default_site and settings.default_site not in settings.sites:
        problems.append(f"default_site: no site is called {settings.default_site}")
    if settings.auth == "off":
        reached = {"bind": settings.host, "public_url": _host(settings.public_url)}
        reached |= {
            f"sites.{site.id}.fhir_base": _host(site.fhir_base)
            for site in settings.sites.values()
            if site.fhir_base
        }
        problems += [
            f'{name}: auth = "off" is for loopback addresses only'
            for name, host in reached.items()
            if host and not _loopback(host)
        ]
    return problems


def same_base(one: str, other: str) -> bool:
    """Whether two FHIR base URLs are the same server base."""
    return _base(one) == _base(other)


def _site(name: str, table: Mapping[str, Any], folder: Path, problems: list[str]) -> Site:
    at = f"sites.{name}."
    _unknown(table, _SITE, at, problems)
    mode = _choice({"mode": "live", **table}, "mode", at, get_args(Mode), problems)
    smart = _optional(table, "smart_url", at, problems)
    overlay = _optional(table, "code_overlay", at, problems)
    return Site(
        id=name,
        fhir_base=_url(_text(table, "fhir_base", at, problems), f"{at}fhir_base", problems),
        protocol=_text(table, "protocol", at, problems),
        zone=_zone(_text(table, "time_zone", at, problems), at, problems),
        mode=mode,
        approved_knowledge=_optional(table, "approved_knowledge", at, problems),
        smart_url=smart and _url(smart, f"{at}smart_url", problems),
        contacts=_contacts(table.get("contacts", {}), f"{at}contacts", problems),
        rules=_rules(table.get("rules", {}), f"{at}rules", problems),
        code_overlay=folder / overlay if overlay else None,
    )


def _contacts(table: Any, at: str, problems: list[str]) -> dict[str, str]:
    """Whom a protocol names by role, and how this site reaches them."""
    if isinstance(table, dict) and all(isinstance(how, str) and how for how in table.values()):
        return table
    problems.append(f"{at}: must be a table of texts")
    return {}


def _rules(table: Any, at: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(table, dict):
        problems.append(f"{at}: must be a table")
        return {}
    _unknown(table, set(_RULES), f"{at}.", problems)
    found = {}
    for name, value in table.items():
        try:
            found[name] = msgspec.convert(value, _RULES.get(name, Any))
        except msgspec.ValidationError as error:
            problems.append(f"{at}.{name}: {error}")
    return found


def _tables(table: Mapping[str, Any], problems: list[str]) -> dict[str, dict[str, Any]]:
    sites = table.get("sites")
    if not isinstance(sites, dict) or not sites:
        problems.append("sites: at least one [sites.<id>] table is required")
        return {}
    wrong = [name for name, site in sites.items() if not isinstance(site, dict)]
    problems += [f"sites.{name}: must be a table" for name in wrong]
    return {name: site for name, site in sites.items() if name not in wrong}


def _unknown(table: Mapping[str, Any], known: set[str], at: str, problems: list[str]) -> None:
    problems += [f"{at}{name}: unknown setting" for name in table if name not in known]


def _text(table: Mapping[str, Any], name: str, at: str, problems: list[str]) -> str:
    value = table.get(name)
    if isinstance(value, str) and value:
        return value
    problems.append(f"{at}{name}: is required and must be a string")
    return ""


def _optional(table: Mapping[str, Any], name: str, at: str, problems: list[str]) -> str | None:
    return _text(table, name, at, problems) if name in table else None


def _choice(
    table: Mapping[str, Any], name: str, at: str, allowed: tuple[str, ...], problems: list[str]
) -> Any:
    value = table.get(name)
    if value not in allowed:
        problems.append(f"{at}{name}: must be one of {', '.join(allowed)}")
        return allowed[0]
    return value


def _origins(table: Mapping[str, Any], problems: list[str]) -> list[str]:
    origins = table.get("origins", [])
    if not isinstance(origins, list) or not all(isinstance(item, str) for item in origins):
        problems.append("origins: must be a list of strings")
        return []
    return [_url(item, "origins", problems) for item in origins]


def _bind(value: str, problems: list[str]) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isdecimal() and int(port) <= 65535):
        problems.append("bind: must be host:port")
        return "", 0
    return host.strip("[]"), int(port or 0)


def _url(value: str, at: str, problems: list[str]) -> str:
    if value and (_base(value)[0] not in {"http", "https"} or not _host(value)):
        problems.append(f"{at}: must be an absolute http or https URL")
    return value.rstrip("/")


def _zone(value: str, at: str, problems: list[str]) -> ZoneInfo:
    try:
        return ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError):  # what ZoneInfo raises for odd names and folders
        problems.append(f"{at}time_zone: no such time zone: {value}")
        return ZoneInfo("UTC")


def _base(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # an opening bracket without its closing one
        return "", "", url
    return parts.scheme, parts.netloc.lower(), parts.path.rstrip("/")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
