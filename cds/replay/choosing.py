"""From the options of the command to a setup: site, codes and knowledge, or why they do not fit."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from cds.config import ConfigError, Settings, Site, load, unfit
from cds.replay.errors import CannotReplay
from cds.replay.judge import Setup
from fhir_mapping.codes import CodeSets, load_codes
from knowledge import library
from knowledge.errors import KnowledgeError
from knowledge.library import Library


DEFAULT_PROTOCOL = "us-label"


class Choice(Struct, frozen=True, kw_only=True):
    """The options as they were given."""

    config: Path | None = None
    site: str | None = None
    protocol: str | None = None
    against: Path | None = None
    updates: bool = True


def setup_of(choice: Choice, environ: Mapping[str, str]) -> Setup:
    """Raises `CannotReplay`, `ConfigError`, `CodesError`, or of our own data `KnowledgeError`."""
    knowledge = library.load()
    site, codes = _site(choice, environ, knowledge)
    site = msgspec.structs.replace(site, protocol=choice.protocol or site.protocol, mode="live")
    _refuse_unknown(site.protocol, knowledge, "--protocol")
    other = None
    if choice.against is not None:
        if not choice.against.is_dir():
            raise CannotReplay("--against is not a folder: name one like knowledge/data")
        try:
            other = library.load(choice.against)
        except KnowledgeError as error:
            raise CannotReplay(f"--against does not hold knowledge that loads: {error}") from None
        except OSError as error:
            raise CannotReplay(
                f"--against holds a file that cannot be read ({error.strerror}):"
                " name a whole folder like knowledge/data"
            ) from None
        _refuse_unknown(site.protocol, other, "--against")
    return Setup(
        site=site,
        library=knowledge,
        codes=codes,
        configured=choice.config is not None,
        against=other,
        updates=choice.updates,
    )


def _site(choice: Choice, environ: Mapping[str, str], knowledge: Library) -> tuple[Site, CodeSets]:
    if choice.config is None:
        if choice.site is not None:
            raise CannotReplay("--site names a site of a configuration: add --config FILE")
        protocol = choice.protocol or DEFAULT_PROTOCOL
        return Site(
            id="replay", fhir_base=None, protocol=protocol, zone=ZoneInfo("UTC")
        ), load_codes()
    settings = load(choice.config, environ)
    problems = unfit(settings, knowledge)
    if problems:
        raise ConfigError(tuple(problems))
    site = _named(choice.site, settings)
    return site, load_codes(site.code_overlay)


def _named(name: str | None, settings: Settings) -> Site:
    wanted = (
        name
        or settings.default_site
        or (next(iter(settings.sites)) if len(settings.sites) == 1 else "")
    )
    if wanted not in settings.sites:
        known = ", ".join(sorted(settings.sites))
        raise CannotReplay(f"--site: name one of {known}")
    return settings.sites[wanted]


def _refuse_unknown(protocol: str, knowledge: Library, option: str) -> None:
    if protocol not in knowledge.protocols:
        known = ", ".join(sorted(knowledge.protocols))
        raise CannotReplay(f"{option}: the protocol {protocol} is not one of {known}")
