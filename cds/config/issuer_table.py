"""The settings of an issuer: a client that may sign calls for a site."""

from cds.config.addresses import WEB
from cds.config.kinds import PATH, TEXT, between, many
from cds.config.setting import Setting
from cds.config.signatures import ALGORITHMS


ISSUER: tuple[Setting, ...] = (
    Setting(
        name="iss",
        kind=TEXT,
        says="The claim `iss` of its tokens, compared character by character.",
    ),
    Setting(
        name="tenants",
        kind=many(TEXT),
        default=[],
        says="Accepted values of the claim `tenant`; two sites may share an `iss` only if each"
        " names tenants and none is named twice.",
    ),
    Setting(
        name="jwks_url",
        kind=WEB,
        default=None,
        says="Where its public keys are fetched; this or `jwks_file`.",
    ),
    Setting(
        name="jwks_file",
        kind=PATH,
        default=None,
        says="Its public keys as a JWK Set, pinned, beside this file; this or `jwks_url`.",
    ),
    Setting(
        name="jku",
        kind=many(WEB),
        default=[],
        says="Values of the header `jku` accepted besides `jwks_url`; never fetched.",
    ),
    Setting(
        name="algorithms",
        kind=ALGORITHMS,
        default=["ES384", "RS384"],
        says="Accepted signature algorithms, asymmetric ones only.",
    ),
    Setting(
        name="audience",
        kind=many(TEXT),
        default=[],
        says="Values of `aud` accepted besides the exact URL of the endpoint under `public_url`.",
    ),
    Setting(
        name="subjects",
        kind=many(TEXT),
        default=[],
        says="Accepted values of `sub` (Epic: the client id); empty: not looked at.",
    ),
    Setting(
        name="leeway_seconds",
        kind=between(0, 60, "s"),
        default=60,
        says="How far the client's clock may be from ours.",
    ),
    Setting(
        name="longest_seconds",
        kind=between(1, 3600, "s"),
        default=3600,
        says="The longest time from `iat` to `exp`.",
    ),
)
