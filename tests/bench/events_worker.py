"""A worker whose FHIR server answers at once: what is left is claiming, evaluating and keeping.

Run as `python -m tests.bench.events_worker URL`: says `ready`, waits for a line, reads everybody
who waits, and says how many. It ends when nothing is due any more and its input is closed.
"""

import os
import select
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from cds.clock import system_clock
from cds.config import Site
from cds.hook_request import parse
from cds.pipeline import EXTENSION, evaluate, record_of
from cds.store import DecisionRow, StoreDown, open_store
from cds.store.inbox import Inbox
from cds.store.inputs import input_refs
from cds.store.recording import Call, decision_row, sent_assessment
from fhir_mapping.codes import load_codes
from knowledge.library import load
from tests.bench import payload


OBSERVATIONS = 100
SITE = "bench"
HOOK = "patient-view"
PAUSE = timedelta(seconds=1)  # between two readings of a patient
_REST = 0.01


def main(url: str) -> None:
    """Work until nothing is left to do."""
    inbox, regrade = Inbox(open_store(url)), regrader(system_clock())
    regrade("warm-up", system_clock())
    _say("ready")
    sys.stdin.readline()
    _say(str(_work(inbox, regrade)))


def regrader(charted: datetime) -> Callable[[str, datetime], DecisionRow]:
    """Reads and evaluates a patient by id: the same chart for all, with its vital signs."""
    library, codes = load(), load_codes()
    site = Site(
        id=SITE, fhir_base="https://ehr.example/fhir", protocol="us-label", zone=ZoneInfo("UTC")
    )
    body = payload.request(OBSERVATIONS, hook=HOOK, now=charted)
    programs = {one.program: one.id for one in library.rems.values()}

    def regrade(patient: str, now: datetime) -> DecisionRow:
        request = parse(body.replace(payload.PATIENT.encode(), patient.encode()), HOOK)
        found = evaluate(request, site=site, library=library, codes=codes, now=now)
        call = Call(
            id=str(uuid4()),
            site=SITE,
            patient=patient,
            hook="regrade",
            hook_instance=request.hook_instance,
            service="btce-worker",
        )
        return decision_row(
            call,
            found.decision,
            cards=found.cards,
            assessment=sent_assessment(found.response, EXTENSION),
            inputs=input_refs(request.prefetch.values()),
            programs=programs,
            commit="",
            record=record_of(found),
        )

    return regrade


def _work(inbox: Inbox, regrade: Callable[[str, datetime], DecisionRow]) -> int:
    done = 0
    while True:
        over = _closed()
        try:
            with inbox.claim(system_clock()) as claim:
                if claim is not None:
                    row = regrade(claim.patient, system_clock())
                    now = system_clock()
                    claim.finish(row, now=now, not_before=now + PAUSE)
                    done += 1
                    continue
        except StoreDown:
            continue
        if over and inbox.waiting(system_clock()).count == 0:
            return done
        time.sleep(_REST)


def _closed() -> bool:
    """Whether there is an end to read: nobody writes anything after the first line."""
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and os.read(0, 1) == b""


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
