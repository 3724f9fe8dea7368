"""Whether an answer is what must come; what is wrong, in words of ours. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from msgspec import Struct

from cds.canary.calling import Answer
from cds.canary.expected import Wanted


EXTENSION = "org.btce-cds.assessment"
_LONGEST = 40  # characters of a server's word that are repeated
_SKEW = 120.0  # seconds between two clocks, as in `doctor`; this project's own
_BETWEEN = "read the service's log, and check what stands between"
_SIGNED = "check --key and --issuer, public_url, and the clocks of both machines"
_FIRST = "have this looked into before anything else"
_RULES = "check the site's rules and codes, and its knowledge"
_CARDS = "check off_topics and off_rules of the site, and what stands between"
Json = Mapping[str, Any]


class Problem(NamedTuple):
    """What is wrong, and the next step."""

    wrong: str
    step: str


class Made(Struct, frozen=True, kw_only=True):
    """What an answer must have been made with: the digest of the knowledge, site and protocol.

    `live` False: the site shows no card, so that only the assessment beside them can be judged.
    """

    knowledge: str
    site: str
    protocol: str
    live: bool


class Asked(Struct, frozen=True):
    """Of whom a call was, and when it was sent."""

    patient: str
    at: datetime


def problems(wanted: Wanted, answer: Answer, made: Made, asked: Asked) -> Iterator[Problem]:
    """What is wrong with an answer; nothing: it is right, and an answer to this call."""
    if answer.trouble:
        yield Problem(answer.trouble, _BETWEEN)
        return
    if wanted.refused:
        yield from _not_refused(wanted, answer)
        return
    if answer.status != HTTPStatus.OK:
        step = _SIGNED if answer.status == HTTPStatus.UNAUTHORIZED else _BETWEEN
        yield Problem(f"HTTP {answer.status} instead of an answer", step)
        return
    found = _at(answer.body, "extension", EXTENSION)
    cards = answer.body.get("cards")
    if not isinstance(found, Mapping) or not isinstance(cards, list):
        yield Problem("the answer has no cards or no assessment", "check --url; " + _BETWEEN)
        return
    yield from _of_this_call(found, answer, made, asked)
    yield from _assessed(wanted, found, made)
    if not made.live:
        if cards:
            yield Problem("cards are shown at a site that is silent", _FIRST)
        return
    yield from _shown(wanted, cards)


def _not_refused(wanted: Wanted, answer: Answer) -> Iterator[Problem]:
    if answer.status != wanted.refused:
        yield Problem(f"HTTP {answer.status} instead of {wanted.refused}", _FIRST)
    if answer.body.get("cards") or _at(answer.body, "extension", EXTENSION) is not None:
        yield Problem("advice was given", _FIRST)


def _of_this_call(found: Json, answer: Answer, made: Made, asked: Asked) -> Iterator[Problem]:
    """A kept answer, or one about somebody else, is no evaluation of what was sent."""
    if found.get("patient") != f"Patient/{asked.patient}":
        yield Problem("the assessment is of another patient than the one that was sent", _FIRST)
    if found.get("site") != made.site or _at(found, "protocol", "id") != made.protocol:
        step = "check --site, and that the service runs with this configuration"
        yield Problem("another site or protocol answered than the configuration names", step)
    at = _instant(found.get("evaluatedAt"))
    ahead = None if at is None else (at - asked.at).total_seconds()
    if ahead is None:
        yield Problem("it does not say when it evaluated", _BETWEEN)
    elif not -_SKEW <= ahead <= answer.seconds + _SKEW:
        how = f"{abs(ahead):.0f} s {'after' if ahead > 0 else 'before'} the call"
        step = "let both machines take the time from a time server; " + _BETWEEN
        yield Problem(f"evaluated {how}: a wrong clock, or an answer that was kept", step)


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _assessed(wanted: Wanted, found: Json, made: Made) -> Iterator[Problem]:
    digest = _at(found, "knowledge", "sha256")
    if digest != made.knowledge:
        wrong = f"knowledge {_short(digest, 12)} instead of {made.knowledge[:12]}"
        yield Problem(wrong, "compare approved_knowledge with what is installed on both machines")
    mode = found.get("mode")
    if mode != ("live" if made.live else "silent"):
        wrong = f"the site is {_short(mode)}, not {'live' if made.live else 'silent'} as configured"
        yield Problem(wrong, "check mode and approved_knowledge of the site")
    for scale, grade in wanted.grades.items():
        found_grade = _at(found, scale, "grade")
        if found_grade != {"atLeast": grade, "atMost": grade}:
            yield Problem(f"{scale} grade {_range(found_grade)} instead of {grade}", _RULES)
    action = _at(found, "disposition", "action")
    if wanted.actions and action not in wanted.actions:
        wrong = f"action {_short(action)} instead of {' or '.join(sorted(wanted.actions))}"
        yield Problem(wrong, _RULES)
    status = _at(found, "tocilizumab", "status")
    if wanted.tocilizumab and status != wanted.tocilizumab:
        yield Problem(f"tocilizumab {_short(status)} instead of {wanted.tocilizumab}", _RULES)


def _shown(wanted: Wanted, cards: list[Any]) -> Iterator[Problem]:
    came = ", ".join(map(_topic, cards)) or "none"
    if wanted.no_cards and cards:
        yield Problem(f"cards {came} instead of none", _RULES)
    if not wanted.topic:
        return
    of_topic = [one for one in cards if _topic(one) == wanted.topic]
    if not of_topic:
        yield Problem(f"no card {wanted.topic}: {came} came", _CARDS)
    elif all(wrong := [list(_unlike(wanted, one)) for one in of_topic]):
        yield from wrong[0]


def _unlike(wanted: Wanted, card: Json) -> Iterator[Problem]:
    if card.get("indicator") != wanted.indicator:
        wrong = f"card {wanted.topic} is {_short(card.get('indicator'))}, not {wanted.indicator}"
        yield Problem(wrong, _RULES)
    text = f"{card.get('summary')} {card.get('detail')}".lower()
    for words in wanted.says:
        if words.lower() not in text:
            yield Problem(f"card {wanted.topic} does not say {words!r}", _RULES)


def _topic(card: Any) -> str:
    return _short(_at(card, "source", "topic", "code") or "without a topic")


def _short(value: object, most: int = _LONGEST) -> str:
    """What a server said, printable and short."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(value))
    return text[:most]


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _range(grade: Any) -> str:
    least, most = _at(grade, "atLeast"), _at(grade, "atMost")
    if least is None:
        return "not assessed"
    return _short(least) if least == most else f"{_short(least)} to {_short(most)}"
