"""What the pages of the app share: the parts of the deployment, and the launch of the request."""

from collections.abc import Callable
from typing import Protocol

from flask import Blueprint, g
from msgspec import Struct

from cds.config import Site
from cds.deployment import Deployment
from cds.smart.at_hand import AtHand
from cds.smart.context import Context
from cds.store.latest import Latest
from cds.store.statements_kept import StatementsKept


class Parts(Struct, frozen=True, kw_only=True):
    """Given to every page when its routes are added."""

    deployment: Deployment
    at_hand: AtHand
    kept: StatementsKept
    latest: Latest


class Bedside(Struct, frozen=True, kw_only=True):
    """The launch a request belongs to: checked before any page is asked for."""

    context: Context
    site: Site


AddRoutes = Callable[[Blueprint, Parts], None]


class _HasBedside(Protocol):
    bedside: Bedside


def bedside() -> Bedside:
    """Of this request. Only for routes below `/smart/l/<launch>`."""
    here: _HasBedside = g
    return here.bedside
