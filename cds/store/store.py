"""The store: everything is committed before a call returns; decides nothing and reads no clock.

Shared by threads and processes. `StoreDown` means that nothing of the call was kept.
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, insert

from cds.store import chain, statements
from cds.store.decisions import acknowledgement, insert_decision
from cds.store.engine import WAIT_SECONDS, Synchronous, open_engine, reading, writing
from cds.store.errors import StoreDown
from cds.store.rows import CardRow, DecisionRow, FeedbackRow, InputRef
from cds.store.tables import acknowledgements, feedback, jwt_ids


PATIENT_SECONDS = 5.0  # behind the writers of this process
HASTY_SECONDS = 0.02  # for a lock that another call has just waited for in vain
_BATCH = 500
_PRUNED_BY = "00"  # one JWT id in 256, by its digest, also clears away those that are over


def open_store(url: str, *, wait: float = WAIT_SECONDS) -> "Store":
    """The store at an SQLAlchemy URL; connects when it is used. `wait`: seconds, for a lock.

    Raises `ValueError` for a URL of another kind; a database that is down raises nothing yet.
    """
    return Store(open_engine(url, wait=wait))


class Store:
    """Decisions, feedback, JWT ids and acknowledgements in one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._locked = False
        self._queue = threading.Lock()

    def ready(self) -> None:
        """Raises `StoreDown` unless a decision could be recorded now; records nothing."""
        with self._writing("NORMAL"):
            pass

    def close(self) -> None:
        """Give the connections back; the store can still be used afterwards."""
        self.engine.dispose()

    def record(self, decision: DecisionRow) -> None:
        """Keep a decision with its cards; a decision with an id that is there already stays."""
        with self._writing() as connection:
            insert_decision(connection, self.engine.dialect.name, decision)

    def add_feedback(self, rows: Sequence[FeedbackRow], now: datetime) -> None:
        """Keep feedback, each row once however often it is sent. `now`: when it was received.

        A card nobody knows is kept with a flag. A REMS card that was answered acknowledges its
        programme for the patient it was shown for, at the latest `now`.
        """
        with self._writing() as connection:
            # Sites in one order for all, or two calls could each wait for the other's.
            for site, group in groupby(sorted(rows, key=_site), key=_site):
                self._add(connection, site, tuple(group), now)

    def first_use(self, iss: str, jti: str, until: datetime, now: datetime) -> bool:
        """Whether nobody used this JWT id of this issuer before; atomic among all processes.

        It is remembered at least `until`, which is `exp` plus the leeway. Not forced to the disk
        by itself: the decision of the same call is, and takes this with it.
        """
        used = {"iss_sha256": _digest(iss), "jti_sha256": _digest(jti), "until": until}
        if _digest(jti).startswith(_PRUNED_BY):
            self.forget_jwt_ids(now)
        with self._writing("NORMAL") as connection:
            return connection.execute(self._once(jwt_ids), used).rowcount == 1

    def forget_jwt_ids(self, now: datetime) -> int:
        """Remove the ids of tokens that are over; returns how many."""
        with self._writing("NORMAL") as connection:
            return connection.execute(statements.forget_jwt_ids(now)).rowcount

    def acknowledged(
        self, site: str, patient: str, programs: Collection[str], since: datetime
    ) -> frozenset[str]:
        """Those of `programs` whose card was answered for this patient at or after `since`."""
        asked = {"site": site, "patient": patient, "programs": list(programs), "since": since}
        with reading(self.engine) as connection:
            return frozenset(connection.execute(statements.ACKNOWLEDGED, asked).scalars())

    def decisions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        knowledge: str | None = None,
        site: str | None = None,
        patient: str | None = None,
        ids: Collection[str] = (),
    ) -> Iterator[DecisionRow]:
        """Decisions by time. `knowledge`: made under this digest, or one that starts so.

        `since` is within, `until` is not. `ids`: only these.
        """
        wanted = statements.decisions_where(
            since=since, until=until, knowledge=knowledge, site=site, patient=patient, ids=ids
        )
        with reading(self.engine) as connection:
            found = connection.execution_options(yield_per=_BATCH).execute(wanted)
            for batch in found.mappings().partitions():
                ids = [row["id"] for row in batch]
                shown = connection.execute(statements.cards_of(ids)).mappings().all()
                for row in batch:
                    yield _decision(row, [card for card in shown if card["decision"] == row["id"]])

    @contextmanager
    def writing(
        self, synchronous: Synchronous = "FULL", *, patiently: bool = False
    ) -> Iterator[Connection]:
        """As `engine.writing`, for what no call waits for; queues with the writers of this process.

        `patiently`: a person waits for it, longer than a hook would for another process's lock.
        Raises `StoreDown`, `StoreRefused`.
        """
        wait = PATIENT_SECONDS if patiently else None
        with (
            self._turn(PATIENT_SECONDS),
            writing(self.engine, synchronous=synchronous, wait=wait) as connection,
        ):
            yield connection

    @contextmanager
    def _writing(self, synchronous: Synchronous = "FULL") -> Iterator[Connection]:
        """As `writing`; who was locked out does not wait long again, so that calls do not queue."""
        wait = HASTY_SECONDS if self._locked else None
        try:
            with (
                self._turn(wait),
                writing(self.engine, synchronous=synchronous, wait=wait) as connection,
            ):
                yield connection
        except StoreDown as down:
            self._locked = down.cause == "locked"
            raise
        self._locked = False

    @contextmanager
    def _turn(self, wait: float | None) -> Iterator[None]:
        """One writer of this process at a time where the database has but one: SQLite makes those
        who wait poll, and some give up; threads that queue do neither."""
        if self.engine.dialect.name != "sqlite":
            yield
            return
        if not self._queue.acquire(timeout=WAIT_SECONDS if wait is None else wait):
            raise StoreDown("locked")
        try:
            yield
        finally:
            self._queue.release()

    def _once(self, table: Any) -> Any:
        return statements.insert_once(table, self.engine.dialect.name)

    def _add(
        self, connection: Connection, site: str, rows: Sequence[FeedbackRow], now: datetime
    ) -> None:
        head = chain.take(connection, self.engine.dialect.name, site)
        wanted = statements.known_cards(site, {row.card for row in rows})
        known = connection.execute(wanted).all()
        uuids = {uuid for uuid, _, _ in known}
        every = [_feedback_values(row, row.card in uuids, now) for row in reversed(rows)]
        new = {values["id"]: values for values in every}  # of the same id, the first
        for there in connection.execute(statements.feedback_there(new)).scalars():
            del new[there]
        if new:
            connection.execute(insert(feedback), list(new.values()))
            chain.extend(connection, head, [chain.feedback_entry(one) for one in new.values()])
        told = [
            acknowledgement(site, patient, program, min(row.at, now), row.card)
            for row in rows
            for uuid, patient, program in known
            if uuid == row.card and program is not None
        ]
        if told:
            connection.execute(self._once(acknowledgements), told)


def _site(row: FeedbackRow) -> str:
    return row.site


def feedback_id(row: FeedbackRow) -> str:
    """The same for one outcome of one card at one time; two suggestions may share a second."""
    at = row.at.astimezone(UTC).isoformat()
    key = [row.site, row.card, row.outcome, at, *sorted(set(row.suggestions))]
    return _digest(_json(key))


def _feedback_values(row: FeedbackRow, known: bool, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.structs.asdict(row)
    values |= {"suggestions": _json(row.suggestions), "reasons": _json(row.reasons)}
    values |= {name: _storable(values[name]) for name in ("card", "comment")}
    return values | {"id": feedback_id(row), "known": known, "received_at": now}


def _storable(text: str) -> str:
    """PostgreSQL has no NUL in a text; what a user wrote is not refused for it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _decision(row: Any, shown: Sequence[Any]) -> DecisionRow:
    values = dict(row)
    values["rules"] = msgspec.json.decode(values["rules"], type=tuple[str, ...])
    values["inputs"] = msgspec.json.decode(values["inputs"], type=tuple[InputRef, ...])
    return DecisionRow(**values, cards=tuple(_card(card) for card in shown))


def _card(row: Any) -> CardRow:
    return CardRow(
        uuid=row["uuid"],
        topic=row["topic"],
        indicator=row["indicator"],
        suggestions=msgspec.json.decode(row["suggestions"], type=tuple[str, ...]),
        program=row["program"],
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
