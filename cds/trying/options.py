"""What `btce-cds try` is asked for, put together and checked before anything is sent."""

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from cds.hook_request import HookRequest
from cds.trying.asking import Access
from cds.trying.draft import order_sign, product_of
from cds.trying.reach import base_of
from cds.trying.trouble import Trouble
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


_ID = re.compile(r"[A-Za-z0-9._-]{1,255}")  # as wide as in a hook request


class Options(Struct, frozen=True, kw_only=True):
    """As typed. `token_env`: the name of the variable that holds the token; None: send none.

    `seconds`: for each read.
    """

    fhir: str
    patient: str
    order: str
    protocol: str
    now: datetime
    token_env: str | None = None
    seconds: float = 20.0


class Plan(Struct, frozen=True):
    """What will be done: which server, how, and the request without its data."""

    access: Access
    request: HookRequest


def plan(
    options: Options, environ: Mapping[str, str], *, library: Library, codes: CodeSets
) -> Plan:
    """`options` as far as they can be checked here; raises `Trouble`."""
    base = base_of(options.fhir)
    if options.protocol not in library.protocols:
        known = ", ".join(sorted(library.protocols))
        raise Trouble("--protocol names no protocol of the knowledge", f"give one of {known}")
    patient_from(options.patient)
    product = product_of(options.order, codes)
    request = order_sign(options.patient, product, base=base, now=options.now)
    token = token_from(options.token_env, environ)
    return Plan(Access(base, token, options.seconds), request)


def patient_from(text: str | None) -> str | None:
    """The id of a Patient as it may stand in a query; raises `Trouble` for anything else."""
    if text is not None and not _ID.fullmatch(text):
        raise Trouble(
            "--patient is not the id of a FHIR resource",
            "give the id alone, as in Patient/<id>, without the type and without spaces",
        )
    return text


def token_from(name: str | None, environ: Mapping[str, str]) -> str | None:
    """The token in the variable `name`; raises `Trouble` where it is not set or empty."""
    if name is None:
        return None
    token = environ.get(name, "").strip()
    if not token:
        raise Trouble(
            "the variable that --token-env names is not set or is empty",
            "export it in this shell, with the token alone",
        )
    return token
