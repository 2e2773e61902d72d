"""A column as no index has it: the planner of SQLite is kept from an index that would only look rows up one by one."""

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.orm import InstrumentedAttribute


class unindexed(GenericFunction[Any]):  # noqa: N801 - it reads as a function of SQL
    """The column with a plus sign before it on SQLite (https://sqlite.org/optoverview.html#uplus), itself elsewhere."""

    inherit_cache = True

    def __init__(self, column: "Column[Any] | InstrumentedAttribute[Any]") -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed)
def _compile(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(unindexed, "sqlite")
def _compile_sqlite(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"
