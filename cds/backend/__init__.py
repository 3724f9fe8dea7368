"""Reading and writing a site's FHIR server without a user: the token, and requests with it.

SMART Backend Services, https://hl7.org/fhir/smart-app-launch/backend-services.html. Knows no
clinical meaning and keeps nothing on disk; no token, key or address is ever in a message.
"""

from cds.backend.failure import REASONS, BackendFailed, BackendKind, TokenKind
from cds.backend.fhir import FhirClient, Written
from cds.backend.scopes import needs, uncovered
from cds.backend.token import BackendTokens
from cds.backend.token_answer import Token


__all__ = [
    "REASONS",
    "BackendFailed",
    "BackendKind",
    "BackendTokens",
    "FhirClient",
    "Token",
    "TokenKind",
    "Written",
    "needs",
    "uncovered",
]
