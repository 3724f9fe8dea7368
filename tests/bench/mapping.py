"""How long `fhir_mapping.read` takes by the number of Observations, against decoding alone.

In process and on one core: CPU time of this process, medians. `python -m tests.bench.mapping` runs
it by itself. Decoding is msgspec reading the same prefetch into the mapping's own structs; mapping
is all of `read`, the decoding included.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds.clock import system_clock
from fhir_mapping.codes import CodeSets, load_codes
from fhir_mapping.read import PatientInput, read
from fhir_mapping.resources import Bundle, Patient
from knowledge.library import load
from knowledge.model import SiteRules
from tests.bench import payload
from tests.bench.report import Verdict


SIZES = (100, 1_000, 10_000, 100_000)
RUNS = 7
FEWEST_RUNS = 3  # of the largest size
WORK = 20_000  # Observations a run maps at least, over as many requests as that takes
AIM_SIZE, AIM_MS = 10_000, 60.0
STEP = 2.0  # at most this ratio of time per Observation from one size to the next
LEAN = ("resourceType", "id", "status", "category", "code", "subject", "effectiveDateTime")
BASE = "https://ehr.example/fhir"
_BUNDLE = msgspec.json.Decoder(Bundle)
_PATIENT = msgspec.json.Decoder(Patient)
Json = dict[str, Any]


class Envelope(Struct):
    """A request's prefetch, as it came."""

    prefetch: dict[str, Raw]


@dataclass(frozen=True)
class Figure:
    """One shape at one size: median CPU time per request, in ms."""

    shape: str
    observations: int
    megabytes: float
    decode_ms: float
    map_ms: float

    @property
    def ratio(self) -> float:
        """Mapping against decoding alone."""
        return self.map_ms / self.decode_ms

    @property
    def each_us(self) -> float:
        """Mapping per Observation, in microseconds."""
        return 1000 * self.map_ms / self.observations


def figures() -> Iterator[Figure]:
    """Every shape at every size, smallest first."""
    rules, codes = load().rules, load_codes()
    for shape, made in (("whole", payload.request), ("lean", lean_request)):
        for size in SIZES:
            yield _measure(shape, size, made, rules, codes)


def lean_request(observations: int, *, hook: str, now: datetime, number: int = 0) -> bytes:
    """The same request with the members alone that the mapping needs, one coding each."""
    body = msgspec.json.decode(payload.request(observations, hook=hook, now=now, number=number))
    for entry in body["prefetch"]["vitals"]["entry"]:
        entry["resource"] = _lean(entry["resource"])
    return msgspec.json.encode(body)


def _lean(resource: Json) -> Json:
    kept = {name: resource[name] for name in LEAN}
    kept["code"] = {"coding": kept["code"]["coding"][:1]}
    kept["category"] = [{"coding": [{"code": "vital-signs"}]}]
    kept["subject"] = {"reference": kept["subject"]["reference"]}
    values = ("valueQuantity", "component")
    return {**kept, **{name: resource[name] for name in values if name in resource}}


def _measure(
    shape: str, size: int, made: Callable[..., bytes], rules: SiteRules, codes: CodeSets
) -> Figure:
    now = system_clock()
    inputs = []
    for number in range(max(1, WORK // size)):
        # A second apart, so that what is remembered of one request does not help with the next.
        at = now - timedelta(seconds=number)
        body = made(size, hook="order-sign", now=at, number=number)
        prefetch = msgspec.json.decode(body, type=Envelope).prefetch
        inputs.append(PatientInput(payload.PATIENT, BASE, None, None, prefetch))

    def mapping() -> None:
        for data in inputs:
            read(data, now=now, rules=rules, codes=codes)

    def decoding() -> None:
        for data in inputs:
            _decode(data.prefetch)

    runs = RUNS if size < SIZES[-1] else FEWEST_RUNS
    times = [(_cpu(decoding), _cpu(mapping)) for _ in range(runs + 1)][1:]  # the first warms up
    decode, mapped = (
        1000 * statistics.median(column) / len(inputs) for column in zip(*times, strict=True)
    )
    weight = sum(len(bytes(value)) for value in inputs[0].prefetch.values()) / 1e6
    return Figure(shape, size, weight, decode, mapped)


def _decode(prefetch: Mapping[str, Raw]) -> None:
    for name, value in prefetch.items():
        if name == "patient":
            _PATIENT.decode(value)
        else:
            _BUNDLE.decode(value)


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def verdicts(found: Sequence[Figure]) -> list[Verdict]:
    """The aims: time at one size, and linear from the smallest to the largest."""
    made = []
    for shape in dict.fromkeys(one.shape for one in found):
        mine = [one for one in found if one.shape == shape]
        for one in mine:
            if one.observations == AIM_SIZE:
                aim = f"mapping of {AIM_SIZE} Observations ({shape}) <= {AIM_MS:g} ms"
                figure = f"{one.map_ms:.1f} ms, {one.ratio:.2f} x decoding"
                made.append(Verdict(aim, figure, one.map_ms <= AIM_MS))
        steps = [after.each_us / before.each_us for before, after in pairwise(mine)]
        aim = f"mapping linear ({shape}): per Observation <= {STEP:g} x from one size to the next"
        figure = ", ".join(f"{step:.2f} x" for step in steps)
        made.append(Verdict(aim, figure, max(steps, default=0.0) <= STEP))
    return made


def table(found: Sequence[Figure]) -> Iterator[str]:
    """The lines a person reads."""
    yield (
        f"{'mapping':<12}{'Obs':>8}{'MB':>8}{'decode ms':>12}{'map ms':>10}"
        f"{'ratio':>8}{'us/Obs':>9}"
    )
    for one in found:
        yield (
            f"{one.shape:<12}{one.observations:>8}{one.megabytes:>8.2f}{one.decode_ms:>12.2f}"
            f"{one.map_ms:>10.2f}{one.ratio:>8.2f}{one.each_us:>9.1f}"
        )
    yield ""
    for verdict in verdicts(found):
        yield verdict.line


def document(found: Sequence[Figure]) -> Json:
    """The same, for build/bench.json."""
    return {
        "figures": [asdict(one) for one in found],
        "verdicts": [asdict(one) for one in verdicts(found)],
    }


if __name__ == "__main__":
    print("\n".join(table(tuple(figures()))))
    sys.exit(0)
