"""Every setting, once: name, kind, default, and the sentence its documentation says of it.

The loader and docs/configuration.md are made from these tables; nothing else knows a setting.
"""

from decimal import Decimal
from typing import get_args

from cds.config.addresses import BASE, BIND, ORIGIN, STORE
from cds.config.kinds import PATH, TEXT, between, choice, many, matching
from cds.config.model import Auth, Site
from cds.config.setting import Setting, Tables
from cds.config.site_table import SITE


_SITE_ID = matching(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "site id",
    "a site id is at most 64 letters, digits, dots, dashes and underscores",
)

SETTINGS: tuple[Setting | Tables, ...] = (
    Setting(
        name="bind",
        kind=BIND,
        environ="BTCE_BIND",
        says="The address and port to listen on.",
    ),
    Setting(
        name="public_url",
        kind=BASE,
        environ="BTCE_PUBLIC_URL",
        says="The URL under which clients reach the service; tokens are checked against it.",
    ),
    Setting(
        name="auth",
        kind=choice(*get_args(Auth)),
        environ="BTCE_AUTH",
        says="`jwt`: every call is signed by an issuer of a site; `off`: nobody is asked, and"
        " every address has to be a loopback one.",
    ),
    Setting(
        name="default_site",
        kind=TEXT,
        default=None,
        absent="",
        environ="BTCE_DEFAULT_SITE",
        says='The site of requests without a token; required with `auth = "off"`, not used with'
        " `jwt`.",
    ),
    Setting(
        name="origins",
        kind=many(ORIGIN),
        default=[],
        says="Web origins whose scripts may call the service.",
    ),
    Setting(
        name="store",
        kind=STORE,
        default="sqlite:///btce-cds.sqlite",
        environ="BTCE_STORE",
        says="The database of decisions and feedback: a SQLite file beside this one, or"
        " `postgresql+psycopg://`. A password belongs in the environment variable.",
    ),
    Setting(
        name="spool",
        kind=PATH,
        default="btce-cds-spool",
        environ="BTCE_SPOOL",
        says="Where decisions wait, beside this file, while the database is down.",
    ),
    Setting(
        name="deadline_seconds",
        kind=between(Decimal("0.1"), Decimal(30), "s"),
        default=2,
        says="After this time a call is answered with what is decided by then.",
    ),
    Tables(
        name="sites",
        shape="by-id",
        settings=SITE,
        make=Site,
        named=_SITE_ID,
        says="At least one, each under its id: `[sites.haematology]`.",
    ),
)
