"""How many vasopressors run at one time: what is certain, and what may be beside it.

Distinct agents are counted; vasopressin is not counted beside another (Lee et al. 2019, Table 2).
Pushes, doubtful infusions and inotropes are possible, never certain.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from knowledge.facts import Evidence, Infusion, Notice
from knowledge.model import SiteRules


_COUNTED = frozenset({"vasopressor", "vasopressin"})


class Pressors(Struct, frozen=True):
    """Vasopressors that count: at least and at most. `acting`: one certain or possible runs."""

    least: int = 0
    most: int = 0
    acting: bool = False
    evidence: tuple[Evidence, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """The levels of hypotension support this can mean, none and fluids left to others."""
        names = ("one-vasopressor", "multiple-vasopressors")
        counts = range(max(self.least, 1), self.most + 1)
        return frozenset(names[min(count, 2) - 1] for count in counts)


def pressors_at(
    infusions: Sequence[Infusion], at: datetime, rules: SiteRules, window: timedelta
) -> Pressors:
    """The vasopressors at `at`; `window`: how old a record without an end may be."""
    running = [i for i in infusions if i.start <= at and (i.end is None or at < i.end)]
    sure = [i for i in running if _is_sure(i, at, window)]
    doubtful = [i for i in running if i.kind in _COUNTED and not _is_sure(i, at, window)]
    pushes = [i for i in infusions if _acts(i, at, rules, window)]
    inotropes = [i for i in running if i.kind == "inotrope"]
    found = (*sure, *doubtful, *pushes, *inotropes)
    if not found:
        return Pressors()
    agents = {i.agent for i in sure if i.kind == "vasopressor"}
    others = {i.agent for i in (*doubtful, *pushes, *inotropes) if i.kind != "vasopressin"}
    vasopressin = any(i.kind == "vasopressin" for i in (*doubtful, *pushes))
    certain = any(i.kind == "vasopressin" for i in sure)
    least = max(len(agents), int(certain))
    most = max(len(agents | others), int(certain or vasopressin))
    notices = [*_named(agents, certain, doubtful, pushes, inotropes)]
    if len(agents) == 2 and _overlap(agents, infusions, at) <= _half(rules):
        least = 1
        text = "Two vasopressors overlap for half an hour or less: a change-over is possible."
        notices.append(Notice("pressor-overlap", text))
    if len(agents) == 1 and _switched(agents, infusions, at, rules):
        text = "One vasopressor followed another within an hour: counted as one."
        notices.append(Notice("pressor-switch", text))
    return Pressors(
        least,
        most,
        any(i.kind != "uncounted" for i in found),
        tuple(dict.fromkeys(i.evidence for i in found)),
        tuple(notices),
    )


def _is_sure(one: Infusion, at: datetime, window: timedelta) -> bool:
    if one.kind not in _COUNTED or one.doubt == "uncertain":
        return False
    return one.doubt != "end-not-charted" or at - one.start <= window


def _acts(one: Infusion, at: datetime, rules: SiteRules, window: timedelta) -> bool:
    """A push may show a need as long as other vital signs do; a tablet as long as a bolus."""
    span = timedelta(hours=rules.bolus_hours) if one.kind == "uncounted" else window
    return one.doubt == "push" and timedelta(0) <= at - one.start <= span


def _half(rules: SiteRules) -> timedelta:
    return timedelta(minutes=rules.switch_minutes / 2)


def _overlap(agents: Iterable[str], infusions: Sequence[Infusion], at: datetime) -> timedelta:
    return at - max(_since(agent, infusions, at) for agent in agents)


def _since(agent: str, infusions: Sequence[Infusion], at: datetime) -> datetime:
    """When the agent began to run without a gap: a rate change is no new start."""
    begun = at
    mine = [i for i in infusions if i.agent == agent and i.start <= at and i.doubt != "push"]
    for one in sorted(mine, key=lambda i: i.start, reverse=True):
        if one.end is None or one.end >= begun:
            begun = min(begun, one.start)
    return begun


def _switched(
    agents: Iterable[str], infusions: Sequence[Infusion], at: datetime, rules: SiteRules
) -> bool:
    (agent,) = agents
    begun = _since(agent, infusions, at)
    return any(
        timedelta(0) <= begun - i.end < timedelta(minutes=rules.switch_minutes)
        for i in infusions
        if i.kind == "vasopressor" and i.agent != agent and i.end is not None and i.start < i.end
    )


def _named(
    agents: Iterable[str],
    vasopressin: bool,
    doubtful: Sequence[Infusion],
    pushes: Sequence[Infusion],
    inotropes: Sequence[Infusion],
) -> Iterable[Notice]:
    if vasopressin and not agents:
        text = "Vasopressin alone is read as one vasopressor; the scale does not say so in words."
        yield Notice("vasopressin-alone", text)
    if inotropes:
        where = "runs beside a vasopressor" if agents else "is running"
        text = f"An inotrope {where}; inotropes are not counted as vasopressors."
        yield Notice("inotrope", text)
    if doubtful:
        names = ", ".join(sorted({i.agent for i in doubtful}))
        yield Notice("pressor-may-have-stopped", f"{names}: it is not sure that it still runs.")
    if any(i.kind == "uncounted" for i in pushes):
        names = ", ".join(sorted({i.agent for i in pushes if i.kind == "uncounted"}))
        text = f"{names}: not counted as a vasopressor; the need for one is possible."
        yield Notice("uncounted-pressor", text)
    if any(i.kind != "uncounted" for i in pushes):
        names = ", ".join(sorted({i.agent for i in pushes if i.kind != "uncounted"}))
        text = f"{names} as a single dose: the need for a vasopressor is possible."
        yield Notice("pressor-push", text)
