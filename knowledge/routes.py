"""Rules of an intravenous product for a subcutaneous order: infusion advice is left out."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from knowledge.facts import Order
from knowledge.library import Library
from knowledge.product_model import Product
from knowledge.row_model import Row


def another_route(order: Order, library: Library) -> bool:
    """Whether a subcutaneous product is drafted whose rules are of the intravenous one."""
    product = library.products.get(order.ingredient)
    subcutaneous = order.route == "sc" or order.subcutaneous_product
    return product is not None and product.intravenous_only and subcutaneous


def for_routes(library: Library, drafted: Iterable[Order]) -> Library:
    """The library with what concerns infusions alone taken out of the rows for such products.

    Rows of a protocol are about every product: they lose it where all drafts are subcutaneous.
    """
    orders = [order for order in drafted if order.kind == "btce"]
    if orders and all(order.route == "sc" for order in orders):
        protocols = {
            name: msgspec.structs.replace(one, rows=tuple(_row(row) for row in one.rows))
            for name, one in library.protocols.items()
        }
        library = replace(library, protocols=protocols)
    names = {order.ingredient for order in orders if another_route(order, library)}
    if not names:
        return library
    products = {
        name: _without_infusion(product) if name in names else product
        for name, product in library.products.items()
    }
    return replace(library, products=products)


def _without_infusion(product: Product) -> Product:
    return msgspec.structs.replace(product, rows=tuple(_row(row) for row in product.rows))


def _row(row: Row) -> Row:
    conditions = row.then.next_dose
    if conditions is not None:
        conditions = msgspec.structs.replace(
            conditions, rate=None, max_infusion_hours=None, current_infusion=None
        )
    then = msgspec.structs.replace(row.then, next_dose=conditions, on_infusion=())
    return msgspec.structs.replace(row, then=then)
