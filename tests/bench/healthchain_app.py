"""HealthChain answering the same patient's prefetch; runs in a virtualenv of its own.

Imports nothing of this repository. HealthChain drops `context.draftOrders` before a handler sees
it, so the service is a patient-view one. The handler uses HealthChain's own prefetch conversion and
then only looks for the newest temperature: far less than this service does.
"""

import sys
from typing import Any

import uvicorn  # type: ignore[import-not-found,unused-ignore]
from healthchain.fhir import (  # type: ignore[import-not-found,unused-ignore]
    convert_prefetch_to_fhir_objects,
)
from healthchain.gateway import (  # type: ignore[import-not-found,unused-ignore]
    CDSHooksService,
    HealthChainAPI,
)


cds = CDSHooksService()


@cds.hook("patient-view", id="bench")
def newest_temperature(request: Any) -> dict[str, Any]:
    """One card with the first temperature of the converted Bundle (the request is newest first)."""
    resources = convert_prefetch_to_fhir_objects(request.prefetch)
    observations = [entry.resource for entry in resources["vitals"].entry]
    value = next(o.valueQuantity.value for o in observations if o.code.coding[0].code == "8310-5")
    summary = f"Newest temperature {value} Cel of {len(observations)} vital signs"
    card = {"summary": summary, "indicator": "info", "source": {"label": "bench"}}
    return {"cards": [card]}


app = HealthChainAPI()
app.register_service(cds)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
