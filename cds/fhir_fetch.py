"""Reads from the FHIR server what a request did not bring: the prefetch templates it left out.

One page a query, as an EHR would have prefetched it. A query that fails stays unanswered, so that
its facts are unknown; why it failed is returned beside the request.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import requests
from fhirclient.server import (
    FHIRNotFoundException,
    FHIRPermissionDeniedException,
    FHIRServer,
    FHIRUnauthorizedException,
)
from msgspec import Raw

from cds.fhir_guard import GuardedSession
from cds.hook_request import HookRequest


_STATUS = {
    FHIRUnauthorizedException: "401",
    FHIRPermissionDeniedException: "403",
    FHIRNotFoundException: "404",
}


class Fetched(NamedTuple):
    """The request with the answers added, and one line for each query without one."""

    request: HookRequest
    failed: tuple[str, ...]


def fhir_server(base: str, session: GuardedSession) -> FHIRServer:
    """fhirclient's server on a guarded session; it signs nothing itself."""
    server = FHIRServer(None, base_uri=base)
    server.session.close()
    server.session = session
    return server


def fetch_missing(
    request: HookRequest, templates: Mapping[str, str], server: FHIRServer
) -> Fetched:
    """Ask the server for every template whose key the request does not have."""
    prefetch, failed = dict(request.prefetch), []
    for key, template in templates.items():
        if key in prefetch:
            continue
        path = template.replace("{{context.patientId}}", request.patient_id)
        try:
            # The bytes, not `request_json`: numbers are read as they were written.
            prefetch[key] = Raw(_json(server.request_data(path)))
        except tuple(_STATUS) as error:
            failed.append(f"{key}: the server answered {_STATUS[type(error)]}")
        except requests.HTTPError as error:
            failed.append(f"{key}: the server answered {error.response.status_code}")
        except requests.RequestException as error:
            failed.append(f"{key}: {_reason(error)}")
        except msgspec.DecodeError:
            failed.append(f"{key}: the answer is not JSON")
    return Fetched(msgspec.structs.replace(request, prefetch=prefetch), tuple(failed))


def _json(body: bytes) -> bytes:
    msgspec.json.decode(body, type=Raw)
    return body


def _reason(error: requests.RequestException) -> str:
    """The kind of trouble; a library's own text may hold the URL with the patient in it."""
    kind = type(error)
    return str(error) if kind.__module__ == "cds.fhir_guard" else kind.__name__
