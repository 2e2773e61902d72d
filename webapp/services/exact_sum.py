"""Σ quantity x amount, exact on both databases.

SQLite keeps amounts as integers, but what leaves 64 bits is there a float without its cents, or an error.
So the digits of the amounts are summed in parts, small enough for that, and the parts are put together in
Python, where integers do not end. Few shops need it: ``choose_sum`` finds the fewest parts that do.
"""

from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Dialect, Numeric, String, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from webapp.models.base import MONEY_SCALE

LARGEST_INTEGER = 2**63 - 1

AnyColumn = ColumnElement[Any] | InstrumentedAttribute[Any]


class _Amount(TypeDecorator[Decimal]):
    """A Decimal: PostgreSQL's own, or made of the parts that SQLite writes, the highest first."""

    impl = Numeric
    cache_ok = True

    def __init__(self, base: int) -> None:
        """``base``: what one of a part is worth in the next lower part."""
        super().__init__()
        self.base = base

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal:
        """Return zero as the sum of no rows."""
        if value is None:
            return Decimal(0)
        if dialect.name != "sqlite":
            return Decimal(value)
        total = 0
        for part in value.split():
            total = total * self.base + int(part)
        return Decimal(total) / MONEY_SCALE


class exact_sum(FunctionElement[Decimal]):  # noqa: N801 - reads as the SQL function that it is
    """``exact_sum(quantity, amount)``: the sum of their products. A result, not something to sort by.

    Any amount and quantity that can be stored, in millions of rows.
    """

    PARTS: ClassVar = 7
    BASE: ClassVar = 1000
    type = _Amount(BASE)
    inherit_cache = True


class split_sum(exact_sum):  # noqa: N801 - as above
    """The same of a large shop."""

    PARTS: ClassVar = 2
    BASE: ClassVar = 1_000_000
    type = _Amount(BASE)
    inherit_cache = True


class plain_sum(exact_sum):  # noqa: N801 - as above
    """The same of a small one, in two thirds of the time."""

    PARTS: ClassVar = 1
    inherit_cache = True


@compiles(exact_sum, "sqlite")
def _compile_sqlite(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    quantity, amount = (compiler.process(clause, **options) for clause in element.clauses)
    return (
        f"({''' || ' ' || '''.join(f'sum({quantity} * ({part}))' for part in _split(element, amount))} || '')"
    )


def _split(element: exact_sum, amount: str) -> list[str]:
    """Return the parts of the amount, the highest first; the highest has all digits that are left."""
    highest, base = element.PARTS - 1, element.BASE
    lower = [f"{amount} / {base**place} % {base}" for place in reversed(range(highest))]
    return [f"{amount} / {base**highest}" if highest else amount, *lower]


@compiles(exact_sum, "postgresql")
def _compile_postgresql(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    quantity, amount = (compiler.process(clause, **options) for clause in element.clauses)
    return f"sum({quantity} * {amount})"


def choose_sum(
    connection: Connection, row_id: AnyColumn, quantity: AnyColumn, *amounts: AnyColumn
) -> type[exact_sum]:
    """Return the fastest exact way to sum these columns of a table, as they are in this snapshot.

    The ends of a column are a look at its index. There are no more rows than the largest id.
    """
    if connection.dialect.name != "sqlite":
        return exact_sum
    ends = (func.max(row_id), func.max(quantity), func.min(quantity), *map(func.max, amounts))
    # Each asked by itself: only then SQLite goes to one end of its index and looks no further.
    found = connection.execute(select(*(select(end).scalar_subquery() for end in ends))).one()
    rows, most, least, *largest = (value or 0 for value in found)
    pieces, amount = rows * max(most, -least), int(max(largest) * MONEY_SCALE)
    for kind in (plain_sum, split_sum):
        part = amount if kind.PARTS == 1 else max(amount // kind.BASE, kind.BASE)
        if pieces * part <= LARGEST_INTEGER:
            return kind
    return exact_sum
