"""What each button of the workbench does: a visit and a form become the visit after it.

An EHR's part only: hooks fired, drafts changed, feedback and observations sent. Knows no page.
"""

from collections.abc import Callable, Mapping

import msgspec

from cds.demo import observing
from cds.demo.answer import Answer, Card, Suggestion
from cds.demo.bench import PROTOCOLS, Bench
from cds.demo.drafting import NotApplied, applied, draft, draft_id, label_of
from cds.demo.drugs import placed
from cds.demo.faults import FAULTS
from cds.demo.feedback_sent import Outcome, tell
from cds.demo.filing import file
from cds.demo.hook_call import call
from cds.demo.story import Story
from cds.demo.visit import Draft, Ehr, Visit


EHRS: Mapping[Ehr, str] = {
    "plain": "as the specification has it",
    "epic": "as Epic sends it",
    "oracle": "as Oracle Health sends it",
}
_MOST_DRAFTS = 20
_COMMENT = 500
_MOST_DIGITS = 4
Form = Mapping[str, str]
Step = Callable[[Visit, Form], Visit]
_OLDER = (
    "The page was older than this visit, perhaps because a button was pressed twice: nothing was"
    " done now. Below is how it stands."
)


class NoSuch(Exception):
    """A form that this page did not make: it names something that is not there."""


def begin(bench: Bench, story: Story) -> Visit:
    """A visit without an id of its own yet: the chart is opened."""
    visit = Visit(id="", story=story.id, protocol=story.protocol, chosen=story.order)
    return opened(bench, visit)


def taken(visit: Visit, form: Form, step: Step) -> Visit:
    """After one press of a button. Raises `NoSuch`.

    `seen` of the form: how many presses there were when its page was made. A page that is older
    does nothing, so that a press that comes twice counts once.
    """
    if form.get("seen", str(visit.steps)) != str(visit.steps):
        return visit.but(said="", wrong=(_OLDER,))
    found = settled(visit, form)
    after = found if found.wrong else step(found, form)
    return after.but(steps=visit.steps + 1)


def opened(bench: Bench, visit: Visit) -> Visit:
    """Fire patient-view."""
    return _fired(bench, visit, "patient-view")


def settled(visit: Visit, form: Form) -> Visit:
    """With protocol, EHR and clock as the form has them. Raises `NoSuch`."""
    protocol = form.get("protocol", visit.protocol)
    ehr = form.get("ehr", visit.ehr)
    found = next((one for one in EHRS if one == ehr), None)
    fault = next((one for one in FAULTS if one == form.get("fault", visit.fault)), None)
    if protocol not in PROTOCOLS or found is None or fault is None:
        raise NoSuch
    visit = visit.but(protocol=protocol, ehr=found, fault=fault, said="", wrong=())
    if "clock" not in form:
        return visit
    if form["clock"] != "story":
        return visit.but(hour=None)
    hour = _hour(form.get("hour", ""))
    if hour is None:
        return visit.but(wrong=("Hour of the story: enter 0 or less, such as -12.5.",))
    return visit.but(hour=hour)


def chosen(bench: Bench, visit: Visit, form: Form) -> Visit:
    """Draft what was chosen and fire order-select for it. Raises `NoSuch`."""
    visit, refs = _drafted(bench, visit, form.get("order", ""))
    if not refs:
        return visit
    return _fired(bench, visit, "order-select", selected=refs)


def signed(bench: Bench, visit: Visit, form: Form) -> Visit:
    """Fire order-sign for every draft; what was chosen is drafted first where there is none."""
    if not visit.unsigned:
        visit, _ = _drafted(bench, visit, form.get("order", visit.chosen))
    return _fired(bench, visit, "order-sign")


def filed(bench: Bench, visit: Visit) -> Visit:
    """File what is drafted, as it is now; what is not taken stays unsigned."""
    hospital = bench.hospital
    with hospital.connect() as session:
        posted = file(session, hospital.door("plain"), visit.unsigned)
    said = f"Filed at the FHIR server: {'; '.join(posted.written)}." if posted.written else ""
    drafts = tuple(one for one in visit.unsigned if one.id in posted.left)
    wrong = posted.problems if visit.unsigned else ("There are no unsigned orders.",)
    return visit.but(drafts=drafts, said=said, wrong=wrong)


def removed(visit: Visit, form: Form) -> Visit:
    """Without a draft that the user takes back. Raises `NoSuch`."""
    which = form.get("draft", "")
    kept = tuple(one for one in visit.drafts if one.id != which)
    if len(kept) == len(visit.drafts):
        raise NoSuch
    return visit.but(drafts=kept, said="Order removed. Nothing was sent.")


def accepted(bench: Bench, visit: Visit, form: Form) -> Visit:
    """Carry out a suggestion, then tell the service. Raises `NoSuch`."""
    answer, card = _card(visit, form)
    suggestion = _suggestion(card, form.get("suggestion", ""))
    place = (int(form["card"]), int(form["suggestion"]))
    if place in answer.applied:
        return visit.but(wrong=("Applied before: nothing was done. Sign again for a new answer.",))
    next_id = draft_id(visit.made + 1, visit.ehr)
    try:
        drafts = applied(visit.drafts, suggestion, next_id=next_id, ehr=visit.ehr)
    except NotApplied as error:
        return visit.but(wrong=(f"Not applied: {error}. Sign again for a new answer.",))
    created = len(drafts) - len(visit.drafts)
    answer = msgspec.structs.replace(answer, applied=answer.applied | {place})
    answers = {**visit.answers, answer.hook: answer}
    visit = visit.but(drafts=drafts, made=visit.made + created, answers=answers)
    visit = _told(bench, visit, answer, Outcome(card=card, accepted=(suggestion,)))
    return visit.but(said=f"Applied: {suggestion.label}. The orders have changed.")


def overridden(bench: Bench, visit: Visit, form: Form) -> Visit:
    """Tell the service that a card was overridden, with the reason. Raises `NoSuch`."""
    answer, card = _card(visit, form)
    reason, comment = form.get("reason", ""), form.get("comment", "").strip()[:_COMMENT]
    if reason and reason not in {one.code for one in card.override_reasons}:
        raise NoSuch
    outcome = Outcome(card=card, reason=reason, comment=comment)
    return _told(bench, visit, answer, outcome).but(said="Card overridden.")


def observed(bench: Bench, visit: Visit, form: Form) -> Visit:
    """Chart what was entered at the FHIR server."""
    try:
        resources = observing.charted(form)
    except observing.NotNumbers as error:
        return visit.but(wrong=(*error.problems, "Nothing was posted."))
    if not resources:
        return visit.but(wrong=("Nothing was entered, so nothing was posted.",))
    hospital, story = bench.hospital, bench.stories[visit.story]
    with hospital.connect() as session:
        posted = observing.post(
            session, hospital.door("plain"), story, resources, hospital.now(visit)
        )
    said = f"Posted to the FHIR server: {', '.join(posted.written)}." if posted.written else ""
    return visit.but(said=said, wrong=posted.problems)


def card_at(answer: Answer | None, number: str) -> Card:
    """A card by its place. Raises `NoSuch`."""
    place = _place(number)
    if answer is None or place is None or place >= len(answer.cards):
        raise NoSuch
    return answer.cards[place]


def _drafted(bench: Bench, visit: Visit, choice: str) -> tuple[Visit, tuple[str, ...]]:
    orders = placed(choice)
    if not orders:
        raise NoSuch
    if len(visit.drafts) + len(orders) > _MOST_DRAFTS:
        return visit.but(wrong=("Too many orders in one visit: remove one first.",)), ()
    story, now = bench.stories[visit.story], bench.hospital.now(visit)
    new = tuple(
        Draft(resource=draft(story, one, now, draft_id(number, visit.ehr)))
        for number, one in enumerate(orders, start=visit.made + 1)
    )
    visit = visit.but(drafts=(*visit.drafts, *new), made=visit.made + len(new), chosen=choice)
    return visit, tuple(one.ref for one in new)


def _fired(bench: Bench, visit: Visit, hook: str, *, selected: tuple[str, ...] = ()) -> Visit:
    answer = call(bench.hospital, hook, visit, bench.stories[visit.story], selected=selected)
    return visit.but(answers={**visit.answers, hook: answer}, shown=hook)


def _told(bench: Bench, visit: Visit, answer: Answer, outcome: Outcome) -> Visit:
    hospital = bench.hospital
    with hospital.connect() as session:
        told = tell(session, answer.url, outcome, hospital.clock(), visit.ehr)
    return visit.but(told=(told, *visit.told))


def _card(visit: Visit, form: Form) -> tuple[Answer, Card]:
    answer = visit.answers.get(form.get("hook", ""))
    card = card_at(answer, form.get("card", ""))
    if answer is None or card.uuid != form.get("uuid", card.uuid):
        raise NoSuch
    return answer, card


def _suggestion(card: Card, number: str) -> Suggestion:
    place = _place(number)
    if place is None or place >= len(card.suggestions):
        raise NoSuch
    return card.suggestions[place]


def _place(number: str) -> int | None:
    return int(number) if number.isdecimal() and len(number) <= _MOST_DIGITS else None


def _hour(text: str) -> float | None:
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    digits = text.removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        return None
    hour = float(text)
    return hour if hour <= 0 else None


def named(visit: Visit) -> tuple[tuple[Draft, str], ...]:
    """The drafts with what the list calls them."""
    return tuple((one, label_of(one.resource)) for one in visit.drafts)
