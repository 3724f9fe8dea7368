"""The demonstration: synthetic patients, their FHIR server, and an order-entry workbench.

Loopback only. It knows no clinical rule: what it shows comes back from the hook calls, from what
the service stored, and for the timeline from the same pipeline.
"""
