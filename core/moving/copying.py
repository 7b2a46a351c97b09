"""Copies tables from SQLite to PostgreSQL as a stream, with checksums of what was read and what arrived.

Values are copied as SQLite stores them; encrypted secrets are not decrypted. The checksum is a sum of hashes
over the rows' texts, so that no side has to sort, and PostgreSQL computes its own without sending a row.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, DateTime, Float, Integer, TypeDecorator, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.types import TypeEngine

from core.db.tables import Table

NOT_COPIED = {"heartbeat", "hold"}  # they say something about the old database only
ROWS_AT_ONCE = 2000
NUL_BECOMES = "\ufffd"  # PostgreSQL keeps no NUL in a text


@dataclass(frozen=True)
class Content:
    """How many rows a table has, and the sum of their hashes."""

    rows: int
    checksum: int


def tables() -> list[SqlTable]:
    """The tables that are copied, each after those that it refers to."""
    return [table for table in Table.metadata.sorted_tables if table.name not in NOT_COPIED]


def copy(source: sqlite3.Connection, target: Any, table: SqlTable) -> Content:
    """Copy every row of a table; `target` is a connection of psycopg. Returns what was read."""
    source.create_function("bits", 1, _bits, deterministic=True)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    found = source.execute(f'SELECT {names}, {_line(table, _IN_SQLITE, "char")} FROM "{table.name}"')
    rows = checksum = 0
    with target.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as into:
        for row in _each(found):
            *values, line = row if "\0" not in row[-1] else _without_nul(row)
            into.write_row(values)
            rows += 1
            checksum += _hash(line)
    return Content(rows, checksum)


def arrived(target: Connection, table: SqlTable) -> Content:
    """What a table of the new database holds."""
    digest = f"('x' || left(md5({_line(table, _IN_POSTGRESQL, 'chr')}), 15))::bit(60)::bigint"
    rows, checksum = target.execute(
        text(f'SELECT count(*), coalesce(sum({digest}), 0) FROM "{table.name}"'.replace("::", r"\:\:"))
    ).one()
    return Content(rows, int(checksum))


def set_sequence(target: Connection, table: SqlTable) -> None:
    """Have the database continue its ids after those that were copied."""
    column = table.autoincrement_column
    if column is None:
        return
    at = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
    target.execute(
        text(f'SELECT setval({at}, coalesce(max("{column.name}"), 0) + 1, false) FROM "{table.name}"')
    )


def _each(found: sqlite3.Cursor) -> Iterator[Sequence[Any]]:
    while rows := found.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _without_nul(row: Sequence[Any]) -> list[Any]:
    return [value.replace("\0", NUL_BECOMES) if isinstance(value, str) else value for value in row]


def _hash(line: str) -> int:
    digest = hashlib.md5(line.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return int(digest.hexdigest()[:15], 16)


def _bits(value: float | None) -> str | None:
    """A float as hex digits of its bytes, since the two databases write floats differently."""
    return None if value is None else struct.pack(">d", value).hex()


_IN_SQLITE = {
    "moment": '"{}"',
    "float": 'bits("{}")',
    "truth": 'CAST("{}" AS TEXT)',
    "number": 'CAST("{}" AS TEXT)',
    "text": '"{}"',
}
_IN_POSTGRESQL = {
    "moment": "to_char(\"{}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    "float": "encode(float8send(\"{}\"), 'hex')",
    "truth": '"{}"::int::text',
    "number": '"{}"::text',
    "text": '"{}"::text',
}


def _line(table: SqlTable, as_text: dict[str, str], char: str) -> str:
    """SQL that gives a row as one text, the same in both databases."""
    fields = [
        f"coalesce({as_text[_kind(column)].format(column.name)}, {char}(30))" for column in table.columns
    ]
    return f" || {char}(31) || ".join(fields)


def _kind(column: Column[Any]) -> str:
    kept: TypeEngine[Any] = column.type
    if isinstance(kept, TypeDecorator):
        kept = kept.impl_instance
    if isinstance(kept, DateTime):
        return "moment"
    if isinstance(kept, Boolean):
        return "truth"
    if isinstance(kept, Float):
        return "float"
    if isinstance(kept, Integer):
        return "number"
    return "text"
