"""The settings of a site for what happens between hook calls."""

from typing import get_args

from cds.config.addresses import BASE, WEB
from cds.config.kinds import PATH, TEXT, between, choice
from cds.config.model import BackendAuth, Tell
from cds.config.setting import Setting
from cds.config.signatures import ALGORITHM


BACKEND: tuple[Setting, ...] = (
    Setting(
        name="auth",
        kind=choice(*get_args(BackendAuth)),
        default="private_key_jwt",
        says="How the service proves itself to the token endpoint; `none` for a server on the"
        " loopback address that asks for no token.",
    ),
    Setting(
        name="client_id",
        kind=TEXT,
        default=None,
        absent="",
        says="Under which the service is registered there; required unless `auth` is `none`.",
    ),
    Setting(
        name="token_url",
        kind=WEB,
        default=None,
        says="The token endpoint; by default the one that `.well-known/smart-configuration` below"
        " `fhir_base` names.",
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
        default="system/*.rs",
        says="The scopes asked for; telling a change needs to write that type as well, such as"
        " `system/Flag.cu`.",
    ),
)

EVENTS: tuple[Setting, ...] = (
    Setting(
        name="secret_file",
        kind=PATH,
        says="A file with the secret that the FHIR server sends as bearer token with every"
        " notification; at least 32 characters.",
    ),
    Setting(
        name="url",
        kind=BASE,
        default=None,
        says="Under which the FHIR server reaches this service, if not under `public_url`.",
    ),
    Setting(
        name="poll_seconds",
        kind=between(10, 86_400, "s"),
        default=300,
        says="How often every watched patient is read again, whatever was or was not notified.",
    ),
    Setting(
        name="pause_seconds",
        kind=between(0, 3600, "s"),
        default=10,
        says="The least time between two readings of one patient.",
    ),
    Setting(
        name="tell",
        kind=choice(*get_args(Tell)),
        default="nothing",
        says="What is written to the FHIR server when a grade changes: a separate function, off"
        " unless set.",
    ),
)
