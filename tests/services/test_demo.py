"""The demo shop: the same for a seed, sound in its stock at every moment, and like a real one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select, text

from tests.support.databases import on_both_databases
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Category, Inflow, Outflow, Product, ProductModel, Supplier
from webapp.resources.derived import derived_columns
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Problem
from webapp.services import demo
from webapp.services.records import allocate_ids
from webapp.services.stock import verify_stock

pytestmark = pytest.mark.slow  # together they take longer than a commit should

MakeApp = Callable[..., Flask]
ZONE = "America/Sao_Paulo"
NOW = datetime(2018, 12, 5, 20, 30, tzinfo=UTC)  # 18:30 there, a month after the clocks changed


def frame(model: Any) -> pd.DataFrame:
    columns = [column.key for column in model.__mapper__.column_attrs]
    rows = db.session.execute(select(*(getattr(model, name) for name in columns)).order_by(model.id)).all()
    return pd.DataFrame(rows, columns=columns, dtype=object)


def dump() -> dict[str, list[Any]]:
    models = (Category, Brand, ProductModel, Supplier, Product, Inflow, Outflow)
    return {model.__name__: frame(model).to_numpy().tolist() for model in models}


def all_moves() -> pd.DataFrame:
    inflows, outflows = frame(Inflow), frame(Outflow)
    inflows["delta"], outflows["delta"] = inflows.quantity, -outflows.quantity
    moves = pd.concat([inflows, outflows], ignore_index=True)
    moves["occurred_at"] = pd.to_datetime(moves.occurred_at, utc=True)
    return moves


def assert_never_below_zero(moves: pd.DataFrame) -> None:
    moments = moves.groupby(["product_id", "occurred_at"]).delta.sum().reset_index()
    moments = moments.sort_values(["product_id", "occurred_at"])
    assert moments.delta.astype(int).groupby(moments.product_id).cumsum().min() >= 0


def test_the_same_seed_makes_the_same_shop(make_app: MakeApp, tmp_path: Path) -> None:
    shops = []
    for number, seed in enumerate((7, 7, 8)):
        with make_app(APP_TIMEZONE=ZONE, DATA_DIR=str(tmp_path / f"shop{number}")).app_context():
            upgrade()
            demo.load_demo(60, 900, seed, now=NOW)
            shops.append(dump())
    assert shops[0] == shops[1]
    assert shops[0]["Product"] != shops[2]["Product"]


@on_both_databases
def test_a_shop_is_sound_and_looks_real(make_app: MakeApp) -> None:
    told: list[tuple[int, int]] = []
    with make_app(APP_TIMEZONE=ZONE).app_context():
        counts = demo.load_demo(300, 8_000, 1, progress=lambda *parts: told.append(parts), now=NOW)
        products, moves = frame(Product), all_moves()
        assert verify_stock() == []
        assert_counts_are_true(counts)
        assert_derived_columns_are_those_of_the_app()
    assert counts["products"] == 300
    assert (moves.kind != "opening").sum() == 8_000
    assert told[-1] == (8_300, 8_300)
    assert told == sorted(told)
    assert_never_below_zero(moves)
    assert_days_have_a_rhythm(moves)
    assert_prices_are_sane(products, moves)
    # A handful is low and a handful is out; most are neither.
    low = (products.quantity <= products.reorder_level).sum()
    assert 5 <= low < 60
    assert 2 <= (products.quantity == 0).sum() < 30


def assert_counts_are_true(counts: dict[str, int]) -> None:
    for name, resource in RESOURCES.items():
        assert counts[name] == db.session.scalar(select(func.count()).select_from(resource.model)), name
        assert counts[name] >= 10


def assert_derived_columns_are_those_of_the_app() -> None:
    for resource in RESOURCES.values():
        for row in frame(resource.model).to_dict("records"):
            derived = derived_columns(resource, {str(name): value for name, value in row.items()})
            assert {name: row[name] for name in derived} == derived


def assert_days_have_a_rhythm(moves: pd.DataFrame) -> None:
    assert moves.occurred_at.max() <= NOW
    assert moves.occurred_at.min() > NOW - timedelta(days=184)
    local = moves.occurred_at.dt.tz_convert(ZONE)
    trade = local[moves.kind != "opening"]
    assert trade.dt.hour.between(8, 20).all()
    assert trade.dt.date.nunique() == 183
    sales = local[moves.kind == "sale"]
    by_weekday = sales.dt.day_of_week.value_counts()
    assert by_weekday[5] > 1.3 * by_weekday[2]
    assert by_weekday[6] < 0.8 * by_weekday[2]
    units = moves[moves.kind == "sale"].groupby("product_id").quantity.sum().sort_values(ascending=False)
    assert units.head(30).sum() > 0.3 * units.sum()  # a tenth of the products sells a third, at least


def assert_prices_are_sane(products: pd.DataFrame, moves: pd.DataFrame) -> None:
    assert (products.cost_price > 0).all()
    assert (products.cost_price < products.sell_price).all()
    sales = moves[moves.kind == "sale"].merge(
        products[["id", "sell_price", "cost_price"]], left_on="product_id", right_on="id"
    )
    assert (sales.unit_price <= sales.sell_price).all()
    assert (sales.unit_cost <= sales.cost_price).all()
    assert (sales.unit_price < sales.sell_price).any()
    assert (sales.unit_cost < sales.cost_price).any()
    assert moves[moves.kind == "sale"].reference.str.fullmatch(r"INV-2018-\d{6}").all()
    assert moves[moves.kind == "purchase"].reference.str.fullmatch(r"PO-2018-\d{5}").all()
    assert moves[moves.kind == "purchase"].supplier_id.notna().all()
    assert moves[moves.kind == "adjustment"].reason.notna().all()
    assert products.serial_number.str.fullmatch(r"[A-Z]{3}-\d{5}").all()
    assert products.title.is_unique


@on_both_databases
@pytest.mark.parametrize(
    ("products", "movements", "now"),
    [
        (1, 2_000, NOW),
        (1, 0, NOW),
        (25, 40, NOW),
        (40, 5_000, datetime(2018, 12, 5, 8, 0, tzinfo=UTC)),  # before the shop opens
        (40, 5_000, datetime(2018, 12, 5, 10, 0, 1, tzinfo=UTC)),  # a second after
        (5_000, 300, NOW),
    ],
)
def test_any_size_at_any_hour_is_sound(
    make_app: MakeApp, products: int, movements: int, now: datetime
) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context():
        counts = demo.load_demo(products, movements, 3, now=now)
        moves = all_moves()
        assert verify_stock() == []
        assert db.session.scalar(select(func.count(Product.serial_number_key.distinct()))) == products
    assert counts["products"] == products
    assert (moves.kind != "opening").sum() == movements
    assert moves.occurred_at.max() <= now
    assert_never_below_zero(moves)


def test_a_shop_with_products_is_left_alone(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context():
        demo.load_demo(5, 10, 1, now=NOW)
        before = dump()
        with pytest.raises(Problem, match="already has products"):
            demo.load_demo(5, 10, 1, now=NOW)
        assert dump() == before


@pytest.mark.parametrize(("products", "movements"), [(0, 5), (5, -1)])
def test_a_shop_of_nothing_is_refused(make_app: MakeApp, products: int, movements: int) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context(), pytest.raises(Problem):
        demo.load_demo(products, movements, 1)


@on_both_databases
def test_categories_that_are_there_are_used(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context():
        with write_transaction() as session:
            row = {"name": "GROCERIES", "name_key": "groceries", "created_at": NOW, "updated_at": NOW}
            session.execute(insert(Category), [row])
        counts = demo.load_demo(100, 50, 1, now=NOW)
        assert counts["categories"] == 9
        used = select(Category.name).join(Product, Product.category_id == Category.id).distinct()
        assert "GROCERIES" in db.session.scalars(used).all()


@on_both_databases
def test_records_that_come_later_get_new_ids(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context():
        demo.load_demo(20, 100, 1, now=NOW)
        with write_transaction() as session:
            for resource in RESOURCES.values():
                last = session.execute(select(func.max(resource.model.id))).scalar_one()
                assert list(allocate_ids(session, resource.model.__tablename__, 2)) == [last + 1, last + 2]


@on_both_databases
def test_the_planner_knows_what_was_loaded(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE=ZONE).app_context():
        demo.load_demo(20, 100, 1, now=NOW)
        known = "SELECT reltuples FROM pg_class WHERE oid = 'product'::regclass"
        if db.engine.dialect.name == "sqlite":
            known = "SELECT stat FROM sqlite_stat1 WHERE idx = 'ix_product_title'"
        assert str(db.session.scalar(text(known))).split()[0] in ("20", "20.0")


@on_both_databases
def test_every_batch_leaves_a_sound_shop(make_app: MakeApp) -> None:
    checked = []

    def check(done: int, _total: int) -> None:
        checked.append(done)
        assert verify_stock() == []

    with make_app(APP_TIMEZONE=ZONE).app_context():
        demo.load_demo(1_500, 3_000, 1, progress=check, now=NOW)
    assert len(checked) > 3


def test_the_zone_decides_when_the_shop_is_open(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE="Asia/Tokyo").app_context():
        demo.load_demo(30, 500, 1, now=NOW)
        sales = all_moves()
    hours = sales[sales.kind == "sale"].occurred_at.dt.tz_convert(ZoneInfo("Asia/Tokyo")).dt.hour
    assert hours.between(8, 20).all()
