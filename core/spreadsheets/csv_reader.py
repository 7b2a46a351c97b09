"""Reads CSV as spreadsheets and databases write it: commas, semicolons, tabs or bars; UTF-8,
UTF-16 or UTF-32."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterator

from core.errors import N_, Invalid, Problem, problem
from core.spreadsheets.table import Cell, Record, SpreadsheetTable

_LINES_OF_ONE_ROW = 20  # a quote that stays open longer was forgotten, not meant
_DELIMITERS = ",;\t|"
_SEP = re.compile(r'"?sep=([,;\t|]?)"?', re.IGNORECASE)  # by which Excel is told the delimiter
_MARKS = (  # the longer first: UTF-16's is the beginning of UTF-32's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_csv(data: bytes) -> SpreadsheetTable:
    """Read a CSV file. Raises Invalid when it is not a text or has no line."""
    lines = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = _first(lines, 0)
    said = _SEP.fullmatch(lines[at].strip(" ")) if at is not None else None
    if at is not None and said:
        at = _first(lines, at + 1)
    if at is None:
        raise Invalid([problem("file", N_("The file is empty."))])
    delimiter = said[1] if said and said[1] else _delimiter(lines[at])
    header = [str(cell) for cell in _cells([lines[at]], delimiter) or []]
    start, width = at + 1, len(header)
    return SpreadsheetTable(header, lambda places: _records(lines, start, delimiter, places, width))


def decode(data: bytes) -> str:
    """Decode a file by its byte order mark, or as UTF-8 or UTF-16 without one. Raises Invalid."""
    mark = next((encoding for bom, encoding in _MARKS if data.startswith(bom)), _unmarked(data))
    try:
        return data.decode(mark).lstrip("\ufeff")
    except UnicodeDecodeError:
        text = N_(
            "The file is not UTF-8 text, so its characters can't be read reliably. Save it as “CSV "
            "UTF-8” or “Excel Workbook (.xlsx)” and choose it again."
        )
        raise Invalid([problem("file", text)]) from None


def _unmarked(data: bytes) -> str:
    """UTF-16 without a byte order mark shows by its zeros: each second byte of an ASCII header."""
    start = data[:64]
    if len(start) >= 4 and not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if len(start) >= 4 and not any(start[::2]) else "utf-8"


def _first(lines: list[str], start: int) -> int | None:
    return next((at for at in range(start, len(lines)) if lines[at].strip("\ufeff \t")), None)


def _delimiter(header: str) -> str:
    """The one that parts the header into most cells, quoted ones counted once."""
    return max(_DELIMITERS, key=lambda sign: len(_cells([header], sign) or []))


def _records(
    lines: list[str], start: int, delimiter: str, places: Collection[int], width: int
) -> Iterator[Record]:
    """A quoted cell may span lines, but none that is wanted does: a forgotten quote therefore costs its own
    line and not the lines after it."""
    at = start
    while at < len(lines):
        end = _end_of_row(lines, at)
        cells = _cells(lines[at:end], delimiter)
        if end > at + 1 and (cells is None or _has_line_break(cells, places)):
            cells, end = None, at + 1
        if cells is None or any(cell.strip() for cell in cells):
            yield at + 1, _fitting(cells, width)
        at = end


def _fitting(cells: list[str] | None, width: int) -> list[Cell] | Problem:
    """A row as long as the header; a shorter one has empty cells at its end. In a longer one a text has the
    delimiter in it, and nobody can tell where the next cell begins."""
    if cells is None:
        return problem("row", N_("A quotation mark is missing or out of place in this row."))
    if any(cell.strip() for cell in cells[width:]):
        text = N_(
            "This row has more cells than the header row. Put quotation marks around text that "
            "contains “,” or “;”."
        )
        return problem("row", text)
    return [*cells[:width]]


def _has_line_break(cells: list[str], places: Collection[int]) -> bool:
    return any("\n" in cells[place] for place in places if place < len(cells))


def _end_of_row(lines: list[str], start: int) -> int:
    is_open = False
    for end in range(start, min(len(lines), start + _LINES_OF_ONE_ROW)):
        is_open ^= lines[end].count('"') % 2 == 1
        if not is_open:
            return end + 1
    return start + 1


def _cells(lines: list[str], delimiter: str) -> list[str] | None:
    text = [line + "\n" for line in lines[:-1]] + lines[-1:]
    try:
        return next(csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True), [])
    except csv.Error:
        return None
