"""The settings of a site for the bedside app."""

from typing import get_args

from cds.config.addresses import ORIGIN, WEB
from cds.config.kinds import PATH, TEXT, between, choice, many
from cds.config.model import SMART_SCOPE, SmartAuth
from cds.config.setting import Setting
from cds.config.signatures import ALGORITHM


SMART: tuple[Setting, ...] = (
    Setting(
        name="client_id",
        kind=TEXT,
        says="Under which the app is registered at the site's authorization server.",
    ),
    Setting(
        name="auth",
        kind=choice(*get_args(SmartAuth)),
        default="public",
        says="How the app proves itself to the token endpoint, besides PKCE.",
    ),
    Setting(
        name="id_token_issuer",
        kind=WEB,
        default=None,
        says="Who signs the id_token, where that is not the `issuer` of"
        " `.well-known/smart-configuration`.",
    ),
    Setting(
        name="key_file",
        kind=PATH,
        default=None,
        says="The private key as a JWK with `kid`, beside this file, for `private_key_jwt`.",
    ),
    Setting(
        name="algorithm",
        kind=ALGORITHM,
        default="ES384",
        says="The signature algorithm of the client assertion.",
    ),
    Setting(
        name="secret_file",
        kind=PATH,
        default=None,
        says="A file with the client secret, for `client_secret_basic`.",
    ),
    Setting(
        name="scope",
        kind=TEXT,
        default=SMART_SCOPE,
        says="The scopes asked for. A worklist needs to read with `user/` scopes as well, such as"
        " `user/*.rs`.",
    ),
    Setting(
        name="ehr_origins",
        kind=many(ORIGIN),
        default=[],
        says="The web origins whose pages may show the app in a frame: those of the EHR.",
    ),
    Setting(
        name="idle_minutes",
        kind=between(1, 240, "min"),
        default=15,
        says="After so long without use a session ends.",
    ),
)
