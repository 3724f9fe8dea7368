"""What the workbench is given, once, by whoever puts the demo together."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from cds.demo.hook_call import Hospital
from cds.demo.story import Story
from cds.demo.story_timeline import Timelines
from cds.store import Store


# Each protocol is a site of its own, mounted under its own service base.
PROTOCOLS: dict[str, str] = {
    "us-label": "US labels and REMS",
    "community-sop": "US community cancer centre procedure",
    "nhs-waht": "NHS Worcestershire guideline",
}


class Bench(Struct, frozen=True, kw_only=True):
    """`zones` and `sites` (their ids) by protocol. `store`, `timelines` None: not at hand."""

    stories: Mapping[str, Story]
    hospital: Hospital
    zones: Mapping[str, ZoneInfo]
    sites: Mapping[str, str]
    store: Store | None = None
    timelines: Timelines | None = None


def launch_url(base: str, protocol: str) -> str:
    """Where the bedside app of a protocol's site is launched."""
    return f"{base}/{protocol}/smart/launch"
