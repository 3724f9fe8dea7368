"""Silent-mode evidence: saved hook requests and NDJSON exports, evaluated as of their own times.

The pipeline is the one that `explain` and the service use; this package only chooses moments, what
was known at each, and counts what came out. It holds no clinical number or sentence.
"""

from cds.replay.errors import CannotReplay
from cds.replay.judge import Setup
from cds.replay.run import replay


__all__ = ["CannotReplay", "Setup", "replay"]
