"""Which service is called, and as whom; all of it is checked before the first call."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from msgspec import Struct

from cds.canary.calling import ALGORITHMS, Signing
from cds.config import Settings, Site
from cds.config.urls import loopback


class CannotStart(Exception):
    """The canary cannot be sent: one sentence, with the next step."""


class Target(Struct, frozen=True, kw_only=True):
    """`url`: the public URL of the service, without a slash at its end. `signed`: auth is on."""

    url: str
    site: Site
    signed: bool
    signing: Signing | None = None
    token: str = ""


def target(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    url: str,
    site: str | None,
    token_env: str | None = None,
    key: Path | None = None,
    kid: str = "",
    issuer: str = "",
) -> Target:
    """What is called and how; raises `CannotStart`."""
    chosen = site or settings.default_site or (next(iter(settings.sites)) if _one(settings) else "")
    if chosen not in settings.sites:
        names = ", ".join(sorted(settings.sites))
        raise CannotStart(f"--site: name one of the sites of the configuration: {names}")
    signed = settings.auth != "off"
    if signed and key is None and token_env is None:
        raise CannotStart("the service wants signed calls: give --key and --issuer, or --token-env")
    return Target(
        url=_service(url),
        site=settings.sites[chosen],
        signed=signed,
        signing=None if key is None else _signing(key, kid, issuer, settings.public_url),
        token="" if token_env is None else _token(token_env, environ),
    )


def _one(settings: Settings) -> bool:
    return len(settings.sites) == 1


def _service(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = parts.scheme == "http" and loopback(host)
        plain_text = url.isascii() and url.isprintable() and " " not in url
        odd = bool(parts.query or parts.fragment or parts.username or not host) or not plain_text
        fine = not odd and parts.port != 0 and (parts.scheme == "https" or plain)
    except ValueError:
        fine = False
    if not fine:
        raise CannotStart(
            "--url: not the public URL of a service: give https://host/path,"
            " or http for the loopback address"
        )
    return url.rstrip("/").removesuffix("/cds-services")


def _token(name: str, environ: Mapping[str, str]) -> str:
    token = environ.get(name, "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CannotStart("--token-env: the variable it names holds no bearer token: set it")
    return token


def _signing(file: Path, kid: str, issuer: str, public_url: str) -> Signing:
    if not issuer:
        raise CannotStart("--key: give the issuer that the site trusts with --issuer as well")
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
        key = JWKRegistry.import_key(found)  # type: ignore[arg-type]
        algorithm = ALGORITHMS[found.get("crv", found["kty"])]
        private = "d" in found
    except OSError as error:
        raise CannotStart(f"--key: the file cannot be read ({error.strerror})") from None
    except (JoseError, msgspec.MsgspecError, ValueError, TypeError, KeyError):
        raise CannotStart("--key: not a JWK of an RSA or EC key: make one, see the guide") from None
    name = kid or str(found.get("kid", ""))
    if not isinstance(key, RSAKey | ECKey) or not private or not name:
        raise CannotStart("--key: a private key with a kid is needed: give --kid or another file")
    return Signing(
        key=key, algorithm=algorithm, kid=name, issuer=issuer, audience=public_url.rstrip("/")
    )
