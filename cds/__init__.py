"""The service: HTTP, trust, the pipeline, configuration, clock and command line.

Everything that touches the outside world; never a clinical number or sentence.
"""

__version__ = "0.1.0"
