"""A notification as rows of the inbox: each names a patient, a resource, or everybody; pure."""

from collections.abc import Callable, Sequence
from datetime import datetime

from cds.notifications.counting import Counted
from cds.notifications.model import Change, Notification
from cds.store.rows import SubscriptionRow, WakeUp


Fresh = Callable[[], str]  # a name that was never given before


def wake_ups(
    notification: Notification, row: SubscriptionRow, *, now: datetime, fresh: Fresh
) -> tuple[WakeUp, ...]:
    """One for each patient that a change names, and for the patient of the subscription itself."""
    return tuple(
        wake_up
        for change in notification.changes
        for wake_up in _of_change(change, row, now, change.key or f"new/{fresh()}")
    )


def everybody(row: SubscriptionRow, event: str, now: datetime) -> WakeUp:
    """The patient of the subscription; of one without a patient, every watched one of the site."""
    return WakeUp(site=row.site, source=row.id, event=event, received_at=now, patient=row.patient)


def catch_up(
    counted: Counted, row: SubscriptionRow, *, mark: str, now: datetime
) -> tuple[WakeUp, ...]:
    """For what did not come. `mark`: of the notification that showed it; numbers come again."""
    if counted.restarted:
        return (everybody(row, f"restart/{mark}", now),)
    if counted.gaps:
        first, last = counted.gaps[0][0], counted.gaps[-1][1]
        return (everybody(row, f"gap/{first}-{last}/{mark}", now),)
    return ()


def _of_change(change: Change, row: SubscriptionRow, now: datetime, key: str) -> Sequence[WakeUp]:
    patients = list(change.patients)
    if row.patient not in patients and (row.patient or not patients):
        patients.append(row.patient)
    return [
        WakeUp(
            site=row.site,
            source=row.id,
            event=key if at == 0 else f"{key}/{at}",
            received_at=now,
            patient=patient,
            ref=change.ref,
        )
        for at, patient in enumerate(patients)
    ]
