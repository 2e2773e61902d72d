"""Σ quantity x amount, exact on both databases.

SQLite keeps amounts as integers, but a product of integers beyond 64 bits silently becomes a float
there and loses its cents (a stock value of 10^15 would do). So it sums the upper and the lower
digits of the amounts apart and the two are put together in Python, where integers do not end.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect, Numeric, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from webapp.models.base import MONEY_SCALE

UPPER_DIGITS = 1_000_000


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
