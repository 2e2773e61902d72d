"""The files that are imported: products with references by name, then sales of them."""

import csv
import random
from pathlib import Path

CATEGORIES, BRANDS, MODELS = 50, 40, 400
SOLD = 20_000  # so many products are sold again and again
PRODUCT_COLUMNS = [
    "serial_number",
    "title",
    "category",
    "brand",
    "product_model",
    "cost_price",
    "sell_price",
    "reorder_level",
]
OUTFLOW_COLUMNS = ["reference", "product", "quantity", "unit_price", "unit_cost", "occurred_at"]


def write_parents(folder: Path) -> dict[str, Path]:
    """Write what products refer to, in the order in which it is to be imported."""
    brands = [(f"Brand {number}",) for number in range(BRANDS)]
    tables = {
        "categories": (["name"], [(f"Category {number}",) for number in range(CATEGORIES)]),
        "brands": (["name"], brands),
        "product_models": (["brand", "name"], [_model(number) for number in range(MODELS)]),
    }
    return {name: _write(folder / f"{name}.csv", *table) for name, table in tables.items()}


def write_products(path: Path, rows: int, bad: float = 0) -> Path:
    """Write products; of ``bad`` of them the category does not exist."""
    draw = random.Random(1)
    return _write(path, PRODUCT_COLUMNS, (_product(number, draw, bad) for number in range(rows)))


def write_stock(path: Path, products: int) -> Path:
    """Write the deliveries of what is sold: a million pieces each."""
    rows = ((f"P-{number}", _serial_number(number), "1000000") for number in range(min(products, SOLD)))
    return _write(path, ["reference", "product", "quantity"], rows)


def write_outflows(path: Path, rows: int, products: int, bad: float = 0) -> Path:
    """Write sales of some of the products; ``bad`` of them ask for more pieces than there are."""
    draw = random.Random(2)
    sold = min(products, SOLD)
    return _write(path, OUTFLOW_COLUMNS, (_outflow(number, sold, draw, bad) for number in range(rows)))


def _write(path: Path, columns: list[str], rows: object) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)  # type: ignore[arg-type]  # any iterable of rows
    return path


def _serial_number(number: int) -> str:
    return f"SKU-{number:07d}"


def _model(number: int) -> tuple[str, str]:
    return f"Brand {number % BRANDS}", f"Model {number}"


def _product(number: int, draw: random.Random, bad: float) -> tuple[str, ...]:
    category = "nowhere" if draw.random() < bad else f"Category {number % CATEGORIES}"
    brand, model = _model(number % MODELS)
    cost = draw.randint(100, 9_999)
    return (
        _serial_number(number),
        f"Product number {number}",
        category,
        brand,
        model,
        f"{cost / 100:.2f}",
        f"{cost / 50:.2f}",
        str(number % 20),
    )


def _outflow(number: int, sold: int, draw: random.Random, bad: float) -> tuple[str, ...]:
    quantity = 2_000_000_000 if draw.random() < bad else draw.randint(1, 9)
    price = draw.randint(100, 9_999) / 100
    moment = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d} {number % 24:02d}:{number % 60:02d}:00"
    return (
        f"S-{number:07d}",
        _serial_number(draw.randrange(sold)),
        str(quantity),
        f"{price:.2f}",
        f"{price / 2:.2f}",
        moment,
    )
