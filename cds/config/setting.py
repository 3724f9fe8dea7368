"""What the tables of settings are made of: one setting, or settings in tables of their own."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from cds.config.kinds import TEXT, Kind


class _Required(Struct, frozen=True):
    """No default: the setting has to be there."""


REQUIRED = _Required()


class Setting(Struct, frozen=True, kw_only=True):
    """One setting. `default` is written as in the file; None: absent unless set.

    `absent`: what it is then. `member`: what the frozen value calls it, where that is another
    name. `environ`: the variable that replaces it.
    """

    name: str
    kind: Kind
    says: str
    default: Any = REQUIRED
    absent: Any = None
    member: str = ""
    environ: str = ""


class Tables(Struct, frozen=True, kw_only=True):
    """Settings in tables of their own: each by an id, a list, one of overrides, or `one` or none.

    `make` builds the value of one table; `named`: what an id may be.
    """

    name: str
    shape: Literal["by-id", "list", "overrides", "one"]
    settings: tuple["Setting | Tables", ...]
    make: Callable[..., Any]
    says: str
    named: Kind = TEXT
    member: str = ""
