"""The sandbox FHIR R4 server: test equipment, loopback only, in memory, synthetic data.

The service itself never imports it. What it answers is written down in docs/sandbox-fhir.md.
"""

from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.server import create_fhir
from cds.demo.fhir.storage import Sandbox
from cds.demo.fhir.vendors import quirks_of


__all__ = ["Quirks", "Sandbox", "create_fhir", "quirks_of"]
