"""What can go wrong with the store and its spool; no text of a driver, which may hold a value."""

from typing import ClassVar, Literal

from cds.errors import ServiceError


# A closed list: these words go to logs and metrics.
Cause = Literal["locked", "full", "gone", "read-only", "damaged", "not-migrated", "unreachable"]


class StoreDown(ServiceError):
    """The database cannot be used now; `cause` is one of a closed list. Nothing was stored."""

    code = "store-down"
    status = 503
    issue = "transient"
    spec_url: ClassVar[str] = (
        "https://www.rfc-editor.org/rfc/rfc9110.html#name-503-service-unavailable"
    )

    def __init__(self, cause: Cause) -> None:
        super().__init__("the store cannot be used now; try again later")
        self.cause: Cause = cause


class StoreRefused(ServiceError):
    """The database works and does not take this row: a fault of ours, and no reason to retry."""

    code = "store-refused"
    status = 500


class SpoolDown(ServiceError):
    """The spool folder cannot be written either: the decision is recorded nowhere."""

    code = "spool-down"
    status = 503
    issue = "transient"
    spec_url: ClassVar[str] = StoreDown.spec_url


class SpoolFull(SpoolDown):
    """The spool has reached its limit: somebody must look before more is put there."""

    code = "spool-full"


class AnotherWorker(ServiceError):
    """An SQLite store has one worker process, and it is another one."""

    code = "another-worker"
    status = 409


class BackupFailed(ServiceError):
    """A backup was not made or not put back; `message` says why, without a value. For operators."""

    code = "backup-failed"
    status = 500


class ChainBroken(ServiceError):
    """What is kept is not what was kept; `message` says how often. For operators."""

    code = "chain-broken"
    status = 500
