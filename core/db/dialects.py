"""Constructs that SQLite and PostgreSQL write differently, decided when a statement is compiled.

A statement is built once and compiled for whichever database runs it, so code that builds a statement need
not know which database that will be. See docs/decisions/0037.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Cast, ColumnElement, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.db.tables import Table


def insert_into(table: type[Table]) -> postgresql.Insert:
    """An INSERT that may say what to do ON CONFLICT.

    SQLite has the clause from PostgreSQL, and its compiler in SQLAlchemy reads PostgreSQL's object; the
    other way round fails. tests/db/test_dialects.py would notice if that changed.
    """
    return postgresql.insert(table)


class JsonElements(FunctionElement[Any]):
    """The elements of the JSON array in a text; with `table_valued("value")` one row for each."""

    inherit_cache = True


@compiles(JsonElements, "sqlite")
def _elements_on_sqlite(element: JsonElements, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(JsonElements, "postgresql")
def _elements_on_postgresql(element: JsonElements, compiler: SQLCompiler, **how: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **how)} AS JSONB))"


class FromJson(Cast[Any]):
    """A value taken from a JSON array, as a value of this type. On SQLite it stays as it is: json_each has
    made a number or a text of it, and SQLite stores nothing else."""

    inherit_cache = True


@compiles(FromJson, "sqlite")
def _as_it_is_on_sqlite(element: FromJson, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clause, **how)


class JsonOfRows(FunctionElement[str]):
    """An aggregate: all rows of a query as one JSON array of arrays, a text; NULL or `[]` without rows."""

    type = Text()
    inherit_cache = True


@compiles(JsonOfRows, "sqlite")
def _rows_on_sqlite(element: JsonOfRows, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **how)}))"


@compiles(JsonOfRows, "postgresql")
def _rows_on_postgresql(element: JsonOfRows, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **how)})) AS TEXT)"


class WhereWritersMeet(FunctionElement[bool]):
    """A condition that is needed only where several transactions write at once. SQLite has one writer at a
    time; there it is always true."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, condition: ColumnElement[bool]) -> None:
        super().__init__(condition)


@compiles(WhereWritersMeet, "sqlite")
def _true_on_sqlite(_element: WhereWritersMeet, _compiler: SQLCompiler, **_how: Any) -> str:
    return "1"


@compiles(WhereWritersMeet, "postgresql")
def _condition_on_postgresql(element: WhereWritersMeet, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)
