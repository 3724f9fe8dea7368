"""Conditions on the next dose, joined over toxicities: what any row requires stays required."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from knowledge.treatment import NextDose, Resolved, Strength


def join(conditions: Iterable[NextDose]) -> NextDose | None:
    """The conditions of several rows together; of two values for one field the stricter stays."""
    joined: NextDose | None = None
    for condition in conditions:
        joined = condition if joined is None else _join(joined, condition)
    return joined


def _join(first: NextDose, second: NextDose) -> NextDose:
    fields: dict[str, Any] = {}
    for name in NextDose.__struct_fields__:
        one, other = getattr(first, name), getattr(second, name)
        fields[name] = one if other is None else other if one is None else _stricter(one, other)
    return NextDose(**fields)


def _stricter(one: Any, other: Any) -> Any:
    if isinstance(one, Strength):
        return max(one, other, key=_strength)
    if isinstance(one, Resolved):
        return max(one, other, key=lambda r: (r.hours, r.strict))
    return one


def _strength(value: Strength) -> tuple[bool, Decimal]:
    return value.strength == "required", value.hours or Decimal(0)
