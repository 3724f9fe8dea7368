"""The small language of the patient files: what was charted, in hours relative to now.

Values only; no FHIR and no clock. Hours are negative in the past.
"""

from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct


FOLDER = Path(__file__).with_name("patients")
Device = Literal["room-air", "nasal-cannula", "high-flow", "mask", "cpap"]
Drug = Literal[
    "teclistamab",
    "tocilizumab",
    "talquetamab",
    "norepinephrine",
    "phenylephrine",
    "dexamethasone",
    "acetaminophen",
    "ibuprofen",
]


class Timed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """One thing charted at `at`; with `every` and `until`, the same thing charted repeatedly."""

    at: float
    until: float | None = None
    every: float | None = None

    def times(self) -> tuple[float, ...]:
        """All charting times in hours relative to now, oldest first."""
        if self.every is None or self.until is None:
            return (self.at,)
        count = int((self.until - self.at) / self.every + 1e-9)
        return tuple(self.at + self.every * step for step in range(count + 1))


class Vitals(Timed, frozen=True, tag="vitals"):
    """A set of vital signs; what is left out was not charted."""

    temperature: float | None = None
    unit: Literal["Cel", "[degF]"] = "Cel"
    pressure: tuple[int, int] | None = None
    spo2: int | None = None
    device: Device | None = None
    flow: float | None = None


class Weight(Timed, frozen=True, tag="weight"):
    """Measured body weight in kg."""

    kg: float


class Neuro(Timed, frozen=True, tag="neuro"):
    """What a bedside neurological assessment charts; what is left out was not charted."""

    ice: int | None = None
    arousal: str | None = None
    seizure: str | None = None
    minutes: float | None = None


class Support(Timed, frozen=True, tag="support"):
    """A clinician's statement of what the blood pressure needs."""

    level: str


class GradeCharted(Timed, frozen=True, tag="grade"):
    """A clinician's grade of one toxicity."""

    toxicity: Literal["crs", "icans"]
    grade: int


class Given(Timed, frozen=True, tag="given"):
    """One administration that was completed at `at`."""

    drug: Drug
    mg: float
    route: Literal["IV", "SC", "PO"]


class Infusion(Timed, frozen=True, tag="infusion"):
    """A continuous infusion from `at` to `until`; without `until` it is still running."""

    drug: Drug
    rate: float


class Problem(Timed, frozen=True, tag="problem"):
    """An active entry of the problem list, by ICD-10-CM code."""

    code: str
    text: str


Entry = Vitals | Weight | Neuro | Support | GradeCharted | Given | Infusion | Problem


class Story(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One synthetic patient: who, one sentence of story, usual order and protocol, chart."""

    id: str
    position: int
    title: str
    story: str
    given: str
    family: str
    sex: Literal["female", "male"]
    age: int
    order: str
    protocol: str = "us-label"
    chart: tuple[Entry, ...]


def load(folder: Path = FOLDER) -> dict[str, Story]:
    """All stories by id, in page order; raises msgspec.ValidationError on an unknown key."""
    stories = [
        msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Story)
        for path in sorted(folder.glob("*.yaml"))
    ]
    return {story.id: story for story in sorted(stories, key=lambda story: story.position)}
