"""Which of several versions of one resource counts; it reads nothing else of a resource."""

from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar

from fhir_mapping.bundles import Page
from fhir_mapping.notes import Notes
from fhir_mapping.resources import Resource
from fhir_mapping.times import instant


R = TypeVar("R", bound=Resource)
Met: TypeAlias = tuple[R, Page, int]
_LONGEST_VERSION = 9  # digits
# How far a resource has come, where nothing else says which version is the newer.
_LIFE = ("registered", "preliminary", "in-progress", "final", "completed", "amended", "corrected")
_ENDED = ("cancelled", "stopped", "not-done", "entered-in-error")
_STAGES = {status: stage for stage, status in enumerate((*_LIFE, *_ENDED), start=1)}


class Versions(Generic[R]):
    """The newest version of each resource of one type; what has no id is one of its own."""

    def __init__(self) -> None:
        self.newest: dict[object, Met[R]] = {}
        self._undecided: dict[object, list[Met[R]]] = {}

    def add(self, resource: R, page: Page, index: int, notes: Notes) -> None:
        """Put it in unless a newer version is there.

        Of two contents with nothing to tell which is the newer, both are used, and that is said.
        """
        key: object = resource.id or (page.name, index)
        known = self.newest.get(key)
        order = 1 if known is None else compare(resource, known[0])
        if order > 0:
            self.newest[key] = (resource, page, index)
            self._undecided.pop(key, None)
        elif order == 0 and known is not None:
            others = self._undecided.setdefault(key, [])
            if all(resource != one[0] for one in (known, *others)):
                others.append((resource, page, index))
                name = f"{type(resource).__name__}/{resource.id}"
                text = f"{name} came with two contents and no version: both are used."
                notes.notice("versions-undecided", text)

    def all(self) -> Iterator[Met[R]]:
        """Every resource that counts, with its page and its place there."""
        yield from self.newest.values()
        for others in self._undecided.values():
            yield from others


def compare(one: Resource, other: Resource) -> int:
    """Above 0: `one` is newer; below: `other` is; 0: nothing says which.

    By version number, else by time of update, else by who says either, else by status.
    """
    mine, theirs = _version(one), _version(other)
    if mine is not None and theirs is not None and mine != theirs:
        return mine - theirs
    updated, before = _updated(one), _updated(other)
    if updated is not None and before is not None and updated != before:
        return 1 if updated > before else -1
    said = (mine is not None or updated is not None) - (theirs is not None or before is not None)
    return said or _stage(one) - _stage(other)


def _version(resource: Resource) -> int | None:
    text = (resource.meta.version_id if resource.meta is not None else None) or ""
    plain = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_VERSION
    return int(text) if plain else None


def _updated(resource: Resource) -> float | None:
    text = resource.meta.last_updated if resource.meta is not None else None
    at = instant(text) if text else None
    return at.timestamp() if at is not None else None


def _stage(resource: Resource) -> int:
    return _STAGES.get(getattr(resource, "status", None) or "", 0)
