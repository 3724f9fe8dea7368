"""What a scale file may contain: levels of an axis, bands of a score, and where each is defined."""

from knowledge.dosing_model import Limit
from knowledge.model import Header, Strict


class AxisScale(Strict, frozen=True, kw_only=True):
    """One axis of a scale: each level's word and grade, mildest first, and where it is defined."""

    levels: dict[str, int]
    at: str


class ScoreBand(Strict, frozen=True, kw_only=True):
    """A band of a score and the grade it means; both ends included."""

    low: int
    high: int
    grade: int


class CrsScale(Header, frozen=True, kw_only=True):
    """ASTCT CRS: fever gate, two axes, oxygen flow boundary."""

    fever_cel: Limit
    low_flow_max: Limit
    hypotension: AxisScale
    hypoxia: AxisScale
    exclusions: tuple[str, ...] = ()


class IcansScale(Header, frozen=True, kw_only=True):
    """ASTCT ICANS: ICE and CAPD bands and four sign axes."""

    ice: tuple[ScoreBand, ...]
    capd: tuple[ScoreBand, ...]
    capd_under_age: Limit
    seizure_minutes: Limit
    arousal: AxisScale
    seizure: AxisScale
    motor: AxisScale
    raised_icp: AxisScale
    exclusions: tuple[str, ...] = ()
