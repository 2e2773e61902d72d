"""The dashboard's cached figures as tables to download: text, dates and exact amounts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.resources.base import N_

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class FigureTable:
    """One table: its columns as (label, name in the rows), and how its rows are found in the figures."""

    columns: tuple[tuple[str, str], ...]
    list_rows: Callable[[Figures], list[Mapping[str, Any]]]


GROUP_COLUMNS = (
    (N_("Name"), "name"),
    (N_("Products"), "products"),
    (N_("Units"), "units"),
    (N_("Value at cost"), "value_at_cost"),
    (N_("Value at sell price"), "value_at_price"),
)

TABLES = {
    "sales": FigureTable(
        (
            (N_("Day"), "date"),
            (N_("Revenue"), "revenue"),
            (N_("Cost"), "cost"),
            (N_("Profit"), "profit"),
            (N_("Sales"), "sales"),
            (N_("Units"), "units"),
        ),
        lambda figures: [
            {**money, **units}
            for money, units in zip(
                figures["daily_sales"]["days"], figures["daily_sales_quantity"]["days"], strict=True
            )
        ],
    ),
    "categories": FigureTable(GROUP_COLUMNS, lambda figures: figures["products_by_category"]["rows"]),
    "brands": FigureTable(GROUP_COLUMNS, lambda figures: figures["products_by_brand"]["rows"]),
    "best-sellers": FigureTable(
        (
            (N_("Serial number"), "serial_number"),
            (N_("Title"), "title"),
            (N_("Units"), "units"),
            (N_("Sales"), "sales"),
            (N_("Revenue"), "revenue"),
            (N_("Profit"), "profit"),
        ),
        lambda figures: figures["sales"]["best_sellers"],
    ),
}
