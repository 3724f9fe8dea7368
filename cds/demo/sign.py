"""Builds the order-sign request an EHR would send when the chosen order is signed.

Pure: `now` and the hook instance are arguments. Sending it is the workbench's part.
"""

from datetime import datetime
from typing import Any

from cds.demo.drafting import draft
from cds.demo.drugs import DemoOrder
from cds.demo.patients import PRACTITIONER, encounter_id, prefetch
from cds.demo.story import Story


SERVICE = "btce-order-sign"
DRAFT_ID = "draft-1"


def order_sign(
    story: Story, order: DemoOrder, *, now: datetime, hook_instance: str
) -> dict[str, Any]:
    """The complete request body, with every prefetch key answered."""
    return {
        "hook": "order-sign",
        "hookInstance": hook_instance,
        "context": {
            "userId": PRACTITIONER,
            "patientId": story.id,
            "encounterId": encounter_id(story),
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": draft(story, order, now, DRAFT_ID)}],
            },
        },
        "prefetch": prefetch(story, now),
    }
