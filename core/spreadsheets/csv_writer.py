"""Writes CSV for machines: fixed English headers, ISO 8601 times, UTF-8 with a byte order mark, CRLF."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from core.spreadsheets.column import Column, Value
from core.spreadsheets.formula_guard import defuse_formula


def csv_file(columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """A CSV file in pieces of a row each, so that a million rows need little memory. Times keep
    their offset."""
    yield codecs.BOM_UTF8
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        yield _taken(buffer)
        writer.writerow([_text(value) for value in row])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else defuse_formula(value) if isinstance(value, str) else str(value)
