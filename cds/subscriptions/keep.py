"""What the worker does about subscriptions from time to time: the cohort's, in order, no others."""

from cds.subscriptions.desk import Desk
from cds.subscriptions.manage import create, renew
from cds.subscriptions.outcome import Outcome
from cds.subscriptions.plan import shape_of


def keep(desk: Desk) -> tuple[Outcome, ...]:
    """Put right what is there, and create what new patients lack, in the shape of the others.

    A site where none was ever created, or where all were removed, is left alone: it is polled.
    Raises `StoreDown`; what the FHIR server refuses is in the outcomes.
    """
    shape = shape_of(desk.rows.of_site(desk.site))
    if shape is None:
        return ()
    done = tuple(renew(desk))
    if done and done[-1].ends_the_run:
        return done
    return (*done, *create(desk, shape))
