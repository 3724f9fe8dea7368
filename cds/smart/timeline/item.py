"""One thing charted at one time, and what the kinds of such things are called."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct


What = Literal[
    "temperature",
    "systolic",
    "mean-pressure",
    "saturation",
    "oxygen",
    "vasopressor",
    "bolus",
    "support",
    "bispecific",
    "tocilizumab",
    "anakinra",
    "siltuximab",
    "steroid",
    "antipyretic",
    "ice",
    "ice-doubt",
    "capd",
    "arousal",
    "seizure",
    "motor",
    "raised-icp",
    "consciousness",
    "crs-charted",
    "icans-charted",
    "not-used",
]

LABELS: Mapping[What, str] = {
    "temperature": "Temperature",
    "systolic": "Systolic pressure",
    "mean-pressure": "Mean pressure",
    "saturation": "SpO2",
    "oxygen": "Oxygen",
    "vasopressor": "Vasoactive infusion",
    "bolus": "Fluid bolus",
    "support": "Blood pressure support",
    "bispecific": "Bispecific",
    "tocilizumab": "Tocilizumab",
    "anakinra": "Anakinra",
    "siltuximab": "Siltuximab",
    "steroid": "Corticosteroid",
    "antipyretic": "Antipyretic",
    "ice": "ICE total",
    "ice-doubt": "ICE, no certain total",
    "capd": "CAPD total",
    "arousal": "Arousal",
    "seizure": "Seizure",
    "motor": "Motor",
    "raised-icp": "Raised ICP",
    "consciousness": "Other consciousness scale",
    "crs-charted": "CRS grade charted",
    "icans-charted": "ICANS grade charted",
    "not-used": "Charted, not used",
}


class Item(Struct, frozen=True, kw_only=True):
    """`shown`: value and unit as charted. `value`: as a number, in the unit the facts have it in.

    `until`: the end of a period. `running`: it goes on, or its end is not charted (`marks` say so).
    `levels`: those a charted state allows. `flow`: L/min, of oxygen.
    """

    at: datetime
    what: What
    shown: str
    ref: str
    value: Decimal | None = None
    until: datetime | None = None
    running: bool = False
    levels: tuple[str, ...] = ()
    flow: Decimal | None = None
    marks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called."""
        return LABELS[self.what]

    def with_marks(self, marks: tuple[str, ...]) -> "Item":
        """The same with these marks."""
        return msgspec.structs.replace(self, marks=marks)
