"""The dashboard's cached figures: read from Redis, then from the table; computed only on a cold start.

A value is a JSON object that also holds its own ``computed_at``; the table and Redis hold the same.
The periodic job computes, stores in its transaction, and mirrors to Redis after the commit.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import Metric
from webapp.models.base import utc_now
from webapp.services.metrics_raw import (
    METRIC_KEYS,
    Value,
    compute_metrics,
    get_daily_sales_quantity_raw,
    get_daily_sales_raw,
    get_product_metrics_raw,
    get_products_by_brand_raw,
    get_products_by_category_raw,
    get_sales_metrics_raw,
)
from webapp.services.metrics_redis import RedisMirror
from webapp.services.upsert import upsert

__all__ = [
    "METRIC_KEYS",
    "compute_metrics",
    "find_metrics",
    "get_daily_sales",
    "get_daily_sales_quantity",
    "get_daily_sales_quantity_raw",
    "get_daily_sales_raw",
    "get_metrics",
    "get_product_metrics",
    "get_product_metrics_raw",
    "get_products_by_brand",
    "get_products_by_brand_raw",
    "get_products_by_category",
    "get_products_by_category_raw",
    "get_sales_metrics",
    "get_sales_metrics_raw",
    "is_stale",
    "mirror_to_redis",
    "store_metrics",
]

STALE_AFTER = timedelta(seconds=600)

# {"value": the JSON object, "computed_at": when, as a datetime}
Cached = dict[str, Any]


@dataclass
class _State:
    """What one application in one process remembers: who computes on a cold start, and its Redis."""

    cold_start: threading.Lock = field(default_factory=threading.Lock)
    mirror: RedisMirror | None = None


def get_metrics() -> dict[str, Cached]:
    """Return ``{"value": …, "computed_at": …}`` under each key, however old it is."""
    return _get(METRIC_KEYS)


def find_metrics() -> dict[str, Cached] | None:
    """Return the same without ever computing: None until somebody has."""
    payloads = _find(METRIC_KEYS)
    return payloads and {key: _cached(payloads[key]) for key in METRIC_KEYS}


def get_product_metrics() -> Cached:
    """Return the cached ``metrics:product``."""
    return _get_one("metrics:product")


def get_sales_metrics() -> Cached:
    """Return the cached ``metrics:sales``."""
    return _get_one("metrics:sales")


def get_daily_sales() -> Cached:
    """Return the cached ``metrics:daily_sales``."""
    return _get_one("metrics:daily_sales")


def get_daily_sales_quantity() -> Cached:
    """Return the cached ``metrics:daily_sales_quantity``."""
    return _get_one("metrics:daily_sales_quantity")


def get_products_by_category() -> Cached:
    """Return the cached ``metrics:products_by_category``."""
    return _get_one("metrics:products_by_category")


def get_products_by_brand() -> Cached:
    """Return the cached ``metrics:products_by_brand``."""
    return _get_one("metrics:products_by_brand")


def is_stale(computed_at: datetime, now: datetime) -> bool:
    """Whether a page must say that a figure is old: two refreshes in a row did not come."""
    return now - computed_at > STALE_AFTER


def store_metrics(session: Session, values: Mapping[str, Value], computed_at: datetime) -> None:
    """Write the values into the table, within the caller's write transaction; newer ones stay as they are."""
    statement = upsert(session, Metric)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Metric.key],
            set_={"value": statement.excluded.value, "computed_at": statement.excluded.computed_at},
            where=statement.excluded.computed_at >= Metric.computed_at,
        ),
        [
            {"key": key, "value": value, "computed_at": computed_at}
            for key, value in _with_age(values, computed_at).items()
        ],
    )


def mirror_to_redis() -> None:
    """Set what the table holds in Redis, if there is one, for 600 s. Call it after the commit."""
    mirror = _mirror()
    if mirror is not None:
        mirror.put(_read_table(db.session(), METRIC_KEYS) or {})


def _with_age(values: Mapping[str, Value], computed_at: datetime) -> dict[str, Value]:
    return {key: {**value, "computed_at": computed_at.isoformat()} for key, value in values.items()}


def _get_one(key: str) -> Cached:
    return _get((key,))[key]


def _get(keys: Sequence[str]) -> dict[str, Cached]:
    payloads = _find(keys) or _start_cold(keys)
    return {key: _cached(payloads[key]) for key in keys}


def _find(keys: Sequence[str]) -> dict[str, Value] | None:
    mirror = _mirror()
    payloads = mirror.get(keys) if mirror is not None else None
    return _read_table(db.session(), keys) if payloads is None else payloads


def _cached(payload: Value) -> Cached:
    return {"value": payload, "computed_at": datetime.fromisoformat(payload["computed_at"])}


def _read_table(session: Session, keys: Sequence[str]) -> dict[str, Value] | None:
    rows = session.execute(select(Metric.key, Metric.value).where(Metric.key.in_(keys))).all()
    found: dict[str, Value] = {row.key: row.value for row in rows}
    return found if len(found) == len(keys) else None


def _start_cold(keys: Sequence[str]) -> dict[str, Value]:
    """Compute what was never computed. One request of this process does it, the others wait for it.

    Another process may do the same at the same time; both write the same kind of truth.
    """
    _release_connection()
    with _state().cold_start:
        found = _read_table(db.session(), keys)
        if found is not None:
            return found
        _release_connection()
        computed_at = utc_now()
        values = compute_metrics(computed_at)
        with write_transaction() as session:
            store_metrics(session, values, computed_at)
    mirror_to_redis()
    return _with_age(values, computed_at)


def _release_connection() -> None:
    """End the reader's transaction: many who wait with a connection in hand would leave none to compute with."""
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("metrics that may have to be computed are not read in a write transaction")
    session.rollback()


def _mirror() -> RedisMirror | None:
    url = settings().redis_url
    state = _state()
    if url and state.mirror is None:
        state.mirror = RedisMirror(url)
    return state.mirror


def _state() -> _State:
    state: _State = current_app.extensions.setdefault("stockroom_metrics", _State())
    return state
