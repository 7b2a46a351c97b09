"""An .xlsx workbook: the first sheet that shows data, its cells as what they are (text, number, time)."""

from __future__ import annotations

from collections.abc import Iterator

import python_calamine as calamine

from core.errors import N_, Invalid, Problem, problem
from core.spreadsheets.table import Cell, SpreadsheetTable, as_text
from core.spreadsheets.unpacking import broken, unpacked


def read_workbook(data: bytes) -> SpreadsheetTable:
    """Read the first sheet that shows data. Raises Invalid for a workbook that is broken, too large or has no
    data."""
    try:
        with unpacked(data) as copy, calamine.load_workbook(copy) as workbook:
            return _table(workbook)
    except Invalid:
        raise
    except BaseException as failure:  # a panic of the library is no Exception
        if isinstance(failure, calamine.CalamineError) or type(failure).__name__ == "PanicException":
            raise Invalid([broken()]) from None
        raise


def _table(workbook: calamine.CalamineWorkbook) -> SpreadsheetTable:
    sheets = (workbook.get_sheet_by_name(name) for name in _visible(workbook))
    filled = (sheet for sheet in sheets if sheet.end is not None)
    sheet = next(filled, None)
    if sheet is None:
        raise Invalid([problem("file", N_("The workbook is empty."))])
    others = next(filled, None) is not None
    records = _records(sheet)
    _line, header = next(records)
    return SpreadsheetTable(
        [as_text(cell) for cell in header],
        lambda _places: records,
        _notes(sheet.name) if others else (),
    )


def _visible(workbook: calamine.CalamineWorkbook) -> list[str]:
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == calamine.SheetVisibleEnum.Visible
        and sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def _notes(name: str) -> tuple[Problem, ...]:
    text = N_("Several sheets have data. Only the first of them was read: “{sheet}”.")
    return (problem("file", text, sheet=name),)


def _records(sheet: calamine.CalamineSheet) -> Iterator[tuple[int, list[Cell]]]:
    """Numbered as the spreadsheet shows them: blank rows above the first are counted, too."""
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if any(cell != "" for cell in cells):
            yield number, list(cells)
