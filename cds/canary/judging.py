"""Whether an answer is what must come; what is wrong, in words of ours. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from cds.canary.calling import Answer
from cds.canary.expected import Wanted


EXTENSION = "org.btce-cds.assessment"
Json = Mapping[str, Any]


def problems(wanted: Wanted, answer: Answer, *, knowledge: str, live: bool) -> Iterator[str]:
    """What is wrong with an answer; nothing: it is right.

    `knowledge`: the digest it must have been made with. `live` False: the site shows no card, so
    that only the assessment beside them can be judged.
    """
    if answer.trouble:
        yield answer.trouble
        return
    if wanted.refused:
        yield from _not_refused(wanted, answer)
        return
    if answer.status != 200:
        yield f"HTTP {answer.status} instead of an answer"
        return
    found = _at(answer.body, "extension", EXTENSION)
    cards = answer.body.get("cards")
    if not isinstance(found, Mapping) or not isinstance(cards, list):
        yield "the answer has no cards or no assessment"
        return
    yield from _assessed(wanted, found, knowledge, live)
    if not live:
        if cards:
            yield "cards are shown at a site that is silent"
        return
    yield from _shown(wanted, [one for one in cards if isinstance(one, Mapping)])


def topics(answer: Answer) -> tuple[str, ...]:
    """The codes of the cards that came."""
    cards = answer.body.get("cards")
    return tuple(map(_topic, cards)) if isinstance(cards, list) else ()


def _not_refused(wanted: Wanted, answer: Answer) -> Iterator[str]:
    if answer.status != wanted.refused:
        yield f"HTTP {answer.status} instead of {wanted.refused}"
    if answer.body.get("cards") or _at(answer.body, "extension", EXTENSION) is not None:
        yield "advice was given"


def _assessed(wanted: Wanted, found: Json, knowledge: str, live: bool) -> Iterator[str]:
    digest = _at(found, "knowledge", "sha256")
    if digest != knowledge:
        yield f"knowledge {str(digest)[:12]} instead of {knowledge[:12]}"
    mode = found.get("mode")
    if mode != ("live" if live else "silent"):
        yield f"the site is {mode}, not {'live' if live else 'silent'} as configured"
    for scale, grade in wanted.grades.items():
        found_grade = _at(found, scale, "grade")
        if found_grade != {"atLeast": grade, "atMost": grade}:
            yield f"{scale} grade {_range(found_grade)} instead of {grade}"
    action = _at(found, "disposition", "action")
    if wanted.actions and action not in wanted.actions:
        yield f"action {action} instead of {' or '.join(sorted(wanted.actions))}"
    status = _at(found, "tocilizumab", "status")
    if wanted.tocilizumab and status != wanted.tocilizumab:
        yield f"tocilizumab {status} instead of {wanted.tocilizumab}"


def _shown(wanted: Wanted, cards: list[Json]) -> Iterator[str]:
    if wanted.no_cards and cards:
        yield f"cards {', '.join(map(_topic, cards))} instead of none"
    if not wanted.topic:
        return
    of_topic = [one for one in cards if _topic(one).startswith(wanted.topic)]
    if not of_topic:
        came = ", ".join(map(_topic, cards)) or "none"
        yield f"no card {wanted.topic}: {came} came"
        return
    if all(one.get("indicator") != wanted.indicator for one in of_topic):
        yield f"card {wanted.topic} is {of_topic[0].get('indicator')}, not {wanted.indicator}"
    if all(wanted.says not in f"{one.get('summary')} {one.get('detail')}" for one in of_topic):
        yield f"card {wanted.topic} does not say {wanted.says!r}"


def _topic(card: Any) -> str:
    return str(_at(card, "source", "topic", "code") or "without a topic")


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _range(grade: Any) -> str:
    least, most = _at(grade, "atLeast"), _at(grade, "atMost")
    if least is None:
        return "not assessed"
    return f"{least}" if least == most else f"{least} to {most}"
