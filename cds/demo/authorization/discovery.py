"""What the server publishes about itself: SMART configuration, OpenID configuration, capability.

It names only what is checked: every method and scope listed here is honoured.
"""

from typing import Any

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.scopes import NAMED


ASSERTION_ALGORITHMS = ("RS384", "ES384")
_AUTH_METHODS = ("none", "client_secret_basic", "private_key_jwt")
_CAPABILITIES = (
    *("launch-ehr", "launch-standalone", "authorize-post", "client-public"),
    *("client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect"),
    *("context-banner", "context-ehr-patient", "context-ehr-encounter"),
    *("context-standalone-patient", "context-standalone-encounter"),
    *("permission-offline", "permission-online", "permission-patient", "permission-user"),
    *("permission-v1", "permission-v2"),
)
_RESOURCE_SCOPES = (
    *("patient/*.cruds", "user/*.cruds", "system/*.cruds"),
    *("patient/*.read", "patient/*.write", "user/*.read", "user/*.write"),
)
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def smart_configuration(authority: Authority) -> dict[str, Any]:
    """For `.well-known/smart-configuration` below the FHIR base (SMART, "Conformance")."""
    return {
        **_endpoints(authority),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "capabilities": list(_CAPABILITIES),
    }


def openid_configuration(authority: Authority) -> dict[str, Any]:
    """For `.well-known/openid-configuration` below the issuer (OpenID Connect Discovery 3)."""
    return {
        **_endpoints(authority),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [authority.signer.algorithm],
    }


def _endpoints(authority: Authority) -> dict[str, Any]:
    return {
        "issuer": authority.issuer,
        "jwks_uri": f"{authority.issuer}/jwks",
        "authorization_endpoint": f"{authority.issuer}/authorize",
        "token_endpoint": authority.token_endpoint,
        "token_endpoint_auth_methods_supported": list(_AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "scopes_supported": [*sorted(NAMED), *_RESOURCE_SCOPES],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def security(authority: Authority) -> dict[str, Any]:
    """`rest.security` of the CapabilityStatement, for clients that read only that."""
    uris = (
        ("authorize", f"{authority.issuer}/authorize"),
        ("token", authority.token_endpoint),
    )
    return {
        "extension": [
            {
                "url": _OAUTH_URIS,
                "extension": [{"url": name, "valueUri": uri} for name, uri in uris],
            }
        ],
        "cors": True,
        "service": [{"coding": [{"system": _SERVICE, "code": "SMART-on-FHIR"}]}],
    }
