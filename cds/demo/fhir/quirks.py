"""How a vendor's server departs from what R4 would let one hope for; off unless switched on."""

from msgspec import Struct


class Quirks(Struct, frozen=True, kw_only=True):
    """The default is a server without any.

    `left_out`: resource types it does not serve (many do not offer Subscription).
    `ignored`: search parameters it does not know (`_sort` is missing at some vendors).
    `largest_page`: entries of one page at most, whatever `_count` asks.
    `total_of_page`: `Bundle.total` counts the page, not the search.
    `posts_resource`: a subscription with a payload is a POST to the endpoint, not a PUT below it.
    """

    left_out: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    largest_page: int = 500
    total_of_page: bool = False
    posts_resource: bool = False
