"""The key of the authorization server, and the id_token it signs (OpenID Connect Core 2)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct


Key: TypeAlias = RSAKey | ECKey


class Signer(Struct, frozen=True):
    """A private key and what it signs with."""

    key: Key
    algorithm: str
    kid: str

    def public(self) -> dict[str, Any]:
        """The JWK set that is published."""
        return {"keys": [dict(self.key.as_dict(private=False))]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT in compact form."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        return jwt.encode(header, dict(claims), self.key, algorithms=[self.algorithm])


def new_signer(algorithm: Literal["RS256", "ES384"]) -> Signer:
    """A key made now, so that nothing signed before a restart is believed after it."""
    key: Key = (
        RSAKey.generate_key(2048, {"use": "sig", "alg": algorithm}, auto_kid=True)
        if algorithm == "RS256"
        else ECKey.generate_key("P-384", {"use": "sig", "alg": algorithm}, auto_kid=True)
    )
    return Signer(key, algorithm, key.kid or "")


def claims(
    *,
    issuer: str,
    client_id: str,
    user: str,
    base: str,
    nonce: str,
    names: Mapping[str, str],
    now: datetime,
    until: datetime,
) -> dict[str, Any]:
    """Of one id_token. `user`: Type/id. `names`: further claims about the person.

    `sub` tells nothing of the user to who does not know it already.
    """
    subject = sha256(f"{issuer} {user}".encode()).hexdigest()[:32]
    found: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "fhirUser": f"{base}/{user}",
        **names,
    }
    return found | ({"nonce": nonce} if nonce else {})
