"""The bedside app put together: its sessions, its client of authorization servers, its pages."""

from flask import Blueprint

from cds.deployment import Deployment
from cds.smart.at_hand import AtHand
from cds.smart.blueprint import create_smart
from cds.smart.guarding.guard import guard
from cds.smart.guarding.sessions import Sessions
from cds.smart.oauth import SmartClient
from cds.smart.pages import advice, grade, handover, rems, statements, timeline
from cds.smart.pages.launching import launching, opening
from cds.smart.pages.worklist import worklist_routes
from cds.smart.parts import Parts
from cds.store import Store
from cds.store.cohort import Cohort
from cds.store.latest import Latest
from cds.store.launches import Launches
from cds.store.recent import Recent
from cds.store.statements_kept import StatementsKept


def bedside_app(deployment: Deployment, store: Store) -> Blueprint:
    """For every site of the deployment that has `smart`; a launch from any other is refused."""
    parts = Parts(
        deployment=deployment,
        at_hand=AtHand(monotonic=deployment.monotonic),
        kept=StatementsKept(store),
        latest=Latest(store),
    )
    sessions = Sessions(
        Launches(store),
        SmartClient(deployment.clock, deployment.monotonic),
        deployment.clock,
        sites=deployment.settings.sites,
    )
    pages = (
        guard(sessions),
        launching(sessions),
        grade.add_routes,
        advice.add_routes,
        timeline.add_routes,
        statements.add_routes,
        handover.add_routes,
        rems.add_routes,
        worklist_routes(opening(sessions), Cohort(store), Recent(store)),
    )
    return create_smart(parts, pages)
