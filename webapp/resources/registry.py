"""All kinds of records, parents first: the order in which a wiped shop is loaded again."""

from webapp.resources.base import Resource
from webapp.resources.catalogue import BRANDS, CATEGORIES, PRODUCT_MODELS, PRODUCTS, SUPPLIERS
from webapp.resources.movements import INFLOWS, OUTFLOWS

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (CATEGORIES, BRANDS, PRODUCT_MODELS, SUPPLIERS, PRODUCTS, INFLOWS, OUTFLOWS)
}


def get_resource(name: str) -> Resource:
    """Return the resource of this name; KeyError when there is none."""
    return RESOURCES[name]
