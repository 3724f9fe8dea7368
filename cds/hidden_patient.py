"""Refuses a body in which a repeated member hides another patient from one of two readers.

JSON readers keep the first or the last of two members with one name, so a resource that names two
patients belongs to either. Looking for repeats everywhere would cost as much as the evaluation: it
is done where the bytes name anyone but the patient, or are written so that this cannot be told.
"""

import json
import re
from itertools import pairwise
from typing import Any

from cds.errors import BadHookRequest


_NAMED = b"Patient/"
# Other spellings of the same: an escaped sign of ASCII, an escaped slash, a URN of the Bundle.
_ESCAPED = re.compile(rb"\\u00[2-7]")
_OTHERWISE = (b"\\/", b"urn:uuid:", b"URN:UUID:")


class _Repeated(ValueError):
    """A member name comes twice in one object."""


def refuse_hidden_patient(body: bytes, patient_id: str, base: str | None) -> None:
    """Raises `BadHookRequest` where an object repeats a member and another patient may be named.

    `base`: the FHIR base under which a reference means this patient too.
    """
    if not _may_name_another(body, patient_id.encode(), (base or "").rstrip("/").encode()):
        return
    try:
        json.loads(body, object_pairs_hook=_unique, parse_int=len, parse_float=len)
    except _Repeated:
        raise BadHookRequest("a resource repeats a member name") from None
    except (ValueError, RecursionError):
        raise BadHookRequest("not JSON in UTF-8") from None


def _may_name_another(body: bytes, patient_id: bytes, base: bytes) -> bool:
    own = (b"", base + b"/") if base else (b"",)
    for before, after in pairwise(body.split(_NAMED)):
        if before[before.rfind(b'"') + 1 :] not in own:
            return True
        rest = after[len(patient_id) : len(patient_id) + 1]
        if not after.startswith(patient_id) or rest not in (b'"', b"/"):
            return True
    if any(sign in body for sign in _OTHERWISE):
        return True
    return b"\\u00" in body and _ESCAPED.search(body) is not None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Repeated
