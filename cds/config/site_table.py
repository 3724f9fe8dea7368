"""The settings of a site."""

from typing import get_args

from cds.config.addresses import BASE, WEB
from cds.config.events_table import BACKEND, EVENTS
from cds.config.issuer_table import ISSUER
from cds.config.kinds import CONTACTS, FLAG, PATH, TEXT, ZONE, choice, many, matching
from cds.config.model import Backend, Events, Issuer, Mode, Smart
from cds.config.rules_table import RULES
from cds.config.setting import Setting, Tables
from cds.config.smart_table import SMART


_TOPIC = matching(r"[A-Z0-9]{1,100}", "topic code", "must be capital letters and digits, as CRSG2")
_RULE = matching(
    r"[a-z0-9-]+(@[0-9]+)?#[a-z0-9-]+",
    "rule id",
    "must be a rule id, as teclistamab-label@1#crs-2, or without @1 for every version",
)
_DIGEST = matching(r"[0-9a-f]{64}", "SHA-256", "must be the 64 hexadecimal digits of /about")

SITE: tuple[Setting | Tables, ...] = (
    Setting(
        name="fhir_base",
        kind=BASE,
        says="The EHR's FHIR base; a request that names another server is refused.",
    ),
    Setting(
        name="protocol",
        kind=TEXT,
        says="`us-label`, `community-sop`, `nhs-waht`, or a protocol of your own by its name.",
    ),
    Setting(
        name="time_zone",
        kind=ZONE,
        member="zone",
        says="In which times are shown and days are counted, such as `Europe/London`.",
    ),
    Setting(
        name="mode",
        kind=choice(*get_args(Mode)),
        default="live",
        says="`silent`: evaluate and record, show nothing.",
    ),
    Setting(
        name="approved_knowledge",
        kind=_DIGEST,
        default=None,
        says="The digest of the knowledge this site has approved: with any other it runs silent."
        " Needed for `live` unless every address is a loopback one.",
    ),
    Setting(
        name="smart_url",
        kind=WEB,
        default=None,
        says="The launch URL of the SMART app that cards link to.",
    ),
    Setting(
        name="contacts",
        kind=CONTACTS,
        default={},
        says="By the role a protocol names, how it is reached here.",
    ),
    Setting(
        name="code_overlay",
        kind=PATH,
        default=None,
        says="The folder of the site's own codes, beside this file: [overlay.md](overlay.md).",
    ),
    Setting(
        name="off_topics",
        kind=many(_TOPIC),
        default=[],
        says="Cards switched off here, by the topic code they carry; shown in `/about`.",
    ),
    Setting(
        name="off_rules",
        kind=many(_RULE),
        default=[],
        says="Rules switched off here, by the id they carry, with a version or for every one;"
        " shown in `/about`.",
    ),
    Setting(
        name="fetch",
        kind=FLAG,
        default=True,
        says="Whether data that a request left out are read from `fhir_base`.",
    ),
    Tables(
        name="issuers",
        shape="list",
        settings=ISSUER,
        make=Issuer,
        says="The clients that may sign calls for this site.",
    ),
    Tables(
        name="rules",
        shape="overrides",
        settings=RULES,
        make=dict,
        says="Numbers of `knowledge/data/site-defaults.yaml` this site sets for itself.",
    ),
    Tables(
        name="backend",
        shape="one",
        settings=BACKEND,
        make=Backend,
        says="Reading `fhir_base` without a user, for events between hook calls (SMART Backend"
        " Services).",
    ),
    Tables(
        name="events",
        shape="one",
        settings=EVENTS,
        make=Events,
        says="Events between hook calls: [events.md](events.md).",
    ),
    Tables(
        name="smart",
        shape="one",
        settings=SMART,
        make=Smart,
        says="The bedside app, launched from the EHR: [smart-app.md](smart-app.md).",
    ),
)
