"""What a product has cost and was sold for over time, read out of its changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import or_

from webapp.extensions import db
from webapp.models import Change, User
from webapp.services.change_origin import Origin, build_origin, select_changes

PRICES = ("cost_price", "sell_price")


@dataclass(frozen=True)
class PriceChange:
    """Both prices as one change has left them, and which of them it changed; a new product has no old ones."""

    origin: Origin
    cost_price: Decimal
    sell_price: Decimal
    old_cost_price: Decimal | None
    old_sell_price: Decimal | None


@dataclass(frozen=True)
class PriceHistory:
    """The changes of prices, newest first; ``has_older`` says that there were more than are shown."""

    rows: Sequence[PriceChange]
    has_older: bool


def list_prices(
    reader: User, product_id: int, prices: Mapping[str, Decimal], limit: int = 10
) -> PriceHistory:
    """Return a product's prices over time. ``prices`` are those of now, from which is counted back."""
    changes_price = or_(*(Change.after[name].as_string().is_not(None) for name in PRICES))
    query = (
        select_changes(Change.before, Change.after)
        .where(Change.resource == "products", Change.record_id == product_id, changes_price)
        .order_by(Change.id.desc())
        .limit(limit + 1)
    )
    found = db.session.execute(query).all()
    now = {name: prices[name] for name in PRICES}
    rows = []
    for row in found[:limit]:
        old = {name: Decimal(row.before[name]) for name in PRICES if name in (row.before or {})}
        rows.append(
            PriceChange(
                build_origin(row, reader),
                now["cost_price"],
                now["sell_price"],
                old.get("cost_price"),
                old.get("sell_price"),
            )
        )
        now |= old
    return PriceHistory(rows, has_older=len(found) > limit)
