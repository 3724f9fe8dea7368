"""Collects what could not be used while the facts are read; it must not decide what that means."""

from knowledge.facts import Missing, Notice, Unreadable, Unusable


class Notes:
    """What mapping rejected, each thing once, in the order met."""

    def __init__(self) -> None:
        self._missing: dict[Missing, None] = {}
        self._notices: dict[Notice, None] = {}
        self._unreadable: dict[Unreadable, None] = {}
        self._unusable: dict[Unusable, None] = {}

    def missing(self, fact: str, reason: str) -> None:
        """A fact that is not known, and why."""
        self._missing[Missing(fact, reason)] = None

    def notice(self, code: str, text: str) -> None:
        """Something to know beside a fact that is used."""
        self._notices[Notice(code, text)] = None

    def unreadable(self, at: str, reason: str) -> None:
        """A part of the request that was not used, by its place."""
        self._unreadable[Unreadable(at, reason)] = None

    def rejected(self, fact: str, at: str, reason: str) -> None:
        """A value that was there and is not used: named as missing and by its place."""
        self.missing(fact, reason)
        self.unreadable(at, reason)

    def unusable(self, value: Unusable) -> None:
        """A charted value that was rejected: newer than the last good one, it leaves doubt."""
        self._unusable[value] = None

    @property
    def all_unusable(self) -> tuple[Unusable, ...]:
        """Rejected values so far, oldest first."""
        return tuple(sorted(self._unusable, key=lambda one: (one.at, one.evidence.ref)))

    @property
    def all_missing(self) -> tuple[Missing, ...]:
        """Facts not known so far."""
        return tuple(self._missing)

    @property
    def all_notices(self) -> tuple[Notice, ...]:
        """Notices so far."""
        return tuple(self._notices)

    @property
    def all_unreadable(self) -> tuple[Unreadable, ...]:
        """Parts not used so far."""
        return tuple(self._unreadable)
