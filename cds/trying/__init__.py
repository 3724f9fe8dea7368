"""The whole pipeline against a FHIR server that nobody has configured: read, evaluate, show.

Keeps nothing, writes nothing to the server, and is no way to run the service.
"""

from cds.trying.options import Options
from cds.trying.report import as_json, as_text
from cds.trying.run import Tried, try_out
from cds.trying.trouble import Trouble


__all__ = ["Options", "Tried", "Trouble", "as_json", "as_text", "try_out"]
