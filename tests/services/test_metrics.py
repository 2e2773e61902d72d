"""Every figure of the dashboard against an independent computation with pandas, and the cache's manners."""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from tests.support.databases import index_for_search, on_both_databases
from tests.support.processes import on_this_machine
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Category, Inflow, Metric, Outflow, Product, ProductModel
from webapp.models.base import Money
from webapp.services import metrics, metrics_raw
from webapp.services.exact_sum import choose_sum, exact_sum, plain_sum, split_sum
from webapp.services.metrics_days import split_into_days
from webapp.services.metrics_redis import RedisMirror
from webapp.services.product_moves import note_moves

MakeApp = Callable[..., Flask]

# The last 60 days hold a change of the clocks in each, at midnight in Sao Paulo (a day without 00:00,
# or with two 23:00), and in St. John's one that makes a day begin twice.
EDGES = [
    ("America/Sao_Paulo", datetime(2018, 11, 20, 1, 30, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 3, 10, 2, 59, 59, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 4, 10, 22, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 26, 12, 0, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 20, 12, 0, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2012, 1, 10, 12, 0, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 1, 0, 0, tzinfo=UTC)),
    ("UTC", datetime(2026, 3, 1, 0, 0, tzinfo=UTC)),
]


def near_midnights(now: datetime, zone: ZoneInfo, rng: random.Random) -> list[datetime]:
    """Moments of the last 70 days: the very edges of local days, the hours about them, and any."""
    moments = []
    for back in range(-2, 70):
        day = now.astimezone(zone).date() - timedelta(days=back)
        for fold in (0, 1):
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone, fold=fold).astimezone(UTC)
            moments += [midnight + timedelta(microseconds=step) for step in (-1, 0, 1)]
            moments += [midnight + timedelta(minutes=rng.randint(-90, 90)) for _ in range(3)]
        moments += [now - timedelta(seconds=rng.randint(0, 70 * 86400)) for _ in range(10)]
    return moments


def amount(rng: random.Random, limit: int = 500) -> Decimal:
    return Decimal(rng.randint(0, limit * 10_000)) / 10_000


def fill(now: datetime, zone: ZoneInfo, seed: int) -> None:
    """Write a shop of random things."""
    rng = random.Random(seed)  # noqa: S311 - any rows will do
    about = {"created_at": now, "updated_at": now}
    categories = [{"id": i, "name": f"C{i}", "name_key": f"c{i}", **about} for i in range(1, 8)]
    brands = [{"id": i, "name": f"B{i}", "name_key": f"b{i}", **about} for i in range(1, 6)]
    models = [
        {"id": i, "brand_id": rng.randint(1, 4), "name": f"M{i}", "name_key": f"m{i}", **about}
        for i in range(1, 12)
    ]
    products = [
        {
            "id": i,
            "serial_number": f"P{i}",
            "serial_number_key": f"p{i}",
            "title": f"Thing {i}",
            "category_id": rng.randint(1, 6),
            "product_model_id": rng.choice([None, *range(1, 12)]),
            "cost_price": amount(rng),
            "sell_price": amount(rng),
            "quantity": rng.choice([0, 0, -2, rng.randint(0, 9), rng.randint(0, 2_000_000)]),
            "reorder_level": rng.choice([0, 5, 10]),
            **about,
        }
        for i in range(1, 80)
    ]
    outflows = [
        {
            "reference": f"R{i}",
            "reference_key": f"r{i}",
            "product_id": rng.randint(1, 79),
            "quantity": rng.randint(1, 40),
            "unit_price": amount(rng),
            "unit_cost": amount(rng),
            "kind": rng.choice(["sale", "sale", "sale", "adjustment"]),
            "occurred_at": moment,
            **about,
        }
        for i, moment in enumerate(
            [*near_midnights(now, zone, rng), now - timedelta(days=900), now + timedelta(days=900)]
        )
    ]
    with write_transaction() as session:
        for model, rows in (
            (Category, categories),
            (Brand, brands),
            (ProductModel, models),
            (Product, products),
            (Outflow, outflows),
        ):
            session.execute(insert(model), rows)
        balance(session)
        index_for_search(session)
    note_moves()


def balance(session: Session) -> None:
    """Record what must have come in (or got lost), so that each quantity is the sum of its movements."""
    session.execute(delete(Inflow))
    out = select(func.coalesce(func.sum(Outflow.quantity), 0)).where(Outflow.product_id == Product.id)
    for product_id, quantity in session.execute(select(Product.id, Product.quantity + out.scalar_subquery())):
        row = {"product_id": product_id, "reference": "B", "reference_key": "b", "quantity": abs(quantity)}
        if quantity > 0:
            session.execute(insert(Inflow), [{**row, "unit_cost": Decimal(1)}])
        elif quantity < 0:
            lost = {"unit_cost": Decimal(1), "unit_price": Decimal(1), "kind": "adjustment"}
            session.execute(insert(Outflow), [{**row, **lost}])


def frame(model: type[Any]) -> pd.DataFrame:
    columns = [column.key for column in model.__mapper__.column_attrs]
    rows = db.session.execute(select(*(getattr(model, name) for name in columns))).all()
    return pd.DataFrame(rows, columns=columns, dtype=object)


def cents(value: Any) -> str:
    return format(Decimal(value).quantize(Decimal("0.01")) + 0, "f")


def sales_frame(zone: ZoneInfo) -> pd.DataFrame:
    sales = frame(Outflow)
    sales = sales[sales.kind == "sale"].copy()
    moments = pd.to_datetime(sales.occurred_at, utc=True)
    sales["day"] = moments.dt.tz_convert(str(zone)).dt.date
    sales["revenue"] = sales.quantity * sales.unit_price
    sales["cost"] = sales.quantity * sales.unit_cost
    return sales


def expected_totals(sales: pd.DataFrame) -> dict[str, Any]:
    revenue, cost = Decimal(sales.revenue.sum()), Decimal(sales.cost.sum())
    return {
        "sales": len(sales),
        "units": int(sales.quantity.sum()),
        "revenue": cents(revenue),
        "cost": cents(cost),
        "profit": cents(revenue - cost),
        "margin": cents((revenue - cost) * 100 / revenue) if revenue else None,
    }


@on_both_databases
@pytest.mark.parametrize(("timezone", "now"), EDGES)
def test_sales_agree_with_pandas_on_the_edges_of_days(
    make_app: MakeApp, timezone: str, now: datetime
) -> None:
    zone = ZoneInfo(timezone)
    with make_app(APP_TIMEZONE=timezone).app_context():
        fill(now, zone, seed=hash_of(timezone, now))
        sales = sales_frame(zone)
        today = now.astimezone(zone).date()
        days = [today - timedelta(days=back) for back in range(59, -1, -1)]
        values = metrics.compute_metrics(now)

        found = values["metrics:sales"]
        recent = sales[sales.day.isin(days[30:])]
        assert found["all_time"] == expected_totals(sales)
        assert found["last_30_days"] == {
            "from": days[30].isoformat(),
            "to": today.isoformat(),
            **expected_totals(recent),
        }
        assert found["previous_30_days"] == {
            "from": days[0].isoformat(),
            "to": days[29].isoformat(),
            **expected_totals(sales[sales.day.isin(days[:30])]),
        }
        assert_best_sellers(found["best_sellers"], recent)
        assert_days(values, sales, days[30:])
        assert metrics.get_sales_metrics_raw(now) == found
        assert metrics.get_daily_sales_raw(now) == values["metrics:daily_sales"]
        assert metrics.get_daily_sales_quantity_raw(now) == values["metrics:daily_sales_quantity"]


def hash_of(*parts: Any) -> int:
    return sum(map(ord, "".join(map(str, parts))))


def assert_best_sellers(found: list[dict[str, Any]], recent: pd.DataFrame) -> None:
    best = (
        recent.groupby("product_id")
        .agg(
            units=("quantity", "sum"), sales=("id", "count"), revenue=("revenue", "sum"), cost=("cost", "sum")
        )
        .reset_index()
    )
    best["product_id"] = best.product_id.astype(int)
    best = best.sort_values(["units", "product_id"], ascending=[False, True]).head(10)
    assert found == [
        {
            "id": row["product_id"],
            "serial_number": f"P{row['product_id']}",
            "title": f"Thing {row['product_id']}",
            "units": row["units"],
            "sales": row["sales"],
            "revenue": cents(row["revenue"]),
            "cost": cents(row["cost"]),
            "profit": cents(row["revenue"] - row["cost"]),
        }
        for row in best.to_dict("records")
    ]


def assert_days(values: dict[str, Any], sales: pd.DataFrame, days: list[date]) -> None:
    money, units = [], []
    for day in days:
        total = expected_totals(sales[sales.day == day])
        money.append({"date": day.isoformat(), **{key: total[key] for key in ("revenue", "cost", "profit")}})
        units.append({"date": day.isoformat(), "units": total["units"], "sales": total["sales"]})
    assert values["metrics:daily_sales"]["days"] == money
    assert values["metrics:daily_sales_quantity"]["days"] == units


@on_both_databases
@pytest.mark.parametrize("seed", range(3))
def test_stock_agrees_with_pandas(make_app: MakeApp, seed: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with make_app().app_context():
        fill(now, ZoneInfo("UTC"), seed)
        products = frame(Product)
        products["cost"] = products.quantity * products.cost_price
        products["price"] = products.quantity * products.sell_price
        values = metrics.compute_metrics(now)

        lowest = products.sort_values(["quantity", "reorder_level", "id"], ascending=[True, False, True])
        assert values["metrics:product"] == {
            "products": len(products),
            "units": products.quantity.sum(),
            "value_at_cost": cents(products.cost.sum()),
            "value_at_price": cents(products.price.sum()),
            "potential_profit": cents(products.price.sum() - products.cost.sum()),
            "low_stock": (products.quantity <= products.reorder_level).sum(),
            "out_of_stock": (products.quantity <= 0).sum(),
            "lowest_stocks": lowest.head(10)[
                ["id", "serial_number", "title", "quantity", "reorder_level"]
            ].to_dict("records"),
        }
        products["brand_id"] = products.product_model_id.map(frame(ProductModel).set_index("id").brand_id)
        products["brand_id"] = products.brand_id.fillna(0).astype(int)
        assert values["metrics:products_by_category"]["rows"] == expected_groups(products, "category_id", "C")
        assert values["metrics:products_by_brand"]["rows"] == expected_groups(products, "brand_id", "B")
        assert metrics.get_product_metrics_raw() == values["metrics:product"]
        assert metrics.get_products_by_category_raw() == values["metrics:products_by_category"]
        assert metrics.get_products_by_brand_raw() == values["metrics:products_by_brand"]


def expected_groups(products: pd.DataFrame, by: str, letter: str) -> list[dict[str, Any]]:
    rows = []
    for number in sorted(set(products[by].tolist())):
        group = products[products[by] == number]
        rows.append(
            {
                "id": number or None,
                "name": f"{letter}{number}" if number else None,
                "products": len(group),
                "units": group.quantity.sum(),
                "value_at_cost": cents(group.cost.sum()),
                "value_at_price": cents(group.price.sum()),
            }
        )
    return sorted(rows, key=lambda row: (-row["products"], -row["units"], str(row["name"])))


@on_both_databases
def test_an_empty_shop_has_thirty_days_of_nothing(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE="Europe/Berlin").app_context():
        values = metrics.compute_metrics(datetime(2026, 4, 10, tzinfo=UTC))
    assert tuple(values) == metrics.METRIC_KEYS
    assert values["metrics:product"]["value_at_cost"] == "0.00"
    assert values["metrics:sales"]["all_time"]["margin"] is None
    assert values["metrics:sales"]["best_sellers"] == []
    assert len(values["metrics:daily_sales"]["days"]) == 30
    assert {day["revenue"] for day in values["metrics:daily_sales"]["days"]} == {"0.00"}
    assert values["metrics:products_by_brand"] == {"rows": []}
    json.dumps(values)


@on_both_databases
def test_sums_beyond_64_bits_keep_their_cents(make_app: MakeApp) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    price = Decimal("99999999.9999")
    with make_app().app_context():
        fill(now, ZoneInfo("UTC"), seed=1)
        with write_transaction() as session:
            session.execute(text("UPDATE product SET quantity = 2000000000"))
            session.execute(update(Product).values(sell_price=price))
            balance(session)
        value = metrics.get_product_metrics_raw()
    assert value["value_at_price"] == cents(price * 2_000_000_000 * 79)


@on_both_databases
def test_sales_beyond_64_bits_keep_their_cents(make_app: MakeApp) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    price, cost = Decimal("999999999999.9999"), Decimal("0.0001")
    with make_app().app_context():
        fill(now, ZoneInfo("UTC"), seed=1)
        with write_transaction() as session:
            session.execute(
                update(Outflow).values(quantity=1_000_000, unit_price=price, unit_cost=cost, kind="sale")
            )
            balance(session)
            count = session.scalars(select(func.count()).select_from(Outflow)).one()
        value = metrics.get_sales_metrics_raw(now)["all_time"]
    assert (value["revenue"], value["cost"]) == (
        cents(price * 1_000_000 * count),
        cents(cost * 1_000_000 * count),
    )


@pytest.mark.parametrize(
    ("row_id", "quantity", "price", "chosen"),
    [
        (1, 1, "922337203685477.5807", plain_sum),  # 2^63 - 1 ten-thousandths
        (2, 1, "461168601842738.7903", plain_sum),
        (2, 1, "461168601842738.7904", split_sum),
        (1, 2, "461168601842738.7904", split_sum),
        (1, -2, "461168601842738.7904", split_sum),  # stock below zero, where that is allowed
        (1_000_000, 5_000_000, "200.0000", split_sum),
        (1_000_000, 5_000_000, "1000000000.0000", exact_sum),
    ],
)
def test_as_few_parts_are_summed_as_stay_in_64_bits(
    row_id: int, quantity: int, price: str, chosen: type[exact_sum]
) -> None:
    amounts = (Column("price", Money), Column("cost", Money))
    table = Table("thing", MetaData(), Column("id", Integer), Column("quantity", Integer), *amounts)
    with create_engine("sqlite://").connect() as connection:
        table.create(connection)
        row = {"id": row_id, "quantity": quantity, "price": Decimal(price), "cost": Decimal(1)}
        connection.execute(insert(table).values(row))
        assert choose_sum(connection, *table.c) is chosen


@on_both_databases
def test_a_sum_is_rounded_once_and_half_to_even(make_app: MakeApp) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with make_app().app_context():
        fill(now, ZoneInfo("UTC"), seed=1)
        with write_transaction() as session:
            session.execute(text("DELETE FROM outflow"))
            session.execute(text("DELETE FROM inflow"))
            session.execute(text("DELETE FROM product WHERE id > 2"))
            session.execute(
                update(Product).values(quantity=1, cost_price=Decimal("0.0025"), sell_price=Decimal("0.0075"))
            )
            balance(session)
        value = metrics.get_product_metrics_raw()
    # 0.005 goes to 0.00 and 0.015 to 0.02; rounding each row first would give 0.00 and 0.02 or 0.01.
    assert (value["value_at_cost"], value["value_at_price"]) == ("0.00", "0.02")
    assert value["potential_profit"] == "0.01"


def test_days_cover_all_time_without_gap_or_overlap() -> None:
    for name in ("America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "UTC"):
        spans = split_into_days(date(2010, 10, 1), date(2012, 3, 1), ZoneInfo(name))
        assert all(one.end == other.start for one, other in pairwise(spans))
        for span in spans:
            assert span.start.astimezone(ZoneInfo(name)).date() == span.day
            assert (span.end - timedelta(microseconds=1)).astimezone(ZoneInfo(name)).date() == span.day


# --- the cache


def count_computations(monkeypatch: pytest.MonkeyPatch, seconds: float = 0) -> list[datetime]:
    computed: list[datetime] = []

    def compute(now: datetime) -> dict[str, Any]:
        computed.append(now)
        time.sleep(seconds)
        return metrics_raw.compute_metrics(now)

    monkeypatch.setattr(metrics, "compute_metrics", compute)
    return computed


@on_both_databases
def test_fifty_requests_on_a_cold_start_compute_once(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    computed = count_computations(monkeypatch, seconds=0.1)
    found: list[Any] = []

    def ask() -> None:
        with app.app_context():
            found.append(metrics.get_metrics())

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed) == 1
    assert len(found) == 50
    assert all(one == found[0] for one in found)


def test_an_old_value_is_shown_and_not_computed_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = count_computations(monkeypatch)
    old = datetime(2020, 1, 1, tzinfo=UTC)
    with make_app().app_context():
        values = metrics_raw.compute_metrics(old)
        with write_transaction() as session:
            metrics.store_metrics(session, values, old)
        found = metrics.get_product_metrics()
        assert found["computed_at"] == old
        assert found["value"] == {**values["metrics:product"], "computed_at": old.isoformat()}
        assert set(metrics.get_metrics()) == set(metrics.METRIC_KEYS)
        for get in (
            metrics.get_sales_metrics,
            metrics.get_daily_sales,
            metrics.get_daily_sales_quantity,
            metrics.get_products_by_category,
            metrics.get_products_by_brand,
        ):
            assert get()["computed_at"] == old
    assert computed == []


@on_both_databases
def test_storing_again_replaces(make_app: MakeApp) -> None:
    first, second = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    with make_app().app_context():
        for moment in (first, second):
            with write_transaction() as session:
                metrics.store_metrics(session, metrics.compute_metrics(moment), moment)
        rows = db.session.execute(select(Metric)).scalars().all()
        assert {row.key for row in rows} == set(metrics.METRIC_KEYS)
        assert {row.computed_at for row in rows} == {second}


def test_a_cold_start_refuses_to_lose_what_is_being_written(make_app: MakeApp) -> None:
    with make_app().app_context(), write_transaction() as session:
        session.add(Category(name="Tea", name_key="tea"))
        with pytest.raises(RuntimeError, match="write transaction"):
            metrics.get_metrics()


def test_stale_is_older_than_ten_minutes() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert not metrics.is_stale(now - timedelta(minutes=10), now)
    assert metrics.is_stale(now - timedelta(minutes=10, seconds=1), now)


def test_without_its_redis_a_page_is_still_fast_and_the_log_says_it_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    with make_app(REDIS_URL="redis://127.0.0.1:1/0").app_context():
        started = time.monotonic()
        for _ in range(5):
            metrics.get_metrics()
        assert time.monotonic() - started < on_this_machine(1)
        metrics.mirror_to_redis()
    assert [record.levelname for record in caplog.records if "Redis" in record.message] == ["WARNING"]


@pytest.mark.integration
def test_redis_holds_the_same_json_for_ten_minutes(make_app: MakeApp, redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with make_app(REDIS_URL=redis_url).app_context():
        values = metrics.compute_metrics(now)
        with write_transaction() as session:
            metrics.store_metrics(session, values, now)
        metrics.mirror_to_redis()
        rows = {row.key: row.value for row in db.session.execute(select(Metric.key, Metric.value))}
        mirrored = metrics.get_metrics()
        with write_transaction() as session:
            session.execute(delete(Metric))
        assert metrics.get_metrics() == mirrored
    for key in metrics.METRIC_KEYS:
        assert json.loads(client.get(key) or "") == rows[key] == mirrored[key]["value"]
        assert 590 < client.ttl(key) <= 600
    client.close()


class FakeRedis:
    """Answers like Redis, as long as it is up."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.is_up = True
        self.calls = 0

    def mget(self, keys: list[str]) -> list[str | None]:
        self.calls += 1
        if not self.is_up:
            raise ConnectionError
        return [self.texts.get(key) for key in keys]


def test_redis_is_left_alone_for_a_while_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    fake = FakeRedis()
    mirror = RedisMirror("redis://127.0.0.1:1/0", clock=lambda: clock[0])
    monkeypatch.setattr(mirror, "_redis", fake)
    fake.texts = {"a": '{"computed_at": "x"}', "b": "no json", "c": "{}"}
    assert mirror.get(["a"]) == {"a": {"computed_at": "x"}}
    assert mirror.get(["b"]) is None
    assert mirror.get(["c"]) is None
    assert mirror.get(["a", "missing"]) is None
    fake.is_up = False
    assert mirror.get(["a"]) is None
    fake.is_up, fake.calls = True, 0
    assert mirror.get(["a"]) is None
    assert fake.calls == 0
    clock[0] += 5
    assert mirror.get(["a"]) == {"a": {"computed_at": "x"}}


def test_reading_the_cache_asks_the_database_once(make_app: MakeApp) -> None:
    with make_app().app_context():
        metrics.get_metrics()
        statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        metrics.get_metrics()
        assert len(statements) == 1
