"""The client of a site's authorization server: SMART App Launch 2, from the launch to the rights.

https://hl7.org/fhir/smart-app-launch/app-launch.html. Knows no page, no cookie and no store, and no
clinical meaning; no token, code, name or id is ever in a message.
"""

from cds.smart.oauth.asking import Asked
from cds.smart.oauth.callback import launch_of
from cds.smart.oauth.client import SmartClient
from cds.smart.oauth.granted import Granted
from cds.smart.oauth.pending import Pending
from cds.smart.oauth.refusal import LaunchRefused, RefusedKind
from cds.smart.oauth.texts import TEXTS, Explained


__all__ = [
    "TEXTS",
    "Asked",
    "Explained",
    "Granted",
    "LaunchRefused",
    "Pending",
    "RefusedKind",
    "SmartClient",
    "launch_of",
]
