"""What a page says of each refusal: to the person at the bedside, and to those who look after it.

Fixed words. Nothing of a request or an answer is ever put into them, and nothing clinical.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from cds.smart.oauth.refusal import RefusedKind


class Explained(Struct, frozen=True):
    """`title` and `what_to_do`: for a nurse. `tell`: what informatics needs to hear."""

    title: str
    what_to_do: str
    tell: str


_AGAIN = "Close this and open the app again from the patient's chart."
_LATER = (
    "Wait a minute, then open the app again from the patient's chart. If it happens again, call"
    " informatics."
)
_CALL = (
    "Opening it again will not help. Call informatics and read them the line below; until then,"
    " assess as you would without this app."
)
_WRONG_PATIENT = (
    "Do not go on here. Close this, check which patient is open in the chart, and open the app"
    " again from there. If it happens again, call informatics."
)
_NOT_PROVEN = "The app could not be sure who you are"
_NOT_READY = "The app is not set up correctly for this hospital"
_NO_HELLO = "The hospital's sign-in server did not answer"
_NO_RIGHT = "You may not read what the app needs"
_ASK_RIGHT = (
    "If you were asked what the app may see, open it again and allow it. Otherwise call informatics"
    " and read them the line below."
)

TEXTS: Mapping[RefusedKind, Explained] = MappingProxyType(
    {
        "not-configured": Explained(
            _NOT_READY, _CALL, "This site has no settings for the bedside app, or no FHIR base."
        ),
        "launch": Explained(
            "The chart did not open the app properly",
            _AGAIN,
            "The launch parameter is empty, too long or not printable.",
        ),
        "no-key": Explained(
            _NOT_READY,
            _CALL,
            "The app's own key or secret file cannot be read or does not fit its algorithm.",
        ),
        "discovery-unreachable": Explained(
            _NO_HELLO,
            _LATER,
            "The FHIR server's smart-configuration could not be read: no connection, no answer in"
            " time, or a fault of the server.",
        ),
        "discovery-unusable": Explained(
            _NOT_READY,
            _CALL,
            "The FHIR server's smart-configuration is missing, is not one JSON object, or lacks an"
            " authorization or token endpoint that may be asked (https).",
        ),
        "discovery-no-identity": Explained(
            _NOT_READY,
            _CALL,
            "The smart-configuration names no usable issuer or jwks_uri, nor does the issuer's"
            " openid-configuration, so that no id_token can be checked.",
        ),
        "no-pkce": Explained(
            _NOT_READY,
            _CALL,
            "The smart-configuration does not list S256 in code_challenge_methods_supported.",
        ),
        "callback": Explained(
            "The sign-in came back damaged",
            _AGAIN,
            "The answer at the redirect address has doubled, over-long or missing parameters.",
        ),
        "state": Explained(
            "This is not the sign-in that was begun here",
            _AGAIN,
            "The state parameter is missing, belongs to another launch, or was used before.",
        ),
        "too-late": Explained(
            "Signing in took too long",
            _AGAIN,
            "The browser came back later than the app waits.",
        ),
        "issuer": Explained(
            "Another server answered than the one that was asked",
            f"{_AGAIN} If it happens again, call informatics at once.",
            "The iss parameter of the authorization answer is missing or is not the issuer of the"
            " smart-configuration (RFC 9207): a wrong setting, or an attack.",
        ),
        "declined": Explained(
            "Access was not given",
            "If you pressed Cancel or Deny, open the app again from the chart and allow it."
            " Otherwise call informatics.",
            "The authorization server answered access_denied, or needs the user to sign in again.",
        ),
        "server-busy": Explained(
            "The hospital's sign-in server is busy",
            _LATER,
            "The authorization server answered temporarily_unavailable or server_error.",
        ),
        "scope-refused": Explained(
            _NOT_READY,
            _CALL,
            "The authorization server answered invalid_scope: compare the site's `smart.scope` with"
            " the app's registration.",
        ),
        "authorization-refused": Explained(
            "The hospital's sign-in server refused the app",
            _CALL,
            "The authorization server answered with an error: compare client id, redirect address"
            " and scopes with the app's registration.",
        ),
        "token-unreachable": Explained(
            _NO_HELLO,
            _LATER,
            "The token endpoint: no connection, no answer in time, too many requests, or a fault of"
            " the server.",
        ),
        "token-unusable": Explained(
            "The hospital's sign-in server gave an answer that cannot be used",
            _LATER,
            "The token endpoint answered with something else than one JSON object with a bearer"
            " token, a valid lifetime and valid launch context, with a redirect, or with too much.",
        ),
        "client-refused": Explained(
            "The hospital's sign-in server does not know the app",
            _CALL,
            "The token endpoint refuses the client: compare client id and key or secret with the"
            " app's registration.",
        ),
        "code-refused": Explained(
            "The sign-in was no longer valid",
            _AGAIN,
            "The token endpoint refuses the code: used before, too old, or for another redirect"
            " address or code verifier.",
        ),
        "scope-patient": Explained(
            _NO_RIGHT,
            _ASK_RIGHT,
            "The granted scopes do not cover reading Patient.",
        ),
        "scope-observations": Explained(
            _NO_RIGHT,
            _ASK_RIGHT,
            "The granted scopes do not cover reading and searching Observation, or only with a"
            " restriction that the site's `smart.scope` does not have.",
        ),
        "scope-medications": Explained(
            _NO_RIGHT,
            _ASK_RIGHT,
            "The granted scopes cover reading and searching neither MedicationAdministration nor"
            " MedicationRequest.",
        ),
        "no-patient": Explained(
            "No patient is chosen",
            "Open one patient's chart and open the app from there.",
            "The token answer has no `patient`, or one that is not a FHIR id.",
        ),
        "patient-mismatch": Explained(
            "The patient changed while the app was opening",
            _WRONG_PATIENT,
            "The patient of the token answer is not the one the card's appContext names, or not the"
            " one this launch was opened for.",
        ),
        "no-id-token": Explained(
            _NOT_PROVEN, _CALL, "openid was asked for and the token answer has no id_token."
        ),
        "id-token-malformed": Explained(
            _NOT_PROVEN,
            _CALL,
            "The id_token is not a signed JWT that can be read in only one way, or it has no sub.",
        ),
        "id-token-algorithm": Explained(
            _NOT_PROVEN,
            _CALL,
            "The id_token is not signed with RS256, RS384, ES256 or ES384.",
        ),
        "id-token-keys": Explained(
            _NO_HELLO,
            _LATER,
            "The keys at jwks_uri cannot be read, or none of them may be used.",
        ),
        "id-token-key": Explained(
            _NOT_PROVEN,
            _CALL,
            "No single key at jwks_uri fits the kid and algorithm of the id_token.",
        ),
        "id-token-signature": Explained(
            _NOT_PROVEN,
            f"{_AGAIN} If it happens again, call informatics at once.",
            "The signature of the id_token does not hold: wrong keys at jwks_uri, or a forgery.",
        ),
        "id-token-issuer": Explained(
            _NOT_PROVEN,
            _CALL,
            "The iss of the id_token is not the issuer of the smart-configuration; if the server"
            " signs in another name, set `smart.id_token_issuer`.",
        ),
        "id-token-audience": Explained(
            _NOT_PROVEN,
            _CALL,
            "The aud or azp of the id_token is not the app's client id.",
        ),
        "id-token-time": Explained(
            _NOT_PROVEN,
            _LATER,
            "The id_token is over, or of the future: compare the clocks of both servers.",
        ),
        "id-token-nonce": Explained(
            _NOT_PROVEN, _AGAIN, "The id_token does not carry the nonce of this sign-in."
        ),
        "no-user": Explained(
            _NOT_PROVEN,
            _CALL,
            "The id_token has no fhirUser that is a Practitioner, PractitionerRole, Patient,"
            " RelatedPerson or Person.",
        ),
        "user-elsewhere": Explained(
            _NOT_PROVEN,
            _CALL,
            "The fhirUser of the id_token is on another server than the site's FHIR base.",
        ),
        "no-refresh": Explained(
            "Your sign-in has ended",
            _AGAIN,
            "The access token is over and the server gave no refresh token (scope online_access).",
        ),
        "refresh-refused": Explained(
            "Your sign-in has ended",
            _AGAIN,
            "The token endpoint refuses the refresh token: over, used before, or withdrawn.",
        ),
    }
)
