"""Unpacks a workbook within limits, before the library that reads it sees it.

The library lays a sheet out as a full grid and takes the file's word for its sizes: two cells far apart, in
a file of 2 KB, end the process (calamine issue 693). So everything is unpacked here first, by the sizes that
are allowed, and the corners of each sheet are looked at; the library reads the unpacked copy.
"""

from __future__ import annotations

import io
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from core.errors import N_, Invalid, Problem, problem

UNPACKED_LIMIT = 200 * 1024 * 1024  # bytes; half a million rows of four columns
COLUMNS_LIMIT = 16_384  # as Excel has them
GRID_LIMIT = 8_000_000  # cells of a full grid, which take 32 bytes each
_CHUNK = 1 << 20
_WORKBOOK = re.compile(r"xl/workbook\d*\.xml", re.IGNORECASE)
_NEEDED = re.compile(r"\[Content_Types\]\.xml|_rels/\.rels|xl/.+\.(xml|rels)", re.IGNORECASE)
_UNREADABLE = (BadZipFile, zlib.error, expat.ExpatError, EOFError, RuntimeError, ValueError, LookupError)
_OTHERS: tuple[tuple[str, str], ...] = (
    (r"mimetype|content\.xml", N_("This is an OpenDocument file (.ods).")),
    (r"Index/.+|Index\.zip", N_("This is a Numbers file.")),
    (r"xl/workbook\.bin", N_("This is a binary Excel file (.xlsb).")),
    (r"word/.+|ppt/.+", N_("This is a document or a presentation, not a table.")),
)


@contextmanager
def unpacked(data: bytes) -> Iterator[Path]:
    """A copy of the parts of a workbook, while the block lasts. Raises Invalid for another file
    or one too large."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unpacked.xlsx"
        _unpack(data, path)
        yield path


def _unpack(data: bytes, path: Path) -> None:
    try:
        with ZipFile(io.BytesIO(data)) as packed, ZipFile(path, "w") as copy:
            names = packed.namelist()
            _refuse_others(names)
            parts = [packed.getinfo(name) for name in dict.fromkeys(names) if _NEEDED.fullmatch(name)]
            if sum(part.file_size for part in parts) > UNPACKED_LIMIT:
                raise Invalid([too_large()])
            for part in parts:
                with packed.open(part) as inside, copy.open(part.filename, "w", force_zip64=True) as out:
                    _copy(inside, out)
    except _UNREADABLE:
        raise Invalid([broken()]) from None


def broken() -> Problem:
    """The problem of a workbook that cannot be read."""
    return problem(
        "file",
        N_(
            "The workbook is damaged. Open it in a spreadsheet program and save it again as .xlsx or "
            "as CSV UTF-8."
        ),
    )


def too_large() -> Problem:
    """The problem of a workbook that is too large when unpacked."""
    text = N_(
        "The workbook is too large when unpacked. Delete anything far outside the table, or save "
        "the sheet as CSV UTF-8 and choose that."
    )
    return problem("file", text)


def _refuse_others(names: list[str]) -> None:
    if any(map(_WORKBOOK.fullmatch, names)):
        return
    said = next(
        (said for pattern, said in _OTHERS if any(re.fullmatch(pattern, name) for name in names)), None
    )
    cure = problem("file", N_("Save the table as “Excel Workbook (.xlsx)” or as CSV UTF-8 and choose that."))
    raise Invalid([problem("file", said or N_("This is a ZIP archive, not a workbook.")), cure])


def _copy(inside: IO[bytes], out: IO[bytes]) -> None:
    corners = _Corners()
    while chunk := inside.read(_CHUNK):
        corners.feed(chunk)
        out.write(chunk)
    corners.feed(b"", is_end=True)


class _Corners:
    """Reads the XML of a part as it is copied, and raises Invalid when its cells span too large a grid."""

    def __init__(self) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parse: Callable[[bytes, bool], object] = parser.Parse
        self._columns, self._rows = set[str](), set[str]()  # by their names: "AB", "12"
        self._row = self._run = self._longest_run = 0  # of cells that name no place and so follow each other

    def feed(self, chunk: bytes, *, is_end: bool = False) -> None:
        self._parse(chunk, is_end)
        rows = [int(row) for row in self._rows]
        columns = [_number(column) for column in self._columns]
        if self._longest_run or not columns:
            columns.append(1)
        if rows and _span(rows) * (_span(columns) + self._longest_run) > GRID_LIMIT:
            raise Invalid([too_large()])
        self._rows = {str(min(rows)), str(max(rows))} if rows else set()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c" or name.endswith(":c"):
            place = attributes.get("r")
            column = place.rstrip("0123456789") if place else ""
            if len(self._columns) > COLUMNS_LIMIT:
                raise Invalid([too_large()])
            if place and column:
                self._columns.add(column)
            else:
                self._run += 1
                self._longest_run = max(self._longest_run, self._run)
            self._rows.add(place[len(column) :] if place else str(self._row))
        elif name == "row" or name.endswith(":row"):
            self._row, self._run = int(attributes.get("r") or self._row + 1), 0


def _span(numbers: list[int]) -> int:
    return max(numbers) - min(numbers) + 1


def _number(column: str) -> int:
    """A column's name as its number: A is 1, AA is 27."""
    number = 0
    for letter in column.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _refuse_doctype(*_about: object) -> None:
    """No workbook has a document type; with one come entities that grow without end."""
    raise Invalid([broken()])
