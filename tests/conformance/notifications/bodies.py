"""Bodies of notifications, as small as they can be, with made-up data."""

from typing import Any


Json = dict[str, Any]


def observation(version: str = "1", patient: str = "p1", **members: object) -> Json:
    """One version of Observation/o1."""
    return {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": version},
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        **members,
    }


def notification(
    number: int | None,
    *,
    kind: str = "event-notification",
    total: int | None = None,
    status: str = "active",
    focus: str = "Observation/o1",
    stamp: str = "",
    of: str = "Subscription/s1",
) -> Json:
    """A Backport notification in the form of R4; its time stamp tells a restart's events apart."""
    parameters: list[Json] = [
        {"name": "subscription", "valueReference": {"reference": of}},
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": kind},
    ]
    total = number if total is None else total
    if total is not None:
        name = "events-since-subscription-start"
        parameters.append({"name": name, "valueString": str(total)})
    if number is not None:
        moment = stamp or f"2026-11-21T11:{number % 60:02}:00Z"
        part: list[Json] = [
            {"name": "event-number", "valueString": str(number)},
            {"name": "timestamp", "valueInstant": moment},
            {"name": "focus", "valueReference": {"reference": focus}},
        ]
        parameters.append({"name": "notification-event", "part": part})
    status_entry = {"resource": {"resourceType": "Parameters", "parameter": parameters}}
    made = {"resourceType": "Bundle", "type": "history", "entry": [status_entry]}
    return made | ({"timestamp": stamp} if stamp else {})


def heartbeat(total: int, stamp: str = "2026-11-21T11:00:00Z") -> Json:
    """A heartbeat after so many events."""
    return notification(None, kind="heartbeat", total=total, stamp=stamp)
