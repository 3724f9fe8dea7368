"""Launches from the first visit to the last: begun, answered, used, derived, over.

Everything of a launch is in the store, sealed with the secret that only the browser has: any
replica serves any request. Knows no page, and of a cookie only the secret in it.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import asdict, replace

from cds.clock import Clock
from cds.config import Site
from cds.smart.context import Context
from cds.smart.guarding.problem import Kind, Problem
from cds.smart.guarding.renewing import Derived, Refresher, Renewing
from cds.smart.guarding.sealing import digest, fits, new_secret, seal, unseal
from cds.smart.oauth import Asked, Granted, LaunchRefused, Pending
from cds.store.launches import Launches, LaunchRow, Stage


LONGEST_ASKED = timedelta(minutes=30)  # for somebody to sign in and to choose a patient
LONGEST_ANSWERING = timedelta(minutes=1)  # whoever talks to the server for longer is not there
LONGEST_OPEN = timedelta(hours=12)
MOST = 8  # launches in one browser
_CROWD = 4 * MOST  # more cookies than that are too much for a request
_KEPT = timedelta(days=1)  # so long a page can still say that its session is over
_TOUCHED = timedelta(minutes=1)
_OPEN: tuple[Stage, ...] = ("open", "refreshing")
_PATIENT = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Client(Refresher, Protocol):
    """Who talks to the authorization servers."""

    def begin(self, site: Site, *, launch: str | None, launch_id: str, redirect_uri: str) -> Asked:
        """Where to send the browser. Raises `LaunchRefused`."""
        ...

    def finish(self, site: Site, pending: Pending, args: Mapping[str, list[str]]) -> Granted:
        """What came of it, from the arguments of the callback. Raises `LaunchRefused`."""
        ...


class Begun(Struct, frozen=True):
    """A new launch: its id, the secret for the browser, and where the browser goes now."""

    launch: str
    secret: str
    url: str = ""


class Sessions:
    """The launches of the sites in `sites`. Every method may raise `StoreDown`."""

    def __init__(
        self,
        launches: Launches,
        client: Client,
        clock: Clock,
        *,
        sites: Mapping[str, Site],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._launches = launches
        self._client = client
        self._clock = clock
        self._sites = sites
        self._renewing = Renewing(launches, client, clock, sleep=sleep)

    def begin(self, site: Site, *, launch: str | None, redirect_uri: str) -> Begun:
        """A launch that asks for authorization. `launch`: the EHR's; None: standalone.

        Raises `LaunchRefused`.
        """
        id_, secret = secrets.token_hex(16), new_secret()
        asked = self._client.begin(site, launch=launch, launch_id=id_, redirect_uri=redirect_uri)
        now = self._clock()
        self._launches.prune(now - _KEPT)
        sealed = seal(asked.pending, secret, id_)
        self._launches.begin(
            _row(id_, site.id, "asked", secret, sealed, now=now, ends_at=now + LONGEST_ASKED)
        )
        return Begun(id_, secret, asked.url)

    def seen(self, launch: str) -> LaunchRow | None:
        """The launch with this id, in whatever stage; says nothing about who asks."""
        return self._launches.get(launch)

    def site(self, row: LaunchRow | None) -> Site | None:
        """The site of a launch, as long as it offers the app."""
        found = None if row is None else self._sites.get(row.site)
        return found if found is not None and found.smart is not None else None

    def answered(self, row: LaunchRow, secret: str, args: Mapping[str, list[str]]) -> None:
        """The browser came back: from now on the launch is open. Only the first visit counts.

        Raises `Problem` ("no-sign-in", "answering"), and `LaunchRefused`, after which it is over.
        """
        site, now = self.site(row), self._clock()
        pending = unseal(row.sealed, secret, row.id, Pending)
        if site is None or pending is None or row.ends_at <= now:
            raise Problem("no-sign-in")
        mine = replace(row, stage="answering", touched_at=now)
        if row.stage != "asked" or not self._launches.change(row, mine):
            raise Problem(_under_way(row, now))
        try:
            granted = self._client.finish(site, pending, args)
        except LaunchRefused:
            self._launches.end({row.id})
            raise
        context = _context(row.id, site.id, granted)
        sealed = seal(context, secret, row.id)
        opened = replace(mine, stage="open", sealed=sealed, ends_at=now + LONGEST_OPEN)
        if not self._launches.change(mine, opened):
            raise Problem("no-sign-in")

    def is_open(self, row: LaunchRow, secret: str) -> bool:
        """Whether it was answered before, for the browser with this secret."""
        return row.stage in _OPEN and fits(secret, row.secret_sha256)

    def find(self, row: LaunchRow | None, secret: str | None, *, used: bool) -> Context:
        """Who is looking at whom. `used`: by a person; a page that renews itself is not.

        Raises `Problem` ("no-session", "answering", "no-sign-in", "idle", "over", and what
        `Renewing` raises), `LaunchRefused`.
        """
        site = self.site(row)
        if row is None or site is None or site.smart is None or secret is None:
            raise Problem("no-session")
        if not fits(secret, row.secret_sha256) or row.stage == "asked":
            raise Problem("no-session")
        idle, now = timedelta(minutes=site.smart.idle_minutes), self._clock()
        if row.stage == "answering":
            raise Problem(_under_way(row, now))
        if row.stage == "ended":
            raise Problem("over")
        if now >= row.ends_at:
            self.end(row.id)
            raise Problem("over")
        if now - row.touched_at >= idle:
            self.end(row.id)
            raise Problem("idle")
        context = self._renewing.fresh(row, site, secret)
        if isinstance(context, Derived) and not self._is_signed_in(context.parent):
            self.end(row.id)
            raise Problem("over")
        if used and now - row.touched_at >= min(_TOUCHED, idle / 10):
            for launch in {row.id, _sign_in(context)}:
                self._launches.touch(launch, now)
        return context

    def derive(self, context: Context, patient: str) -> Begun:
        """The same user and token with another patient, as a launch of its own.

        It is over as soon as the launch is that the user signed in with, however that ended, and
        when the token is: only one of the two may renew it. While it is used, so is that launch.
        Raises `Problem` ("over", "bad-request").
        """
        if not _PATIENT.fullmatch(patient):
            raise Problem("bad-request")
        parent = self._launches.get(context.launch)
        if parent is None or parent.stage not in _OPEN:
            raise Problem("over")
        id_, secret, now = secrets.token_hex(16), new_secret(), self._clock()
        changes = {
            "launch": id_,
            "patient": patient,
            "csrf": secrets.token_urlsafe(32),
            "encounter": "",
            "refresh_token": "",
            "parent": _sign_in(context),
        }
        derived = Derived(**(asdict(context) | changes))
        self._launches.touch(derived.parent, now)  # what was not used for longest makes room
        sealed = seal(derived, secret, id_)
        self._launches.begin(
            _row(id_, context.site, "open", secret, sealed, now=now, ends_at=parent.ends_at)
        )
        return Begun(id_, secret)

    def _is_signed_in(self, launch: str) -> bool:
        row = self._launches.get(launch)
        return row is not None and row.stage in _OPEN

    def end(self, launch: str) -> None:
        """It is over; what it held is gone, and what was derived from it opens no more."""
        self._launches.end({launch})

    def make_room(self, held: Mapping[str, str], *, stays: str = "") -> frozenset[str]:
        """Room for one more in a browser that holds these secrets by launch: whose cookies go.

        Those of launches that are over, and of those beyond the most: what was never answered
        first, then what was not used for longest. They are over then. `stays`: the one in use.
        What is not known here may be of another service of this host: it goes only from a crowd.
        """
        now = self._clock()
        known = self._launches.of(held)
        mine = [
            row
            for row in known
            if row.stage != "ended" and row.ends_at > now and fits(held[row.id], row.secret_sha256)
        ]
        # A stable sort: among the others the one used last is first.
        mine.sort(key=lambda row: (row.id != stays, row.stage == "asked"))
        beyond = {row.id for row in mine[MOST - 1 :]}
        if beyond:
            self._launches.end(beyond)
        candidates = held if len(held) > _CROWD else {row.id for row in known}
        return frozenset(candidates) - {row.id for row in mine[: MOST - 1]}


def _sign_in(context: Context) -> str:
    """The launch that the user signed in with."""
    return context.parent if isinstance(context, Derived) else context.launch


def _row(
    id_: str,
    site: str,
    stage: Stage,
    secret: str,
    sealed: bytes,
    *,
    now: datetime,
    ends_at: datetime,
) -> LaunchRow:
    return LaunchRow(
        id=id_,
        site=site,
        stage=stage,
        secret_sha256=digest(secret),
        sealed=sealed,
        touched_at=now,
        ends_at=ends_at,
    )


def _under_way(row: LaunchRow, now: datetime) -> Kind:
    """Why a launch that was asked for is not answered, and may never be."""
    gone = row.stage == "answering" and now - row.touched_at > LONGEST_ANSWERING
    return "no-sign-in" if gone else "answering"


def _context(launch: str, site: str, granted: Granted) -> Context:
    return Context(
        launch=launch,
        site=site,
        patient=granted.patient,
        user=granted.user,
        csrf=secrets.token_urlsafe(32),
        access_token=granted.access_token,
        expires_at=granted.expires_at,
        scopes=granted.scopes,
        encounter=granted.encounter,
        refresh_token=granted.refresh_token,
        banner=granted.banner,
    )
