"""Many rows in or out by one statement and one value: a JSON array of arrays.

Stepping through rows one by one gives up the interpreter's lock at each; beside a busy event loop that costs
more than the row. Here the database does the whole work in one step, on a core of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    FromClause,
    Select,
    String,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from core.database import is_sqlite
from core.tables import Table

ROWS = "rows"  # the bound value


def columns_of(table: type[Table], *names: str) -> dict[str, TypeEngine[Any]]:
    """Columns by name with their types, for `rows_given`."""
    return {name: table.__table__.c[name].type for name in names}  # type: ignore[attr-defined]


def rows_given(columns: Mapping[str, TypeEngine[Any]], *, for_sqlite: bool) -> Select[Any]:
    """A SELECT over the bound rows, its columns named and typed. Bind them with `bound`."""
    given = bindparam(ROWS, type_=String)
    if for_sqlite:
        values = func.json_each(given).table_valued("value")
        return _spread([_item(values, place).label(name) for place, name in enumerate(columns)])
    values = func.jsonb_array_elements(cast(given, postgresql.JSONB)).table_valued("value")
    typed = [
        cast(_item(values, place), type_).label(name) for place, (name, type_) in enumerate(columns.items())
    ]
    return _spread(typed)


def among(db: Session, ids: Collection[int]) -> Select[Any]:
    """For `column.in_(…)`: one value however many there are, where a list would be a parameter each."""
    given = literal(json.dumps(list(ids), separators=(",", ":")), String)
    if is_sqlite(db):
        return select(func.json_each(given).table_valued("value").c.value)
    numbers = func.jsonb_array_elements_text(cast(given, postgresql.JSONB)).table_valued("value")
    return select(cast(numbers.c.value, BigInteger))


def one_of(column: Any, values: Collection[object]) -> ColumnElement[bool]:
    return or_(*[column == value for value in values])


def _item(values: Any, place: int) -> Any:
    return values.c.value.op("->>")(literal_column(str(place)))


def _spread(columns: list[Any]) -> Select[Any]:
    return select(*columns).where(true())  # else SQLite takes ON CONFLICT for the ON of a join


def insert_given(table: type[Table], columns: Mapping[str, TypeEngine[Any]], *, for_sqlite: bool) -> Any:
    """An INSERT of the bound rows, in the database's own words; add what to do on a conflict."""
    make = sqlite.insert if for_sqlite else postgresql.insert
    return make(table).from_select(list(columns), rows_given(columns, for_sqlite=for_sqlite))


def packed(statement: Any, *, for_sqlite: bool) -> Select[Any]:
    """The same rows as one JSON text, for `fetch`."""
    rows = statement.subquery()
    if for_sqlite:
        return select(func.json_group_array(func.json_array(*rows.c)))
    return select(cast(func.json_agg(func.json_build_array(*rows.c)), Text))


def insert_selected(
    table: type[Table], values: Mapping[str, Any], source: FromClause, *, for_sqlite: bool
) -> Any:
    """An INSERT of what is reckoned from the rows of a source; add what to do on a conflict."""
    query = select(*values.values()).select_from(source)
    make = sqlite.insert if for_sqlite else postgresql.insert
    return make(table).from_select(list(values), query.where(true()))


class Ready:
    """A statement in the database's own words, worked out once: for what runs many times a second.

    `IN` with a list is spread only when it runs, so not here: `one_of`.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._words: dict[str, tuple[str, list[str] | None, dict[str, object]]] = {}  # by database

    def run(self, db: Session, values: Mapping[str, object]) -> CursorResult[Any]:
        connection = db.connection()
        name = connection.dialect.name
        if name not in self._words:
            made = self._statement.compile(dialect=connection.dialect)
            self._words[name] = str(made), made.positiontup, dict(made.params)
        words, places, defaults = self._words[name]
        named = {**defaults, **values}
        bound = tuple(named[name] for name in places) if places is not None else named
        return connection.exec_driver_sql(words, bound, execution_options={"preserve_rowcount": True})

    def fetch(self, db: Session, values: Mapping[str, object]) -> list[list[Any]]:
        """Of a packed statement."""
        return _unpacked(self.run(db, values).scalar())


def fetch(db: Session, statement: Select[Any], values: Mapping[str, object]) -> list[list[Any]]:
    """The rows of a packed statement, in no promised order; `moment` reads the times in them."""
    return _unpacked(db.connection().execute(statement, values).scalar())


def _unpacked(text: str | None) -> list[list[Any]]:
    try:
        found: list[list[Any]] = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:  # half of a surrogate pair
        found = json.loads(text or "[]")
    return found


def bound(rows: Sequence[Sequence[object]]) -> dict[str, str]:
    try:
        return {ROWS: orjson.dumps(rows).decode()}
    except TypeError:  # half of a surrogate pair, or a giant number: `json` takes both
        return {ROWS: json.dumps(rows, separators=(",", ":"))}


def bound_ids(ids: Collection[int]) -> dict[str, str]:
    """As rows of one column."""
    return bound([(each,) for each in ids])


def stamp(at: datetime | None, *, for_sqlite: bool) -> str | None:
    """A time as the database keeps it; SQLite keeps no zone."""
    if at is None:
        return None
    text = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")
    return text[:26] if for_sqlite else text


def moment(text: str) -> datetime:
    """A time out of a packed row."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
