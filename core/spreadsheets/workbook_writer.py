"""Workbooks (.xlsx) for people: texts and ids as text, times as dates on the wall clock of a zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from itertools import chain, islice
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from core.clock import local_to_utc
from core.spreadsheets.column import Column, Value
from core.spreadsheets.formula_guard import defuse_formula

ROWS_OF_A_SHEET = 1_000_000  # the format ends at 1,048,576
_CELL_LIMIT = 32_767  # characters
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"  # read the same in every country, also once saved as CSV
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")
_FIRST_YEAR = 1900  # spreadsheets count days from here

Say = Callable[[str], str]


def workbook_file(
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    *,
    zone: str,
    say: Say = str,
    words: Mapping[str, Say] | None = None,
) -> bytes:
    """A whole workbook. `say` puts titles into the reader's language, `words` a column's codes into words.

    More rows than a sheet takes go on in a further one.
    """
    target, waiting = BytesIO(), iter(rows)
    name = _NOT_IN_A_NAME.sub(" ", say(title))[:25]
    told = [(words or {}).get(column.name, str) for column in columns]
    with Workbook(target, _OPTIONS) as book:
        writer = _Writer(book, columns, ZoneInfo(zone), say, told)
        writer.add_sheet(name, islice(waiting, ROWS_OF_A_SHEET))
        for number, first in enumerate(waiting, 2):
            rest = chain([first], islice(waiting, ROWS_OF_A_SHEET - 1))
            writer.add_sheet(f"{name} {number}", rest)
    return target.getvalue()


class _Writer:
    """The looks of one workbook and how its cells are written."""

    def __init__(
        self, book: Workbook, columns: Sequence[Column], zone: ZoneInfo, say: Say, told: Sequence[Say]
    ) -> None:
        self._book, self._columns, self._zone, self._say, self._told = book, columns, zone, say, told
        self._head = book.add_format({"bold": True, "num_format": "@"})
        self._text = book.add_format({"num_format": "@"})
        self._time = book.add_format({"num_format": _TIME_FORMAT, "align": "left"})

    def add_sheet(self, name: str, rows: Iterable[Sequence[Value]]) -> None:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(self._columns):
            sheet.set_column(at, at, column.width, self._text)
            sheet.write_string(0, at, self._say(column.title), self._head)
        for number, row in enumerate(rows, 1):
            for at, (value, told) in enumerate(zip(row, self._told, strict=True)):
                self._write(sheet, number, at, told(value) if isinstance(value, str) else value)

    def _write(self, sheet: Worksheet, row: int, at: int, value: Value) -> None:
        if isinstance(value, datetime):
            value = _on_the_wall(value, self._zone)
        if isinstance(value, datetime):
            sheet.write_datetime(row, at, value, self._time)
        elif isinstance(value, int):
            sheet.write_number(row, at, value)
        elif value:
            text = defuse_formula(value).encode("utf-8", "replace").decode()
            sheet.write_string(row, at, text[:_CELL_LIMIT], self._text)


def _on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime | str:
    """What a clock in the zone shows; where that alone does not lead back (the hour that a change of clocks
    repeats, years before spreadsheets' first), ISO 8601 as text."""
    local = moment.astimezone(zone)
    naive = local.replace(tzinfo=None, fold=0)
    leads_back = local_to_utc(naive, zone.key) == moment and naive.year >= _FIRST_YEAR
    return naive if leads_back else local.isoformat()
