"""Realistic courses with known truth: a bispecific dose, fever, fluids, pressors, oxygen, steroids,
tocilizumab, recovery and a second event, hour by hour. It knows no FHIR and no code of the project.

What is true comes from the consensus table (Lee et al. 2019), written out here once more.
"""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple


SUPPORT = {"none": 0, "fluids": 2, "one-vasopressor": 3, "multiple-vasopressors": 4}
OXYGEN = {"none": 0, "low-flow": 2, "high-flow": 3, "positive-pressure": 4}
AROUSAL = {"alert": 0, "voice": 2, "tactile": 3, "unarousable": 4}
START = datetime.fromisoformat("2026-10-01T08:00:00+00:00")
_HOUR = timedelta(hours=1)
_BOLUS_HOURS = 12  # a bolus counts as need of fluids for so long (DESIGN 6a)
_MASKED_HOURS = {"acetaminophen": 8, "dexamethasone": 36, "tocilizumab": 21 * 24}


class State(NamedTuple):
    """How the patient is from one time on."""

    fever: bool = False
    support: str = "none"
    oxygen: str = "none"
    ice: int = 10
    arousal: str = "alert"


class Sample(NamedTuple):
    """One round of observations; None was not charted. `tenths_f`: tenths of a degree Fahrenheit.

    `fresh_neuro`: ICE and arousal were assessed in this round.
    """

    at: datetime
    state: State
    tenths_f: int
    systolic: int | None
    saturation: int | None
    device: str | None
    flow: int | None
    fresh_neuro: bool


class Given(NamedTuple):
    """A medicine given: at one time, or from `at` to `until`; still running without an end."""

    name: str
    at: datetime
    until: datetime | None = None
    running: bool = False


class Course(NamedTuple):
    """What happened up to `now`; `onsets`: when each event began."""

    now: datetime
    doses: tuple[datetime, ...]
    samples: tuple[Sample, ...]
    given: tuple[Given, ...]
    onsets: tuple[datetime, ...]

    @property
    def state(self) -> State:
        """The patient now."""
        return self.samples[-1].state


def make_course(seed: int) -> Course:
    """The course of that number, looked at at a random moment of it."""
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    one = _Ward(random)
    one.dose()
    one.wait(random.randint(1, 40))
    if random.random() < 0.85:
        one.event(random.randint(1, 4))
        if random.random() < 0.5:
            one.wait(random.randint(74, 120))
            one.dose()
            one.wait(random.randint(1, 30))
            if random.random() < 0.7:
                one.event(random.randint(1, 4))
    one.wait(random.randint(1, 30))
    return one.until(random.randrange(len(one.samples)))


class _Ward:
    """Plays a course forward, an hour or so at a time; holds what has happened."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._clock = START
        self._state = State()
        self._charted: tuple[str, str] = ("", "")
        self._running: dict[str, datetime] = {}
        self._onsets: list[datetime] = []
        self.doses: list[datetime] = []
        self.samples: list[Sample] = []
        self.given: list[Given] = []

    def dose(self) -> None:
        self.doses.append(self._clock)
        self._step()

    def wait(self, hours: int) -> None:
        end = self._clock + hours * _HOUR
        while self._clock < end:
            self._step()

    def event(self, peak: int) -> None:
        """Fever, then up to the peak and down again; treated from grade 2 on; then free of it."""
        self._onsets.append(self._clock)
        self._become(fever=True)
        self.wait(self._random.randint(1, 6))
        for grade in range(2, peak + 1):
            self._become(**self._worse(grade))
            self.wait(self._random.randint(1, 5))
        neuro = self._random.random() < 0.3
        if neuro:
            ice, arousal = self._random.choice(((8, "alert"), (5, "voice"), (1, "tactile")))
            self._become(ice=ice, arousal=arousal)
            self.wait(self._random.randint(6, 20))
        for drug in ("acetaminophen", "tocilizumab", "dexamethasone")[: 1 if peak == 1 else 3]:
            self.given.append(Given(drug, self._clock))
        self._become(fever=False)
        self.wait(self._random.randint(1, 6))
        while OXYGEN[self._state.oxygen] or SUPPORT[self._state.support]:
            self._become(**self._better())
            self.wait(self._random.randint(1, 8))
        self._become(ice=10, arousal="alert")
        self.wait(self._random.randint(60, 80))

    def until(self, index: int) -> Course:
        """Everything up to a few minutes after that round."""
        now = self.samples[index].at + timedelta(minutes=self._random.randint(0, 5))
        stopped = [one for one in self.given if one.at <= now]
        given = [
            one if one.until is None or one.until <= now else Given(one.name, one.at, running=True)
            for one in stopped
        ]
        doses = tuple(at for at in self.doses if at <= now)
        return Course(
            now=now,
            doses=doses,
            samples=tuple(self.samples[: index + 1]),
            given=tuple(given),
            onsets=tuple(at for at in self._onsets if at <= now),
        )

    def _worse(self, grade: int) -> dict[str, str]:
        support = [word for word, least in SUPPORT.items() if least == grade]
        oxygen = [word for word, least in OXYGEN.items() if least == grade]
        if self._random.random() < 0.5:
            return {"support": support[0]}
        return {"oxygen": oxygen[0]}

    def _better(self) -> dict[str, str]:
        """One step down; fluids are still counted for half a day after the last of them."""
        lower_oxygen = {"positive-pressure": "high-flow", "high-flow": "low-flow"}
        if OXYGEN[self._state.oxygen]:
            return {"oxygen": lower_oxygen.get(self._state.oxygen, "none")}
        lower = {"multiple-vasopressors": "one-vasopressor"}
        return {"support": lower.get(self._state.support, "none")}

    def _become(self, **changes: object) -> None:
        before = self._state
        self._state = before._replace(**changes)  # type: ignore[arg-type]
        self._infuse(before.support, self._state.support)
        self._step()

    def _infuse(self, before: str, after: str) -> None:
        if before == after:
            return
        wanted = {"one-vasopressor": 1, "multiple-vasopressors": 2}.get(after, 0)
        agents = ("norepinephrine", "epinephrine")[:wanted]
        for name in [one for one in self._running if one not in agents]:
            self.given.append(Given(name, self._running.pop(name), self._clock))
        for name in agents:
            self._running.setdefault(name, self._clock)
        if after == "fluids":
            start = self._clock - timedelta(minutes=30)
            self.given.append(Given("saline", start, self._clock))

    def _step(self) -> None:
        """A round of observations, and an hour or less until the next."""
        state, random = self._state, self._random
        now = (state.support, state.oxygen)
        changed = now != self._charted
        self._charted = now
        charted = changed or random.random() < 0.9
        device, flow = _device(state.oxygen, random) if charted else (None, None)
        systolic = None
        if changed or random.random() < 0.9:
            systolic = random.randint(95, 150)
            if state.support != "none":
                systolic = random.randint(70, 89)
        saturation = random.randint(90, 100) if random.random() < 0.9 or changed else None
        tenths = random.randint(1004, 1049) if state.fever else random.randint(970, 1003)
        fresh = not self.samples or self.samples[-1].state[3:] != state[3:] or random.random() < 0.3
        self.samples.append(
            Sample(self._clock, state, tenths, systolic, saturation, device, flow, fresh)
        )
        self._clock += timedelta(minutes=random.randint(40, 60))


def _device(oxygen: str, random: Random) -> tuple[str, int | None]:
    if oxygen == "none":
        return "room air", None
    if oxygen == "low-flow":
        return "nasal cannula", random.randint(1, 5)
    if oxygen == "high-flow":
        return random.choice((("non-rebreather mask", 15), ("nasal cannula", 8)))
    return random.choice((("bipap", None), ("ventilator", None)))


def true_crs(course: Course) -> frozenset[int]:
    """The CRS grades that are true now; two where treatment may hide a fever."""
    state = course.state
    if not course.onsets:
        return frozenset({0})
    worst = max(SUPPORT[_needed(course)], OXYGEN[state.oxygen])
    if state.fever:
        return frozenset({max(1, worst)})
    if worst:
        return frozenset({worst})
    return frozenset({0, 1}) if is_masked(course) and _is_open(course) else frozenset({0})


def _is_open(course: Course) -> bool:
    """Less than a day free of fever and of support."""
    abnormal = [one.at for one in course.samples if one.state[:3] != State()[:3]]
    return course.now - abnormal[-1] < 24 * _HOUR


def _needed(course: Course) -> str:
    """The support needed now: a bolus for a low pressure counts for half a day."""
    if course.state.support != "none":
        return course.state.support
    since = course.now - _BOLUS_HOURS * _HOUR
    bolus = any(one.name == "saline" and one.at >= since for one in course.given)
    return "fluids" if bolus else "none"


def is_masked(course: Course) -> bool:
    """Whether a drug given in the event can hide a fever now."""
    return any(
        course.now - one.at <= _MASKED_HOURS.get(one.name, 0) * _HOUR for one in course.given
    )


def true_maxima(course: Course) -> list[int]:
    """The highest CRS grade of each event so far."""
    found = [0] * len(course.onsets)
    for index, one in enumerate(course.samples):
        earlier = course._replace(
            now=one.at,
            samples=course.samples[: index + 1],
            given=tuple(drug for drug in course.given if drug.at <= one.at),
            onsets=tuple(at for at in course.onsets if at <= one.at),
        )
        if earlier.onsets:
            event = len(earlier.onsets) - 1
            found[event] = max(found[event], min(true_crs(earlier)))
    return found


def true_icans(course: Course) -> int:
    """The ICANS grade now."""
    ice = course.state.ice
    points = 0 if ice == 10 else 1 if ice >= 7 else 2 if ice >= 3 else 3
    return max(points, AROUSAL[course.state.arousal])
