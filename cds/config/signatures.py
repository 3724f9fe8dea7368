"""Which signature algorithms an issuer may use: those with a public key, no other (RFC 7518, 3.1).

CDS Hooks 2.0, "Trusting CDS Clients": a client may not sign with `none` or a shared secret.
"""

from pathlib import Path
from typing import Any

from cds.config.kinds import Kind, Refused, many


ASYMMETRIC = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ONE_OF = f"use {', '.join(ASYMMETRIC)}"


def _algorithm(value: Any, folder: Path) -> str:
    name = str(value)
    if name in ASYMMETRIC:
        return name
    if name.lower() == "none":
        raise Refused(("", f"none means unsigned, and anybody could call; {_ONE_OF}"))
    if name.upper().startswith("HS"):
        reason = "needs a shared secret, and who can check such a token can forge one"
        raise Refused(("", f"{name[:5]} {reason}; {_ONE_OF}"))
    raise Refused(("", f"is no accepted signature algorithm; {_ONE_OF}"))


_MANY = many(Kind("", _algorithm), tuple)


def _algorithms(value: Any, folder: Path) -> tuple[str, ...]:
    found: tuple[str, ...] = _MANY.read(value, folder)
    if not found:
        raise Refused(("", f"must name one at least; {_ONE_OF}"))
    return found


ALGORITHMS = Kind(f"list of {', '.join(ASYMMETRIC)}", _algorithms, ())
ALGORITHM = Kind(f"one of {', '.join(ASYMMETRIC)}", _algorithm, "ES384")
