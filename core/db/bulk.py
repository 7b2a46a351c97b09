"""Many rows in or out of the database by one statement and one value, a JSON array of arrays.

A driver that steps through rows gives up the interpreter's lock at each of them, and beside other busy
threads that costs more than the row. Here the database does the whole work in one step.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    FromClause,
    Integer,
    Select,
    SelectBase,
    String,
    Update,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from core.db.dialects import FromJson, JsonElements, JsonOfRows, insert_into
from core.db.engine import is_sqlite
from core.db.tables import Table

ROWS = "rows"  # the name of the bound value


def columns_of(table: type[Table], *names: str) -> dict[str, TypeEngine[Any]]:
    """Columns by name with their types, for `rows_given`."""
    return {name: table.__table__.c[name].type for name in names}  # type: ignore[attr-defined]


def rows_given(columns: Mapping[str, TypeEngine[Any]]) -> Select[Any]:
    """A SELECT of the bound rows with these names and types of columns. Bind the rows with `bound`."""
    row = JsonElements(bindparam(ROWS, type_=String)).table_valued("value").c.value
    values = [_item(row, place, type_).label(name) for place, (name, type_) in enumerate(columns.items())]
    return select(*values).where(true())  # else SQLite takes ON CONFLICT for the ON of a join


def _item(row: Any, place: int, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    return FromJson(row.op("->>")(literal_column(str(place))), type_)


def among(ids: Collection[int]) -> Select[Any]:
    """These ids for `column.in_(…)`, as one bound value; a list would bind a parameter for each."""
    given = literal(json.dumps(list(ids), separators=(",", ":")), String)
    return select(FromJson(JsonElements(given).table_valued("value").c.value, BigInteger))


def one_of(column: Any, words: Collection[StrEnum]) -> ColumnElement[bool]:
    """The condition that a column holds one of these words, written into the statement itself."""
    return or_(*[column == constant(word) for word in words])


def constant(word: StrEnum) -> ColumnElement[str]:
    """A word that is written into the statement instead of being bound. When a bound value is compared with a
    column in the condition of a partial index, such as a state, SQLite plans it anew at each run."""
    return literal_column(f"'{word.value}'", String)


def insert_new(table: type[Table]) -> postgresql.Insert:
    """INSERT … ON CONFLICT DO NOTHING; add `.returning(…)` and execute it with the rows."""
    return insert_into(table).on_conflict_do_nothing()


def insert_given(table: type[Table], columns: Mapping[str, TypeEngine[Any]]) -> postgresql.Insert:
    """An INSERT of the bound rows; add what to do on a conflict."""
    return insert_into(table).from_select(list(columns), rows_given(columns))


def insert_selected(table: type[Table], values: Mapping[str, Any], source: FromClause) -> postgresql.Insert:
    """An INSERT of values computed from the rows of a source; add what to do on a conflict."""
    query = select(*values.values()).select_from(source)
    return insert_into(table).from_select(list(values), query.where(true()))


def change(table: type[Table], *which: ColumnElement[bool]) -> Update:
    """An UPDATE of the rows that meet all of these conditions. What the session read of them before stays as
    it was; asking it to follow would read them again."""
    return update(table).where(*which).execution_options(synchronize_session=False)


def remove(table: type[Table], *which: ColumnElement[bool]) -> Delete:
    """A DELETE of the rows that meet all of these conditions; what the session read of them before stays."""
    return delete(table).where(*which).execution_options(synchronize_session=False)


class CompiledStatement:
    """A statement that is compiled once for each database: for what runs many times a second.

    It must not contain `IN` with a list, which SQLAlchemy writes out only when it runs; use `one_of`.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._words: dict[str, tuple[str, list[str] | None, dict[str, object]]] = {}  # by database

    def run(self, db: Session, values: Mapping[str, object]) -> CursorResult[Any]:
        """Execute it with these bound values. Raises what SQLAlchemy raises."""
        connection = db.connection()
        words, bound = self._bound(connection, values)
        return connection.exec_driver_sql(words, bound, execution_options={"preserve_rowcount": True})

    def _bound(self, connection: Connection, values: Mapping[str, object]) -> tuple[str, Any]:
        name = connection.dialect.name
        if name not in self._words:
            made = self._statement.compile(dialect=connection.dialect)
            self._words[name] = str(made), made.positiontup, dict(made.params)
        words, places, defaults = self._words[name]
        named = {**defaults, **values}
        return words, tuple(named[name] for name in places) if places is not None else named


class CompiledQuery(CompiledStatement):
    """A query that is compiled once for each database. Its rows come as one JSON text: a row of the driver
    for each costs more."""

    def __init__(self, query: SelectBase) -> None:
        super().__init__(select(JsonOfRows(*query.subquery().c)))

    def fetch(self, db: Session, values: Mapping[str, object]) -> list[list[Any]]:
        """Execute it with these bound values and return its rows, in no promised order. `moment` reads the
        times in them."""
        return _unpacked(self.run(db, values).scalar())


class ForEach:
    """The first rows of a query for each of some given rows, such as the next deliveries of each broadcast.

    On PostgreSQL that is one statement with LATERAL. SQLite has no LATERAL, and its rows cannot give limits:
    there it is a subquery for each row, in one statement for all rows with the same limit. `chosen` makes the
    query from the given columns.
    """

    def __init__(self, columns: Mapping[str, TypeEngine[Any]], chosen: Callable[[Any], Select[Any]]) -> None:
        given = rows_given({**columns, "at_most": Integer()}).subquery()
        lateral = chosen(given.c).limit(given.c.at_most).lateral()
        self._together = CompiledQuery(select(lateral).select_from(given))
        alike = rows_given(columns).subquery()
        limited = chosen(alike.c).limit(bindparam("at_most", type_=Integer())).correlate(alike).subquery()
        of_one = select(JsonOfRows(*limited.c)).scalar_subquery()
        self._of_a_limit = CompiledStatement(select(func.group_concat(of_one)).select_from(alike))

    def fetch(
        self, db: Session, rows: Iterable[tuple[Sequence[object], int]], values: Mapping[str, object]
    ) -> list[list[Any]]:
        """The rows found for all of the given rows, each given with its limit, in no promised order; `values`
        are bound for each."""
        if not is_sqlite(db):
            given = [(*row, at_most) for row, at_most in rows]
            return self._together.fetch(db, {**values, **bound(given)}) if given else []
        by_limit: dict[int, list[Sequence[object]]] = defaultdict(list)
        for row, at_most in rows:
            by_limit[at_most].append(row)
        found = list[list[Any]]()
        for at_most, alike in by_limit.items():
            texts = self._of_a_limit.run(db, {**values, **bound(alike), "at_most": at_most}).scalar()
            found += [row for of_one in _unpacked(f"[{texts}]") for row in of_one]
        return found


def _unpacked(text: str | None) -> list[list[Any]]:
    try:
        found: list[list[Any]] = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:  # half of a surrogate pair
        found = json.loads(text or "[]")
    return found


def bound(rows: Sequence[Sequence[object]]) -> dict[str, str]:
    """These rows as the value that `rows_given` reads; times in them have to be texts made by `stamp`."""
    try:
        return {ROWS: orjson.dumps(rows).decode()}
    except TypeError:  # half of a surrogate pair, or a giant number: `json` takes both
        return {ROWS: json.dumps(rows, separators=(",", ":"))}


def bound_ids(ids: Collection[int]) -> dict[str, str]:
    """These ids as the value that `rows_given` reads, in rows of one column."""
    return bound([(each,) for each in ids])


def stamp(at: datetime | None) -> str | None:
    """A time as a text in UTC that both databases read alike; None stays None.

    SQLite keeps and compares times as texts without a zone. PostgreSQL reads a time without a zone as one of
    the session's zone, which is UTC on all our connections (core/db/engine.py).
    """
    if at is None:
        return None
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:26]


def moment(text: str) -> datetime:
    """The time that a text in a packed row stands for; one without a zone is in UTC."""
    at = datetime.fromisoformat(text if "+" in text else f"{text}+00:00")
    return at if at.tzinfo is UTC else at.astimezone(UTC)
