"""Workbooks and parts of workbooks as other programs write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from xlsxwriter import Workbook

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="xl/workbook.xml" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/officeDocument"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>'
    ),
}


def workbook(*sheets: Iterable[Iterable[Any]], hidden: Iterable[int] = (), **options: Any) -> bytes:
    """Each sheet's rows; text as text cells, numbers as numbers, dates as dates, None as nothing."""
    target = io.BytesIO()
    book = Workbook(target, {"in_memory": True, **options})
    looks = {date: book.add_format({"num_format": "dd/mm/yyyy"})}
    looks[datetime] = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    for at, rows in enumerate(sheets):
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif isinstance(value, bool):
                    sheet.write_boolean(number, column, value)
                elif isinstance(value, date):
                    sheet.write_datetime(number, column, value, looks[type(value)])
                elif value is not None:
                    sheet.write_number(number, column, value)
        if at in hidden:
            sheet.hide()
    book.close()
    return target.getvalue()


def raw_workbook(sheet: str, parts: Mapping[str, str] | None = None) -> bytes:
    """A workbook around the XML of its only sheet."""
    return packed(_PARTS | {"xl/worksheets/sheet1.xml": sheet} | dict(parts or {}))


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return target.getvalue()
