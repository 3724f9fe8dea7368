"""Body bytes to a `HookRequest`, or a refusal that names the field; reads no FHIR resource.

A body within its limits is decoded once and refused if a member is repeated. Resources stay
`msgspec.Raw`: one malformed resource is the mapping's to report and must not fail the request.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from cds.body_limits import refuse_unbounded
from cds.errors import AnotherPatient, BadHookRequest
from cds.hidden_patient import refuse_hidden_patient


# CDS Hooks 2.0, hook definitions: context members required beside `patientId`.
REQUIRED_CONTEXT: Mapping[str, tuple[str, ...]] = {
    "order-sign": ("userId", "draftOrders"),
    "order-select": ("userId", "draftOrders", "selections"),
    "patient-view": ("userId",),
    "org.btce-cds.observation-create": ("observations",),
}

_Text = Annotated[str, Meta(min_length=1)]
_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,255}\Z")]
# Any 8-4-4-4-12: real clients send UUIDs that are not of an RFC 4122 variant.
_Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")]
_Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+[^\s?#]*\Z")]


class HookRequest(Struct, frozen=True):
    """One accepted request. The access token is checked for its form and not kept."""

    hook: str
    hook_instance: str
    patient_id: str
    fhir_server: str | None
    draft_orders: Raw | None
    selections: tuple[str, ...] | None
    prefetch: Mapping[str, Raw]


_ABSENT = Raw(b"null")


class _Bundle(Struct, rename="camel"):
    resource_type: Literal["Bundle"]
    entry: list[dict[str, Raw]] = []


class _Context(Struct, rename="camel"):
    patient_id: _Id
    user_id: _Text | None = None
    encounter_id: _Id | None = None
    draft_orders: Raw = _ABSENT
    observations: Raw = _ABSENT
    selections: tuple[_Text, ...] | None = None


class _Authorization(Struct):
    access_token: _Text
    token_type: Annotated[str, Meta(pattern=r"^[Bb][Ee][Aa][Rr][Ee][Rr]\Z")]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class _Envelope(Struct, rename="camel"):
    """Unknown members are tolerated: vendors send `extension` and newer ones every time."""

    hook: _Text
    hook_instance: _Uuid
    context: Raw
    prefetch: dict[str, Raw] | None = None
    fhir_server: _Url | None = None
    fhir_authorization: Raw = _ABSENT
    extension: Raw = _ABSENT


def parse(body: bytes, hook: str | None = None) -> HookRequest:
    """The request in `body`; `hook`: the only one accepted. Raises `BadHookRequest`, `TooLarge`,
    `AnotherPatient`.
    """
    refuse_unbounded(body)
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        _refuse_repeated_members(body, envelope)
        context = msgspec.json.decode(envelope.context, type=_Context)
        drafts, observations = _bundle(context.draft_orders), _bundle(context.observations)
        authorization = _authorization(envelope.fhir_authorization)
    except msgspec.DecodeError:
        _refuse_repeated_members(body)
        raise _first_problem(body) from None
    if hook is not None and envelope.hook != hook:
        raise BadHookRequest(f"this service answers the hook {hook}", field="hook")
    if authorization is not None and envelope.fhir_server is None:
        raise BadHookRequest("is required with fhirAuthorization", field="fhirServer")
    if authorization is not None and authorization.patient not in {None, context.patient_id}:
        raise AnotherPatient("the token is for another patient", field="fhirAuthorization.patient")
    refuse_hidden_patient(body, context.patient_id, envelope.fhir_server)
    given = {
        "userId": context.user_id,
        "draftOrders": drafts,
        "observations": observations,
        "selections": context.selections,
    }
    for name in REQUIRED_CONTEXT.get(envelope.hook, ()):
        if given[name] is None:
            raise BadHookRequest("is required", field=f"context.{name}")
    prefetch = dict(envelope.prefetch or {})
    if observations is not None:
        prefetch["context.observations"] = observations
    return HookRequest(
        hook=envelope.hook,
        hook_instance=envelope.hook_instance,
        patient_id=context.patient_id,
        fhir_server=envelope.fhir_server,
        draft_orders=drafts,
        selections=context.selections,
        prefetch=prefetch,
    )


def access_token(body: bytes) -> str | None:
    """The FHIR access token of a body that `parse` accepted; None without one that is valid."""
    envelope = msgspec.json.decode(body, type=_Envelope)
    authorization = _authorization(envelope.fhir_authorization)
    if authorization is None or authorization.expires_in <= 0:
        return None
    return authorization.access_token


def _bundle(value: Raw) -> Raw | None:
    if bytes(value).strip() == b"null":
        return None
    msgspec.json.decode(value, type=_Bundle)
    return value


def _authorization(value: Raw) -> _Authorization | None:
    return msgspec.json.decode(value, type=_Authorization | None)


def _refuse_repeated_members(body: bytes, decoded: _Envelope | None = None) -> None:
    """A repeated member would be merged silently, so that two readers see two patients.

    Every member name brings two quotation marks: the marks of the parts a decoder kept add up to
    those of the whole only if it dropped none. A compact body that was `decoded` is seen to be
    whole by its length alone, without reading it again.
    """
    if decoded is not None and _compact_length(decoded) == len(body):
        envelope = {"context": decoded.context, "fhirAuthorization": decoded.fhir_authorization}
    else:
        envelope = _members(body, "")
    for name in ("context", "prefetch", "fhirAuthorization"):
        part = bytes(envelope.get(name, b"null")).strip()
        if part.startswith(b"{"):
            _members(part, name)


def _compact_length(envelope: _Envelope) -> int:
    """How long the body is if nothing was dropped and it holds no white space or escapes.

    Never too long: an escape, a space, an unknown or a dropped member only adds to the real body.
    """
    lengths = {
        "hook": len(envelope.hook) + 2,
        "hookInstance": len(envelope.hook_instance) + 2,
        "context": len(memoryview(envelope.context)),
    }
    if envelope.prefetch is not None:
        lengths["prefetch"] = _object_length(
            {name: len(memoryview(value)) for name, value in envelope.prefetch.items()}
        )
    if envelope.fhir_server is not None:
        lengths["fhirServer"] = len(envelope.fhir_server) + 2
    for name, value in (
        ("fhirAuthorization", envelope.fhir_authorization),
        ("extension", envelope.extension),
    ):
        if value is not _ABSENT:
            lengths[name] = len(memoryview(value))
    return _object_length(lengths)


def _object_length(lengths: Mapping[str, int]) -> int:
    """The length of a compact JSON object from its member names and the lengths of the values."""
    return max(2, 1 + sum(len(name) + 4 + length for name, length in lengths.items()))


def _members(part: bytes, at: str) -> dict[str, Raw]:
    try:
        members = msgspec.json.decode(part, type=dict[str, Raw])
    except msgspec.ValidationError:
        raise BadHookRequest("must be a JSON object", field=at) from None
    except msgspec.DecodeError as error:
        raise BadHookRequest(f"not JSON: {error}", field=at) from None
    # Compact JSON: lengths that add up leave no room for a member that was dropped.
    if _object_length({n: len(memoryview(value)) for n, value in members.items()}) == len(part):
        return members
    kept = sum(2 + bytes(value).count(b'"') for value in members.values())
    if kept != part.count(b'"'):
        raise BadHookRequest("repeats a member name", field=at)
    return members


def _first_problem(body: bytes) -> BadHookRequest:
    """Which field is wrong, by the published JSON Schema; only a refused request pays for it."""
    import json  # noqa: PLC0415 - off the hot path, with jsonschema below

    from jsonschema.exceptions import best_match  # noqa: PLC0415

    from cds.schemas import HOOK_REQUEST, validator  # noqa: PLC0415

    # Digits are not converted: only the kind of a number matters here, not its size.
    document = json.loads(body, parse_int=len, parse_float=lambda _: 0.5)
    error = best_match(validator(HOOK_REQUEST).iter_errors(document))
    if error is None:
        return BadHookRequest("does not match the request schema")
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        path.append(next(name for name in error.validator_value if name not in error.instance))
        return BadHookRequest("is required", field=".".join(path))
    return BadHookRequest(_expected(error), field=".".join(path))


def _expected(error: Any) -> str:
    """What the schema asks for, in words; the value itself is not repeated."""
    if "description" in error.schema:
        return f"must be {error.schema['description']}"
    if error.validator == "type":
        kinds = error.validator_value
        kind = kinds if isinstance(kinds, str) else next(iter(kinds))
        return f"must be of type {kind}"
    return "does not match the request schema"
