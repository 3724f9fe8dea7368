"""The sandbox's authorization server: SMART App Launch 2.x, in memory, loopback only.

Test equipment beside `cds.demo.fhir`; the service itself never imports it. What it checks is
written down in docs/sandbox-fhir.md.
"""

from cds.demo.authorization.authority import Authority, open_authority, start_launch
from cds.demo.authorization.clients import Client
from cds.demo.authorization.discovery import security
from cds.demo.authorization.enforcing import enforcing
from cds.demo.authorization.grants import Context
from cds.demo.authorization.server import create_authorization


__all__ = [
    "Authority",
    "Client",
    "Context",
    "create_authorization",
    "enforcing",
    "open_authority",
    "security",
    "start_launch",
]
