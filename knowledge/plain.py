"""Numbers as texts show them; it rounds nothing that is compared."""

from decimal import ROUND_DOWN, Decimal


_TENTH = Decimal("0.1")


def plain(value: Decimal) -> str:
    """The number without exponent and trailing zeros."""
    return f"{value.normalize():f}"


def tenths(value: Decimal) -> str:
    """The number cut to one decimal: a text never reaches a limit that the value does not."""
    return plain(value.quantize(_TENTH, rounding=ROUND_DOWN))
