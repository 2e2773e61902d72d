"""All kinds of records, parents first: the order in which a wiped shop is loaded again; and what files may hold."""

from webapp.resources.base import Resource
from webapp.resources.catalogue import BRANDS, CATEGORIES, PRODUCT_MODELS, PRODUCTS, SUPPLIERS
from webapp.resources.movements import INFLOWS, OUTFLOWS
from webapp.resources.stock_counts import STOCK_COUNTS

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (CATEGORIES, BRANDS, PRODUCT_MODELS, SUPPLIERS, PRODUCTS, INFLOWS, OUTFLOWS)
}

IMPORTABLE: dict[str, Resource] = RESOURCES | {STOCK_COUNTS.name: STOCK_COUNTS}


def get_resource(name: str) -> Resource:
    """Return the resource of this name, or what only a file may hold; KeyError when there is none."""
    return IMPORTABLE[name]
