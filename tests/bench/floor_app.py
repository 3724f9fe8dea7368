"""The floor: granian and Flask decode the request into the mapping's structs; a fixed card.

Everything it leaves out (checks, grading, advice, cards) is what the service costs above it.
`python -m tests.bench.floor_app PORT` serves it as the service is served: WSGI, one worker.
"""

import sys

import msgspec
from flask import Flask, Response, request
from granian import Granian
from granian.constants import Interfaces
from msgspec import Raw, Struct

from fhir_mapping.resources import Bundle, Patient


NULL = Raw(b"null")
CARD = {"cards": [{"summary": "A fixed card", "indicator": "info", "source": {"label": "bench"}}]}


class Context(Struct, rename="camel"):
    """The context members of an order-sign request; resources as they came."""

    patient_id: str
    user_id: str
    draft_orders: Raw = NULL


class Envelope(Struct, rename="camel"):
    """A hook request with its prefetch values as they came."""

    hook: str
    hook_instance: str
    context: Context
    prefetch: dict[str, Raw] = {}


_ENVELOPE = msgspec.json.Decoder(Envelope)
_BUNDLE = msgspec.json.Decoder(Bundle)
_PATIENT = msgspec.json.Decoder(Patient)

app = Flask(__name__)


@app.get("/cds-services")
def discovery() -> Response:
    """Only there to tell that the server is up."""
    return Response(b'{"services":[]}', mimetype="application/json")


@app.post("/cds-services/btce-order-sign")
def order_sign() -> Response:
    """Decode everything the service would decode, use nothing."""
    envelope = _ENVELOPE.decode(request.get_data(cache=False))
    patient = _PATIENT.decode(envelope.prefetch.pop("patient"))
    bundles = [_BUNDLE.decode(value) for value in envelope.prefetch.values()]
    bundles.append(_BUNDLE.decode(envelope.context.draft_orders))
    assert patient.id == envelope.context.patient_id
    assert all(entry.resource is not None for bundle in bundles for entry in bundle.entry)
    return Response(msgspec.json.encode(CARD), mimetype="application/json")


if __name__ == "__main__":
    Granian(
        "tests.bench.floor_app:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=1,
        websockets=False,
        blocking_threads=1,
    ).serve()
