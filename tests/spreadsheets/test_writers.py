"""Files we write: CSV for machines, workbooks for people; nothing in them is a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
import python_calamine

from core.errors import N_
from core.spreadsheets import workbook_writer
from core.spreadsheets.column import Column
from core.spreadsheets.csv_writer import csv_file
from core.spreadsheets.formula_guard import defuse_formula, without_apostrophe
from core.spreadsheets.workbook_writer import workbook_file

COLUMNS = (
    Column("psid", N_("PSID"), 22),
    Column("name", N_("Customer")),
    Column("at", N_("When")),
    Column("n", N_("Number")),
)
AT = datetime(2026, 11, 1, 2, 30, 15, tzinfo=UTC)
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "－1",
    "\ufe66 1",
    " =1",
    "\u3000=1",
    "\u00a0\u200b+1",
    "\ufeff@a",
    "' =1",
    '=HYPERLINK("http://x")',
]


def made(rows, **more):
    return workbook_file("Opt-ins", COLUMNS, rows, **{"zone": "Asia/Ho_Chi_Minh", **more})


def sheets(data):
    book = python_calamine.load_workbook(io.BytesIO(data))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(data, name="xl/worksheets/sheet1.xml"):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return file.read(name).decode()


def test_csv_has_a_mark_fixed_names_and_iso_times():
    data = b"".join(csv_file(COLUMNS, [("025", "Lan, Mai", AT, 3), ("1", None, None, None)]))
    assert data == (b'\xef\xbb\xbfpsid,name,at,n\r\n025,"Lan, Mai",2026-11-01T02:30:15+00:00,3\r\n1,,,\r\n')


def test_a_workbook_has_ids_as_text_and_times_as_dates_of_the_zone():
    (rows,) = sheets(made([("24070000000000123", "Lan", AT, 3)])).values()
    assert rows == [
        ["PSID", "Customer", "When", "Number"],
        ["24070000000000123", "Lan", datetime(2026, 11, 1, 9, 30, 15), 3.0],
    ]


def test_a_workbook_speaks_the_readers_language():
    say = {"PSID": "Mã", "Customer": "Khách hàng", "Opt-ins": "Lượt đồng ý"}
    data = made(
        [("1", "sent", AT, 1)], say=lambda text: say.get(text, text), words={"name": {"sent": "Đã gửi"}.get}
    )
    assert sheets(data) == {
        "Lượt đồng ý": [
            ["Mã", "Khách hàng", "When", "Number"],
            ["1", "Đã gửi", datetime(2026, 11, 1, 9, 30, 15), 1.0],
        ]
    }


def test_the_header_stays_and_columns_are_as_wide_as_they_need():
    xml = part(made([("1", "a", AT, 1)]))
    assert 'state="frozen"' in xml
    assert 'ySplit="1"' in xml
    assert re.search(r'<col min="1" max="1" width="22\.\d+"', xml)


@pytest.mark.parametrize("text", FORMULAS)
def test_nothing_is_a_formula(text):
    data = made([("1", text, AT, 1)])
    assert "<f>" not in part(data)
    assert sheets(data)["Opt-ins"][1][1].startswith("'")
    line = b"".join(csv_file(COLUMNS, [(text, "", AT, 1)])).decode("utf-8-sig").split("\r\n", 1)[1]
    assert line.lstrip('"').startswith("'")
    assert without_apostrophe(defuse_formula(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Lan;=1+1", "Lan;'=1+1"),
        ("Lan; \u200b＝1", "Lan;' \u200b＝1"),
        ("Lan\t@a", "Lan\t'@a"),
        ("Lan\n-1;+2", "Lan\n'-1;'+2"),
        ("=1;=2", "'=1;'=2"),
        ("Lan;'=1", "Lan;''=1"),
        ("Lan; Mai", "Lan; Mai"),
        ("3-4;5=5", "3-4;5=5"),
    ],
)
def test_no_part_of_a_text_is_a_formula_where_semicolons_stand_between_cells(text, written):
    line = b"".join(csv_file(COLUMNS, [(text, "", AT, 1)])).decode("utf-8-sig").split("\r\n", 1)[1]
    assert next(csv.reader(io.StringIO(line, newline="")))[0] == written
    assert without_apostrophe(written) == text


@pytest.mark.parametrize("text", ["a\x00b\x1f", "\ud800", "x" * 40_000, "_x0041_", "a\nb", "\ufffe", ""])
def test_odd_texts_make_no_broken_workbook(text):
    ((_head, row),) = sheets(made([("1", text, AT, 1)])).values()
    assert (row[0], row[3]) == ("1", 1.0)


def test_what_no_sheet_takes_goes_on_in_a_further_one(monkeypatch):
    monkeypatch.setattr(workbook_writer, "ROWS_OF_A_SHEET", 2)
    read = sheets(made([(str(n), "", AT, n) for n in range(5)]))
    assert {name: [row[0] for row in rows] for name, rows in read.items()} == {
        "Opt-ins": ["PSID", "0", "1"],
        "Opt-ins 2": ["PSID", "2", "3"],
        "Opt-ins 3": ["PSID", "4"],
    }


def test_an_export_of_nothing_is_its_header():
    assert list(sheets(made([])).values()) == [[["PSID", "Customer", "When", "Number"]]]
