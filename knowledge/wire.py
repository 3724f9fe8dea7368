"""The base of every value that goes on the wire."""

from msgspec import Struct


class Wire(Struct, frozen=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """Base of every value that goes on the wire: camelCase, empty members omitted."""
