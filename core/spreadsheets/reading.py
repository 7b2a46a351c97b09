"""Reads a file that somebody exported or wrote in a spreadsheet. Its content, not its name,
says what it is."""

from __future__ import annotations

from core.errors import N_, Invalid, Problem, problem
from core.spreadsheets import csv_reader, workbook_reader
from core.spreadsheets.table import SpreadsheetTable

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: .xls, and .xlsx under a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 1.3.3


def read_table(data: bytes) -> SpreadsheetTable:
    """Read CSV or .xlsx. Raises Invalid for anything else, which says what to do."""
    refused = _refusal(data)
    if refused:
        raise Invalid([refused])
    return workbook_reader.read_workbook(data) if data.startswith(b"PK") else csv_reader.read_csv(data)


def _refusal(data: bytes) -> Problem | None:
    if data.startswith(_COMPOUND):
        if _ENCRYPTED in data:
            return problem(
                "file",
                N_("The workbook is password-protected. Save a copy without a password and choose that."),
            )
        return problem(
            "file",
            N_("This is an old Excel file (.xls). Save it as “Excel Workbook (.xlsx)” or as CSV UTF-8."),
        )
    if data.startswith(b"%PDF"):
        return problem("file", N_("This is a PDF, not a table. Choose a CSV or .xlsx file."))
    if data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return problem(
            "file",
            N_("This is a web page or XML, not a table. Save it as “Excel Workbook (.xlsx)” or CSV UTF-8."),
        )
    return None
