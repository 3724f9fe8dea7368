"""Codes inside sentences that others made, as words, for pages; the cards keep them as they are.

It changes the writing alone, never what is said.
"""

import re

import msgspec

from knowledge.assessment import AxisState, ToxicityState
from knowledge.facts import Evidence, Missing


_WORDS = {
    "raised-icp": "raised ICP",
    "ice-total": "ICE total",
    "ice-orientation": "ICE orientation",
    "ice-naming": "ICE naming",
    "ice-command": "ICE command",
    "ice-writing": "ICE writing",
    "ice-attention": "ICE attention",
    "capd-total": "CAPD total",
    "blood-pressure": "blood pressure",
    "oxygen-device": "oxygen device",
    "oxygen-flow": "oxygen flow",
    "hypotension-support": "hypotension support",
    "seizure-duration": "seizure duration",
}
# Not inside a reference or a longer code.
_CODE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(_WORDS)})(?![\w/-])")
_SPAN = re.compile(r"(\d+)-(\d+)")


def text(sentence: str) -> str:
    """The sentence with its codes as words."""
    return _CODE.sub(lambda found: _WORDS[found[0]], sentence)


def missing(one: Missing) -> Missing:
    """The same with its reason in words."""
    return Missing(one.fact, text(one.reason))


def state(value: ToxicityState) -> ToxicityState:
    """The same with every span of scores as "4 to 10", in levels and values, and no code."""
    return msgspec.structs.replace(
        value,
        axes={key: AxisState(_span(axis.level), _all(axis)) for key, axis in value.axes.items()},
        missing=tuple(missing(one) for one in value.missing),
    )


def _all(axis: AxisState) -> tuple[Evidence, ...]:
    return tuple(
        msgspec.structs.replace(one, value=_span(one.value), note=text(one.note))
        for one in axis.evidence
    )


def _span(value: str) -> str:
    found = _SPAN.fullmatch(value)
    return value if found is None else f"{found[1]} to {found[2]}"
