"""How a vendor's server departs from what R4 would let one hope for; off unless switched on.

Settings only. The named ones, with their public sources, are in `vendors`.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from cds.demo.fhir.resource_json import Resource


Shape: TypeAlias = Callable[[Resource], Resource]


class Quirks(Struct, frozen=True, kw_only=True):
    """The default is a server without any.

    `left_out`: resource types it does not serve (many do not offer Subscription).
    `ignored`: search parameters it does not know (`_sort` is missing at some vendors).
    `largest_page`: entries of one page at most, whatever `_count` asks.
    `total_of_page`: `Bundle.total` counts the page, not the search; `no_total`: there is none.
    `posts_resource`: a subscription with a payload is a POST to the endpoint, not a PUT below it.
    `shapes`: how a resource looks to who reads it, one after the other, not how it is kept.
    `unsorted`: how results come that are not sorted: as they were made, newest first (of the types
    in `newest_first`), or by code and newest first within each. `echoes`: the self link repeats
    what was ignored, too.
    `page_parameter`: of the links to further pages; `page_keeps_query`: beside the search itself.
    `page_seconds`: how long these links lead somewhere; None: until others push them out.
    `notes`: what was ignored, or found nothing, is said in an entry of the Bundle.
    `withheld`: each search says that something was not returned.
    `needs_patient`: a search without a patient is refused.
    `strict_dates`: few prefixes, two dates at most, no two kinds of date at once.
    `named_medications`: a medication that a resource names by a reference can be read.
    """

    left_out: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    largest_page: int = 500
    total_of_page: bool = False
    no_total: bool = False
    posts_resource: bool = False
    shapes: tuple[Shape, ...] = ()
    unsorted: Literal["as-made", "newest-first", "by-code"] = "as-made"
    newest_first: frozenset[str] = frozenset()
    echoes: bool = False
    page_parameter: Literal["_page", "sessionID", "-pageContext"] = "_page"
    page_keeps_query: bool = False
    page_seconds: float | None = None
    notes: bool = False
    withheld: bool = False
    needs_patient: bool = False
    strict_dates: bool = False
    named_medications: bool = False

    def shown(self, resource: Resource) -> Resource:
        """The resource as this server shows it, and as its searches see it."""
        for shape in self.shapes:
            resource = shape(resource)
        return resource
