"""Which site a request proves to come from: by its secret, compared in constant time."""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

from cds.config import Settings


_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,4096})", re.IGNORECASE)


def read_secrets(settings: Settings) -> Mapping[str, bytes]:
    """The digest of each site's secret, read once; sites that receive no events have none."""
    return {
        site.id: _digest(site.events.secret_file.read_text(encoding="ascii").strip())
        for site in settings.sites.values()
        if site.events is not None
    }


def proven(header: str | None, secrets: Mapping[str, bytes]) -> frozenset[str]:
    """The sites whose secret the Authorization header brings; most often one or none.

    Every site's is compared, whichever was asked for and whatever was found before: neither the
    time nor the answer tells a stranger which sites there are.
    """
    match = _BEARER.fullmatch(header or "")
    given = _digest(match[1] if match else "")
    found = [site for site, secret in secrets.items() if hmac.compare_digest(given, secret)]
    return frozenset(found) if match else frozenset()


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
