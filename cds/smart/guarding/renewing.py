"""Keeps the access token of an open launch good; one request at a time spends a refresh token.

A refresh token may be good for one use (RFC 6749 6), so who renews says so in the store first; the
others wait for what comes of it. To renew is no use of a launch: it keeps nobody's session open.
Knows no cookie and no page.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from cds.clock import Clock
from cds.config import Site
from cds.smart.context import Context
from cds.smart.guarding.problem import Problem
from cds.smart.guarding.sealing import seal, unseal
from cds.smart.oauth import Granted, LaunchRefused
from cds.store.launches import Launches, LaunchRow


SOON = timedelta(seconds=60)  # what is left of a token when it is renewed
LEASE = timedelta(seconds=30)  # whoever renews for longer than that is not there any more
_PAUSE_SECONDS = 0.1
_PAUSES = 100


class Derived(Context, frozen=True, kw_only=True):
    """A launch opened from another one. `parent`: the launch of the sign-in it goes back to."""

    parent: str


class Refresher(Protocol):
    """Who asks the authorization server."""

    def refresh(self, site: Site, context: Context) -> Granted:
        """New rights for the refresh token. Raises `LaunchRefused`."""
        ...


class Renewing:
    """For the launches of every site. `sleep`: for so many seconds."""

    def __init__(
        self,
        launches: Launches,
        client: Refresher,
        clock: Clock,
        *,
        sleep: Callable[[float], None],
    ) -> None:
        self._launches = launches
        self._client = client
        self._clock = clock
        self._sleep = sleep

    def fresh(self, row: LaunchRow | None, site: Site, secret: str) -> Context:
        """What the launch holds, with a token that is good now; the row may be an older reading.

        Raises `Problem` ("no-session", "over", "token-over", "busy"), `LaunchRefused` where the
        token is over and is not renewed, `StoreDown`.
        """
        for _ in range(_PAUSES):
            if row is None or row.stage not in ("open", "refreshing"):
                raise Problem("over")
            context = _opened(row, secret)
            if context is None:
                raise Problem("no-session")
            now = self._clock()
            if row.stage == "open" and not self._to_renew(context):
                return context
            if row.stage == "open" or now - row.touched_at > LEASE:
                mine = replace(row, stage="refreshing", touched_at=now)
                if self._launches.change(row, mine):
                    # Of who vanished it is not known when the launch was used before.
                    return self._renew(mine, site, secret, context, used_at=row.touched_at)
            else:
                self._sleep(_PAUSE_SECONDS)
            row = self._launches.get(row.id)
        raise Problem("busy")

    def _to_renew(self, context: Context) -> bool:
        left = context.expires_at - self._clock()
        if context.refresh_token:
            return left < SOON
        if left <= timedelta(0):
            raise Problem("token-over")
        return False

    def _renew(
        self, mine: LaunchRow, site: Site, secret: str, context: Context, *, used_at: datetime
    ) -> Context:
        try:
            granted = self._client.refresh(site, context)
        except LaunchRefused as refused:
            if refused.kind == "patient-mismatch":
                self._launches.end({mine.id})
                raise
            self._launches.change(mine, replace(mine, stage="open", touched_at=used_at))
            if context.expires_at > self._clock():
                return context
            raise
        renewed = replace(
            context,
            access_token=granted.access_token,
            expires_at=granted.expires_at,
            scopes=granted.scopes,
            refresh_token=granted.refresh_token or context.refresh_token,
        )
        sealed = seal(renewed, secret, mine.id)
        opened = replace(mine, stage="open", sealed=sealed, touched_at=used_at)
        if not self._launches.change(mine, opened):
            raise Problem("over")  # left meanwhile
        return renewed


def _opened(row: LaunchRow, secret: str) -> Context | None:
    return unseal(row.sealed, secret, row.id, Context) or unseal(
        row.sealed, secret, row.id, Derived
    )
