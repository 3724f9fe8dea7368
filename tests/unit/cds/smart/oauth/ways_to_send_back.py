"""Ways of the browser's answer and of the metadata: RFC 6749 4.1.2, RFC 9207, RFC 8414."""

from tests.functional.fhir_upstream import raw, reply, silent
from tests.unit.cds.smart.oauth.authority import GONE, LAUNCH_ID
from tests.unit.cds.smart.oauth.ways import HEAD, JSON, Case, back, does, metadata


WELL_KNOWN = "/fhir/.well-known/smart-configuration"

CALLBACK = [
    Case("no state", back(state=GONE), "state"),
    Case("an empty state", back(state=[""]), "state"),
    Case("another state", back(state=[f"{LAUNCH_ID}.{'x' * 43}"]), "state"),
    Case("a state that is not ASCII", back(state=["ünïcode"]), "state"),
    Case("two states", back(state=["a", "b"]), "callback"),
    Case("no code", back(code=GONE), "callback"),
    Case("two codes", back(code=["a", "b"]), "callback"),
    Case("a code with a line break", back(code=["a\r\nX: y"]), "callback"),
    Case("a code of five thousand characters", back(code=["a" * 5000]), "callback"),
    Case("a parameter nobody reads of nine thousand", back(x=["a" * 9000]), "callback"),
    Case("a parameter nobody reads, twice", back(x=["a", "b"]), "callback"),
    Case("a code and an error", back(error=["access_denied"]), "callback"),
    Case("a code it never gave", back(code=["invented"]), "code-refused"),
    Case("another issuer", back(iss=["https://evil.example.org"]), "issuer"),
    Case("an issuer with a slash more", lambda s: s.back.update(iss=[f"{s.url}/"]), "issuer"),
    Case("no issuer, though it says that it names itself",
         metadata(authorization_response_iss_parameter_supported=True), "issuer"),
    Case("an error of another issuer",
         back(code=GONE, error=["access_denied"], iss=["https://evil.example.org"]), "issuer"),
    Case("denied", back(code=GONE, error=["access_denied"]), "declined"),
    Case("login required", back(code=GONE, error=["login_required"]), "declined"),
    Case("busy", back(code=GONE, error=["temporarily_unavailable"]), "server-busy"),
    Case("a fault", back(code=GONE, error=["server_error"]), "server-busy"),
    Case("invalid scope", back(code=GONE, error=["invalid_scope"]), "scope-refused"),
    Case("unauthorized client", back(code=GONE, error=["unauthorized_client"]),
         "authorization-refused"),
    Case("an error of its own", back(code=GONE, error=["<script>"], error_description=["<b>"]),
         "authorization-refused"),
]  # fmt: skip

DISCOVERY = [
    Case("no document", does(WELL_KNOWN, reply(b"", status=404)), "discovery-unusable"),
    Case("HTML", does(WELL_KNOWN, reply(b"<html>", kind="text/html")), "discovery-unusable"),
    Case("a list", does(WELL_KNOWN, reply([], kind=JSON)), "discovery-unusable"),
    Case("a document with doubled members",
         does(WELL_KNOWN, reply(b'{"issuer":"a","issuer":"b"}', kind=JSON)), "discovery-unusable"),
    Case("a redirect", does(WELL_KNOWN, reply(b"", status=302, Location="/x")),
         "discovery-unusable"),
    Case("a document without end", does(WELL_KNOWN, raw(HEAD + b"\r\n", for_ever=b" " * 65536)),
         "discovery-unusable"),
    Case("down", does(WELL_KNOWN, reply(b"", status=503)), "discovery-unreachable"),
    Case("silent", does(WELL_KNOWN, silent), "discovery-unreachable", slow=True),
    Case("no PKCE", metadata(code_challenge_methods_supported=GONE), "no-pkce"),
    Case("plain PKCE only", metadata(code_challenge_methods_supported=["plain"]), "no-pkce"),
    Case("PKCE as text", metadata(code_challenge_methods_supported="S256"), "no-pkce"),
    Case("no authorization endpoint", metadata(authorization_endpoint=GONE), "discovery-unusable"),
    Case("no token endpoint", metadata(token_endpoint=GONE), "discovery-unusable"),
    Case("an authorization endpoint without TLS",
         metadata(authorization_endpoint="http://ehr.example.org/a"), "discovery-unusable"),
    Case("a token endpoint without TLS", metadata(token_endpoint="http://ehr.example.org/t"),
         "discovery-unusable"),
    Case("an endpoint of JavaScript", metadata(authorization_endpoint="javascript:alert(1)"),
         "discovery-unusable"),
    Case("an endpoint with a password", metadata(token_endpoint="https://a:b@ehr.example.org/t"),
         "discovery-unusable"),
    Case("an endpoint with a client id of its own",
         metadata(authorization_endpoint="https://ehr.example.org/a?client_id=other"),
         "discovery-unusable"),
    Case("a relative endpoint", metadata(token_endpoint="/token"), "discovery-unusable"),
    Case("keys without TLS", metadata(jwks_uri="http://ehr.example.org/k"), "discovery-unusable"),
    Case("no issuer", metadata(issuer=GONE), "discovery-no-identity"),
    Case("no keys anywhere", metadata(jwks_uri=GONE), "discovery-no-identity"),
    Case("keys of a document of another issuer",
         lambda s: (s.metadata.update(jwks_uri=GONE), s.does.update(
             {"/.well-known/openid-configuration": reply(
                 {"issuer": "https://evil.example.org", "jwks_uri": f"{s.url}/jwks"}, kind=JSON)}
         ))[0], "discovery-no-identity"),
]  # fmt: skip
