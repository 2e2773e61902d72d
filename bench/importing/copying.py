"""``python -m bench.importing.copying PRODUCTS OUTFLOWS``: what a database could do at most, without any of our promises.

The text goes into a staging table (COPY, or executemany on SQLite) and from there, by one statement a
table, to where it belongs: no check of a row, no signal, no audit, no word about what was wrong.
"""

import csv
import json
import sys
import time
from pathlib import Path

from sqlalchemy import Connection

from webapp import create_app
from webapp.database import write_transaction

COMMON = "1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
AMOUNT = {"postgresql": "CAST({} AS numeric)", "sqlite": "CAST(round({} * 10000) AS INTEGER)"}
STATEMENTS = {
    "products": """INSERT INTO product (serial_number, serial_number_key, title, search_text, category_id,
        product_model_id, cost_price, sell_price, quantity, reorder_level, version, created_at, updated_at)
        SELECT s.serial_number, lower(s.serial_number), s.title, lower(s.serial_number || ' ' || s.title), c.id,
        m.id, {cost_price}, {sell_price}, 1000000, CAST(s.reorder_level AS integer), {common}
        FROM staging s JOIN category c ON c.name_key = lower(s.category)
        JOIN brand b ON b.name_key = lower(s.brand)
        JOIN product_model m ON m.brand_id = b.id AND m.name_key = lower(s.product_model)""",
    "outflows": """INSERT INTO outflow (reference, reference_key, search_text, product_id, quantity, unit_price,
        unit_cost, kind, occurred_at, version, created_at, updated_at)
        SELECT s.reference, lower(s.reference), lower(s.reference), p.id, CAST(s.quantity AS integer), {unit_price},
        {unit_cost}, 'sale', {occurred_at}, {common}
        FROM staging s JOIN product p ON p.serial_number_key = lower(s.product)""",
    "sold": """UPDATE product SET quantity = product.quantity - sold.pieces
        FROM (SELECT product_id, sum(quantity) AS pieces FROM outflow GROUP BY product_id) AS sold
        WHERE sold.product_id = product.id""",
}


def stage(connection: Connection, path: Path) -> None:
    """Fill a staging table with the text of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
        columns = ", ".join(f"{name} text" for name in names)
        connection.exec_driver_sql("DROP TABLE IF EXISTS staging")
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE staging ({columns})")
        driver = connection.connection.driver_connection
        if connection.dialect.name == "postgresql":
            with driver.cursor() as cursor, cursor.copy("COPY staging FROM STDIN WITH (FORMAT csv)") as copy:  # type: ignore[union-attr]
                while block := file.read(1 << 20):
                    copy.write(block)
        else:
            places = ", ".join("?" * len(names))
            insert = f"INSERT INTO staging VALUES ({places})"  # noqa: S608 - question marks
            connection.exec_driver_sql(insert, list(map(tuple, csv.reader(file))))


def run(connection: Connection, name: str) -> None:
    """Move what is staged to where it belongs."""
    dialect = connection.dialect.name
    amounts = {
        column: AMOUNT[dialect].format(f"s.{column}")
        for column in ("cost_price", "sell_price", "unit_price", "unit_cost")
    }
    moment = "CAST(s.occurred_at AS timestamptz)" if dialect == "postgresql" else "s.occurred_at || '.000000'"
    connection.exec_driver_sql(STATEMENTS[name].format(common=COMMON, occurred_at=moment, **amounts))


def copy_file(path: Path, *names: str) -> float:
    """Copy one file in one transaction and return the seconds."""
    started = time.perf_counter()
    with write_transaction() as session:
        connection = session.connection()
        stage(connection, path)
        for name in names:
            run(connection, name)
    return time.perf_counter() - started


def main() -> None:
    """Copy products, then outflows."""
    with create_app().app_context():
        for name, path, statements in (
            ("products", sys.argv[1], ("products",)),
            ("outflows", sys.argv[2], ("outflows", "sold")),
        ):
            print(json.dumps({"resource": name, "seconds": copy_file(Path(path), *statements)}), flush=True)


if __name__ == "__main__":
    main()
