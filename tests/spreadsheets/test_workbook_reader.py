"""Workbooks as they come: read by their content, or refused with what to do."""

from __future__ import annotations

import contextlib
import random
import zipfile
from datetime import date, datetime
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.spreadsheets import unpacking
from core.spreadsheets.reading import read_table
from tests.spreadsheets.made import SHEET, packed, raw_workbook, workbook

GOOD = workbook([["psid", "token"], ["2501", "t1"]])


def rows(data: bytes) -> list[tuple[int, object]]:
    return list(read_table(data).rows([]))


def refusal(data: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        read_table(data)
    return refused.value.message


def test_cells_are_what_they_are():
    made = [["id", "n", "at", "day"], ["0025", 24.0, datetime(2026, 11, 1, 9, 30, 15), date(2026, 11, 2)]]
    assert read_table(workbook(made)).header == ["id", "n", "at", "day"]
    assert rows(workbook(made)) == [(2, ["0025", 24.0, datetime(2026, 11, 1, 9, 30, 15), date(2026, 11, 2)])]


def test_dates_of_both_day_counts_are_the_same():
    made = [["at"], [datetime(2026, 3, 31, 9, 30)]]
    assert (
        rows(workbook(made)) == rows(workbook(made, date_1904=True)) == [(2, [datetime(2026, 3, 31, 9, 30)])]
    )


def test_rows_have_the_numbers_that_the_spreadsheet_shows():
    assert [number for number, _ in rows(workbook([[], [], ["a"], [], ["b"], ["c"]]))] == [5, 6]


def test_the_first_sheet_that_shows_data_is_read_and_named_when_there_are_others():
    table = read_table(workbook([], [["hidden"]], [["a"], ["1"]], [["b"]], hidden=[1]))
    assert (table.header, [note.message for note in table.notes]) == (
        ["a"],
        ["Several sheets have data. Only the first of them was read: “Sheet3”."],
    )
    assert read_table(workbook([["a"]], [])).notes == ()


def test_an_error_of_the_spreadsheet_is_an_empty_cell():
    sheet = SHEET.format(
        '<sheetData><row r="1"><c r="A1" t="str"><v>psid</v></c><c r="B1" t="str"><v>x</v></c></row>'
        '<row r="2"><c r="A2" t="e"><v>#REF!</v></c><c r="B2"><f>1+1</f><v>2</v></c></row></sheetData>'
    )
    assert rows(raw_workbook(sheet)) == [(2, ["", 2.0])]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 99,
            "password-protected",
        ),
        (packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}), "(.ods)"),
        (packed({"Index/Document.iwa": "", "Metadata/Properties.plist": ""}), "Numbers"),
        (packed({"xl/workbook.bin": ""}), "(.xlsb)"),
        (packed({"word/document.xml": ""}), "document or a presentation"),
        (packed({"opt-ins.csv": "psid,token,consented_at\n"}), "ZIP archive"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xef\xbb\xbf\n<html><table>", "web page"),
        (workbook([]), "workbook is empty"),
        (workbook([["a"]], hidden=[])[:-40], "workbook is damaged"),
        (GOOD[:300], "workbook is damaged"),
        (b"PK\x03\x04", "workbook is damaged"),
        (raw_workbook("<worksheet><sheetData><row>"), "workbook is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_workbook_of_ours_is_refused_with_what_to_do(data, sentence):
    said = refusal(data)
    assert sentence in said
    assert sentence == "workbook is empty" or "CSV" in said or "Save a copy" in said


FAR = {
    "corners": '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>',
    "prefix": '<x:row r="1"><x:c r="A1"/></x:row><x:row r="9"><x:c r="XFD1048576"/></x:row>',
    "cell-in-another-row": '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>2</v></c></row>',
    "entity": '<row r="1"><c r="A1"/><c r="&#88;FD1048576"/></row>',
    "beyond": '<row r="1"><c r="A1"><v>1</v></c></row><row r="9999999"><c r="ZZZZ9999999"/></row>',
    "unnamed": '<row r="1"><c r="XFD1"/></row><row r="1048576"><c><v>1</v></c></row>',
}


@pytest.mark.parametrize("far", FAR.values(), ids=FAR)
def test_two_cells_far_apart_are_refused_before_they_take_memory(far):
    sheet = f'<worksheet xmlns:x="x"><sheetData>{far}</sheetData></worksheet>'
    assert "too large" in refusal(raw_workbook(sheet))


def test_more_columns_than_there_are_is_refused_before_they_are_kept(monkeypatch):
    monkeypatch.setattr(unpacking, "COLUMNS_LIMIT", 50)
    monkeypatch.setattr(unpacking, "GRID_LIMIT", 10**12)
    letters = [a + b for a in "ABC" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    cells = "".join(f'<c r="{column}1"><v>1</v></c>' for column in letters)
    assert "too large" in refusal(raw_workbook(SHEET.format(f'<row r="1">{cells}</row>')))


def test_a_part_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(unpacking, "UNPACKED_LIMIT", 1_000_000)
    bomb = raw_workbook(SHEET.format(" " * 2_000_000))
    assert len(bomb) < 10_000
    assert "too large" in refusal(bomb)


def test_a_part_that_lies_about_its_size_is_read_no_further():
    bomb = bytearray(raw_workbook(SHEET.format(" " * 5_000_000)))
    with zipfile.ZipFile(BytesIO(bomb)) as file:
        real = file.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = bytes(bomb).replace(real.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert "damaged" in refusal(lying)


def test_entities_that_grow_are_refused():
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    sheet = f'<!DOCTYPE s [<!ENTITY e0 "ha">{grown}]>' + SHEET.format("<sheetData>&e8;</sheetData>")
    assert "damaged" in refusal(raw_workbook(sheet))


def test_styled_cells_without_a_value_take_no_room():
    painted = "".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(3, 1000))
    sheet = f'<sheetData><row r="1"><c r="A1" t="str"><v>psid</v></c></row>{painted}</sheetData>'
    assert rows(raw_workbook(SHEET.format(sheet))) == []


@settings(max_examples=200)
@given(st.randoms(use_true_random=False), st.integers(1, 20))
def test_no_damage_breaks_the_reader(chance: random.Random, count: int):
    with zipfile.ZipFile(BytesIO(GOOD)) as file:
        parts = {name: bytearray(file.read(name)) for name in file.namelist()}
    for _ in range(count):
        part = parts[chance.choice(sorted(parts))]
        part[chance.randrange(len(part))] = chance.randrange(256)
    with contextlib.suppress(Invalid):
        rows(packed({name: bytes(part) for name, part in parts.items()}))


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, len(GOOD)))
def test_no_bytes_break_the_reader(odd: bytes, place: int):
    with contextlib.suppress(Invalid):
        rows(GOOD[:place] + odd + GOOD[place + len(odd) :])
