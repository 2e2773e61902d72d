"""Σ quantity x amount, exact on both databases.

SQLite keeps amounts as integers, but a product of integers beyond 64 bits silently becomes a float
there and loses its cents (a stock value of 10^15 would do). So it sums the upper and the lower
digits of the amounts apart and the two are put together in Python, where integers do not end.
Nearly every shop is far too small for that: where the largest values prove it, a plain sum is a third faster.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Numeric, String, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from webapp.models.base import MONEY_SCALE

UPPER_DIGITS = 1_000_000
LARGEST_INTEGER = 2**63 - 1

AnyColumn = ColumnElement[Any] | InstrumentedAttribute[Any]


class _Amount(TypeDecorator[Decimal]):
    """A Decimal: PostgreSQL's own, or made of the two parts that SQLite writes as ``upper lower``."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal:
        """Return zero as the sum of no rows."""
        if value is None:
            return Decimal(0)
        if dialect.name != "sqlite":
            return Decimal(value)
        upper, lower = map(Decimal, value.split())
        return (upper * UPPER_DIGITS + lower) / MONEY_SCALE


class exact_sum(FunctionElement[Decimal]):  # noqa: N801 - reads as the SQL function that it is
    """``exact_sum(quantity, amount)``: the sum of their products. A result, not something to sort by."""

    type = _Amount()
    inherit_cache = True
    name = "exact_sum"


@compiles(exact_sum, "sqlite")
def _exact_sum_sqlite(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    quantity, amount = (compiler.process(clause, **options) for clause in element.clauses)
    upper, lower = (f"sum({quantity} * ({amount} {part} {UPPER_DIGITS}))" for part in "/%")
    return f"({upper} || ' ' || {lower})"


@compiles(exact_sum, "postgresql")
def _exact_sum_postgresql(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    quantity, amount = (compiler.process(clause, **options) for clause in element.clauses)
    return f"sum({quantity} * {amount})"


class fitting_sum(exact_sum):  # noqa: N801 - as above
    """The same of values that ``choose_sum`` found too small to leave 64 bits."""

    inherit_cache = True
    name = "fitting_sum"


@compiles(fitting_sum, "sqlite")
def _fitting_sum_sqlite(element: fitting_sum, compiler: SQLCompiler, **options: Any) -> str:
    quantity, amount = (compiler.process(clause, **options) for clause in element.clauses)
    return f"('0 ' || sum({quantity} * {amount}))"


def choose_sum(
    connection: Connection,
    row_id: AnyColumn,
    quantity: AnyColumn,
    *amounts: AnyColumn,
) -> type[exact_sum]:
    """Return how the columns of one table are summed on this database, as they are in its snapshot.

    The ends of a column are a look at its index. There are no more rows than the largest id.
    """
    if connection.dialect.name != "sqlite":
        return exact_sum
    ends = (func.max(row_id), func.max(quantity), func.min(quantity), *map(func.max, amounts))
    # Each asked by itself: only then SQLite goes to one end of its index and looks no further.
    found = connection.execute(select(*(select(end).scalar_subquery() for end in ends))).one()
    rows, most, least, *largest = (value or 0 for value in found)
    amount = int(max(largest) * MONEY_SCALE)
    return fitting_sum if rows * max(most, -least) * amount <= LARGEST_INTEGER else exact_sum
