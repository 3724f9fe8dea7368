"""A CDS Hooks 2.0 feedback body and what it means; stores nothing and logs nothing.

Items are independent of each other: what cannot be read is named by its field, the rest counts.
No text repeats a value: a comment may hold health information.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from cds.body_limits import refuse_unbounded
from cds.errors import BadHookRequest, TooLarge, operation_outcome
from cds.store.rows import FeedbackRow, Outcome, Reason


MAX_ITEMS = 1000
MAX_NAME = 255  # characters of an id or a code
MAX_COMMENT = 16 * 1024
# Epic's own build of reasons arrives as an extension of the override reason.
_EPIC = "com.epic.cdshooks.feedback.overrideReason."
EPIC_CATEGORY = f"{_EPIC}reasonCategory"
_EPIC_WORDS = (f"{_EPIC}reasonDisplay", f"{_EPIC}reasonTitle")
# RFC 3339, section 5.6; fractions beyond a microsecond are dropped.
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_ABSENT = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_FEEDBACK = "feedback"


class Feedback(Struct, frozen=True, kw_only=True):
    """One outcome of one card, as its user left it at `at` (UTC)."""

    card: str
    outcome: Outcome
    at: datetime
    suggestions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    comment: str = ""


class Batch(Struct, frozen=True):
    """One body: the items that can be used, and for each other one where and why it cannot."""

    items: tuple[Feedback, ...]
    refused: tuple[BadHookRequest, ...] = ()


class _Body(Struct):
    feedback: list[Raw]


class _Suggestion(Struct):
    id: str


class _Coding(Struct):
    code: str
    system: str | None = None
    display: str | None = None


class _Override(Struct, rename="camel"):
    reason: _Coding | None = None
    user_comment: str | None = None
    extension: dict[str, Any] | None = None


class _Item(Struct, rename="camel"):
    """Unknown members and `extension` are tolerated, null is as good as absent."""

    card: str
    outcome: str
    outcome_timestamp: str
    accepted_suggestions: list[_Suggestion] | None = None
    override_reason: _Override | None = None
    override_reasons: _Override | list[_Override] | None = None  # Epic's spelling


def parse_feedback(body: bytes) -> Batch:
    """The items of a feedback body. Raises `BadHookRequest` or `TooLarge` where there are none."""
    refuse_unbounded(body)
    try:
        found = msgspec.json.decode(body, type=_Body).feedback
    except msgspec.ValidationError:
        raise BadHookRequest("is required and must be an array", field=_FEEDBACK) from None
    except msgspec.DecodeError:
        raise BadHookRequest("the body is not JSON") from None
    if not found:
        raise BadHookRequest("must not be empty", field=_FEEDBACK)
    if len(found) > MAX_ITEMS:
        raise TooLarge(f"more than {MAX_ITEMS} items in one body", field=_FEEDBACK)
    items: list[Feedback] = []
    refused: list[BadHookRequest] = []
    for position, raw in enumerate(found):
        try:
            items.append(_item(raw))
        except BadHookRequest as problem:
            field = f"{_FEEDBACK}[{position}]{problem.field}"
            refused.append(BadHookRequest(problem.message, field=field))
    return Batch(tuple(items), tuple(refused))


def status(batch: Batch) -> HTTPStatus:
    """200 as soon as one item was usable, else 400.

    The specification names no status. Sending a batch again cannot mend its bad items, and a
    client that drops a refused batch would lose the good ones: so these are kept, the others named.
    """
    return HTTPStatus.OK if batch.items else HTTPStatus.BAD_REQUEST


def outcome(batch: Batch) -> dict[str, Any] | None:
    """An OperationOutcome with one issue per refused item, or None when all were taken."""
    if not batch.refused:
        return None
    issues = [issue for bad in batch.refused for issue in _issues(bad)]
    return {"resourceType": "OperationOutcome", "issue": issues}


def rows(batch: Batch, *, site: str, service: str) -> tuple[FeedbackRow, ...]:
    """What `Store.add_feedback` keeps, for the site that the caller proved to be."""
    return tuple(
        FeedbackRow(
            site=site,
            service=service,
            card=item.card,
            outcome=item.outcome,
            at=item.at,
            suggestions=item.suggestions,
            reasons=item.reasons,
            comment=item.comment,
        )
        for item in batch.items
    )


def _item(raw: Raw) -> Feedback:
    try:
        item = msgspec.json.decode(raw, type=_Item)
    except msgspec.ValidationError as error:
        raise _unreadable(error) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadHookRequest("is not JSON") from None
    card = _name(item.card, ".card")
    at = _moment(item.outcome_timestamp)
    if item.outcome == "accepted":
        return Feedback(card=card, outcome="accepted", at=at, suggestions=_accepted(item))
    if item.outcome != "overridden":
        raise BadHookRequest("must be accepted or overridden", field=".outcome")
    overrides = tuple(_overrides(item))
    return Feedback(
        card=card,
        outcome="overridden",
        at=at,
        reasons=tuple(reason for at, one in overrides for reason in _reasons(one, at)),
        comment="\n".join(text for at, one in overrides if (text := _comment(one, at))),
    )


def _accepted(item: _Item) -> tuple[str, ...]:
    """CDS Hooks 2.0, "Suggestion accepted": required, one or more."""
    at = ".acceptedSuggestions"
    if not item.accepted_suggestions:
        raise BadHookRequest("is required with the outcome accepted", field=at)
    return tuple(
        _name(one.id, f"{at}[{position}].id")
        for position, one in enumerate(item.accepted_suggestions)
    )


def _overrides(item: _Item) -> Iterable[tuple[str, _Override]]:
    if item.override_reason is not None:
        yield ".overrideReason", item.override_reason
    several = item.override_reasons
    if isinstance(several, _Override):
        yield ".overrideReasons", several
    for position, one in enumerate(several if isinstance(several, list) else ()):
        yield f".overrideReasons[{position}]", one


def _reasons(override: _Override, at: str) -> Iterable[Reason]:
    """The Coding, and the reason that Epic builds itself beside or instead of it."""
    coding = override.reason
    if coding is not None:
        yield Reason(
            _name(coding.code, f"{at}.reason.code"),
            _name(coding.system, f"{at}.reason.system") if coding.system else "",
            _words(coding.display or "", f"{at}.reason.display"),
        )
    epic = {k: str(v) for k, v in (override.extension or {}).items() if isinstance(v, str | int)}
    words = next((epic[name] for name in _EPIC_WORDS if epic.get(name)), "")
    code = epic.get(EPIC_CATEGORY) or words
    if code:
        where = f"{at}.extension"
        yield Reason(_name(code, where), EPIC_CATEGORY, _words(words, where))


def _comment(override: _Override, at: str) -> str:
    return _words(override.user_comment or "", f"{at}.userComment", MAX_COMMENT)


def _name(value: str, at: str) -> str:
    """An id or a code: short, and safe to print in a table."""
    if not value or len(value) > MAX_NAME or not value.isprintable():
        raise BadHookRequest(f"must be 1 to {MAX_NAME} printable characters", field=at)
    return value


def _words(value: str, at: str, longest: int = MAX_NAME) -> str:
    """Free text; NUL, which no database text can hold, is replaced."""
    if len(value) > longest:
        raise BadHookRequest(f"is longer than {longest} characters", field=at)
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _moment(text: str) -> datetime:
    match = _RFC3339.fullmatch(text)
    if match is not None:
        day, time, fraction, zone = match.groups()
        zone = "+00:00" if zone in "Zz" else zone
        try:
            found = datetime.fromisoformat(f"{day}T{time}.{(fraction or '0'):0<6.6}{zone}")
            return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise BadHookRequest("must be an RFC 3339 time with its offset", field=".outcomeTimestamp")


def _unreadable(error: msgspec.ValidationError) -> BadHookRequest:
    """The decoder's words name types and members of ours, and the path; never a value."""
    said = str(error)
    match = _PATH.search(said)
    path = match["path"] if match else ""
    absent = _ABSENT.match(said)
    if absent is not None:
        return BadHookRequest("is required", field=f"{path}.{absent['name']}")
    return BadHookRequest(_PATH.sub("", said).replace("`", ""), field=path)


def _issues(problem: BadHookRequest) -> Iterable[Any]:
    return cast("list[Any]", operation_outcome(problem)["issue"])
