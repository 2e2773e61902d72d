"""One record with what hangs on it, for every resource alike; products and what they are sorted by show more."""

from collections.abc import Callable
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import NotFound
from webapp.htmx import render_page
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Reference
from webapp.routes.audit import show_history
from webapp.routes.records import blueprint
from webapp.services import imports, queries
from webapp.services.price_history import list_prices
from webapp.services.product_days import StockDay, list_stock_days
from webapp.services.product_movements import list_movements
from webapp.services.record_related import find_referring, list_related
from webapp.services.record_totals import (
    find_delivery_totals,
    find_product_totals,
    list_delivered_products,
)

RELATED_ROWS = 8
STOCK_DAYS = 90
RECENT_DAYS = 30
MOVEMENT_ROWS = 20


@blueprint.get("/<resource:resource>/<int:record_id>")
def show_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show one record with what hangs on it; of one that was deleted, what became of it."""
    record = queries.get_record(resource, record_id)
    if record is None:
        return make_response(show_history(resource, record_id), 404)
    values = _values_of(record)
    last_import = imports.find_last_import(resource.name, record_id)
    gather = PARTS.get(resource.name)
    return render_template(
        "records/show.html",
        resource=resource,
        record=record,
        values=values,
        # A product's movements have a table of their own.
        related=[] if resource.name == "products" else list(list_related(resource, record_id, RELATED_ROWS)),
        last_import=last_import,
        can_open_import=last_import is not None and _can_open(last_import.public_id),
        **(gather(resource, record_id, values) if gather else {}),
    )


@blueprint.get("/products/<int:record_id>/movements")
def list_product_movements(record_id: int) -> ResponseReturnValue:
    """Show an older page of a product's movements."""
    product = get_resource("products")
    record = queries.get_record(product, record_id)
    if record is None:
        abort(404)
    values = _values_of(record)
    cursor = request.args.get("before", "")
    return render_page(
        "records/movements.html",
        "records/_movements.html",
        resource=product,
        record=record,
        values=values,
        cursor=cursor,
        movements=list_movements(current_user, record_id, values["quantity"], cursor, MOVEMENT_ROWS),
    )


def _values_of(record: Any) -> Any:
    return record._mapping  # noqa: SLF001 - public in fact: a row's mapping by name


def _can_open(public_id: str) -> bool:
    """Whether the reader may see an import: others' are named, not linked."""
    try:
        imports.get_import(current_user, public_id)
    except NotFound:
        return False
    return True


# -- What one kind shows beside its fields ---------------------------------------------------------------


def _gather_product(_resource: Resource, record_id: int, values: Any) -> dict[str, Any]:
    days = list_stock_days(record_id, values["quantity"], STOCK_DAYS)
    sold = sum(day.sold for day in days[-RECENT_DAYS:])
    return {
        "stock_days": days,
        "has_moved": _has_moved(days),
        "recent_days": RECENT_DAYS,
        "sold": sold,
        "lasts_days": values["quantity"] * RECENT_DAYS // sold if sold and values["quantity"] > 0 else None,
        "prices": list_prices(current_user, record_id, values),
        "movements": list_movements(current_user, record_id, values["quantity"], limit=MOVEMENT_ROWS),
    }


def _has_moved(days: list[StockDay]) -> bool:
    return any(day.received or day.out for day in days)


def _gather_products_under(resource: Resource, record_id: int, _values: Any) -> dict[str, Any]:
    return {"totals": find_product_totals(resource.name, record_id)}


def _gather_supplier(_resource: Resource, record_id: int, _values: Any) -> dict[str, Any]:
    return {
        "deliveries": find_delivery_totals(record_id),
        "delivered": list_delivered_products(record_id),
    }


PARTS: dict[str, Callable[[Resource, int, Any], dict[str, Any]]] = {
    "products": _gather_product,
    "categories": _gather_products_under,
    "brands": _gather_products_under,
    "product_models": _gather_products_under,
    "suppliers": _gather_supplier,
}


# -- What points at a record -----------------------------------------------------------------------------


@blueprint.app_template_global()
def related_url(name: str, resource: Resource, values: Any) -> str:
    """Return the address of the list of another kind's records that point at this one."""
    other, field = next(found for found in find_referring(resource) if found[0].name == name)
    filters = _filters_for(resource, field, values)
    return url_for("records.list_records", resource=other, **filters)  # type: ignore[arg-type]


def _filters_for(resource: Resource, field: Field, values: Any) -> dict[str, str]:
    """Return the filter of another resource's list that finds what points at this record."""
    filters = {field.name: str(values[resource.reference_field])}
    scope = field.type.scope if isinstance(field.type, Reference) else ""
    if scope:
        filters[scope] = str(values[scope])
    return filters
