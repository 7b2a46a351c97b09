"""What a file of opt-ins may look like, CSV or workbook: read, or refused with a sentence, never guessed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from core.accounts.rules import Actor, Role
from core.consent import import_file
from core.consent.imports import import_opt_ins
from core.db.engine import reading
from core.db.tables import Customer, OptIn
from core.encryption import decrypt
from core.errors import Invalid
from tests.spreadsheets.made import workbook

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EDITOR = Actor(None, "editor.one", Role.EDITOR)
HEADER = ["psid", "token", "consented_at", "promise"]
GOOD = "2026-11-01T09:30:00+07:00"
MOMENT = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def csv(rows, delimiter=","):
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


def sheet(data, zone="Asia/Ho_Chi_Minh"):
    return import_file.read_sheet(data, zone=zone, now=NOW)


def notes(read):
    return [note.message for note in read.notes]


def refusal(data):
    with pytest.raises(Invalid) as refused:
        sheet(data)
    return refused.value.message


MADE = {"csv": csv, "xlsx": workbook}
both_forms = pytest.mark.parametrize("form", MADE.values(), ids=MADE)


# Headers


@both_forms
@pytest.mark.parametrize(
    "header",
    [
        ["PSID", "Token", "Consented_At", "PROMISE"],
        ["\ufeffpsid", "to\u200bken", "\u00a0consented_at\u00a0", "'promise'"],
        ["“psid”", "token\u200f", "consented at", "promise "],
        ["PSID", "Token", "Agreed at", "Promise"],
        ["PSID", "Mã token", "Đồng ý lúc", "Lời hứa"],
        ["psid", "token", "consented-at", "Lo\u031b\u0300i hu\u031b\u0301a"],
    ],
)
def test_a_header_is_known_however_it_is_marked_and_in_both_languages(form, header):
    read = sheet(form([header, ["2501", "t1", GOOD, "Báo tôi"]]))
    assert [(row.psid, row.token, row.consented_at, row.promise) for row in read.rows] == [
        ("2501", "t1", MOMENT, "Báo tôi")
    ]
    assert notes(read) == []


@both_forms
def test_a_column_that_stands_there_twice_is_refused(form):
    again = [["psid", "token", "consented_at", "Token "], ["2501", "t1", GOOD, "t2"]]
    assert "column token twice (columns 2, 4)" in refusal(form(again))
    assert "column psid twice (columns 1, 4)" in refusal(form([["psid", "token", "consented_at", "PSID"]]))


@both_forms
def test_columns_that_are_not_read_are_named(form):
    read = sheet(form([["tên", *HEADER, "chủ đề"], ["Lan", "2501", "t1", GOOD, "", "Giày"]]))
    assert (len(read.rows), notes(read)) == (1, ["Columns that are not imported: tên, chủ đề."])


@both_forms
def test_a_missing_column_is_named(form):
    assert "Missing: token." in refusal(form([["psid", "consented_at"], ["2501", GOOD]]))


LINES = ["psid;token;consented_at", f"2501;t1;{GOOD}"]


@pytest.mark.parametrize(
    "data",
    [
        "\n".join(["sep=;", *LINES]).encode("utf-8-sig"),
        "\r\n".join(['"sep=;"', *LINES]).encode("utf-8-sig"),
        "\n".join(["SEP=|", *LINES]).replace(";", "|").encode(),
        "\n".join(["sep=\t", *LINES]).replace(";", "\t").encode(),
        "\n".join(LINES).encode("utf-16"),
        "\n".join(LINES).encode("utf-16-le"),
        "\n".join(LINES).encode("utf-16-be"),
        "\n".join(LINES).encode("utf-32"),
        ("\ufeff" + "\n".join(LINES)).encode("utf-8-sig"),
        "\n".join(['"psid";"token";"consented_at";"a,b,c,d"', LINES[1]]).encode(),
    ],
    ids=["sep", "sep-quoted", "bars", "tabs", "utf-16", "little", "big", "utf-32", "two-marks", "commas"],
)
def test_a_file_says_by_itself_what_parts_it(data):
    read = sheet(data)
    assert [(row.psid, row.token, row.consented_at) for row in read.rows] == [("2501", "t1", MOMENT)]


@pytest.mark.parametrize("encoding", ["cp1258", "cp1252", "latin-1"])
def test_letters_that_cannot_be_told_for_sure_are_refused(encoding):
    said = refusal(f"psid,token,consented_at,promise\n2501,t1,{GOOD},B\u00e1o t\u00f4i\n".encode(encoding))
    assert "CSV UTF-8" in said
    assert ".xlsx" in said


def test_a_row_with_more_cells_than_the_header_is_not_cut():
    read = sheet(
        csv([HEADER, ["2501", "t1", GOOD, "Báo tôi", " khi có hàng"], ["2502", "t2", GOOD, "", "", ""]])
    )
    assert [row.token for row in read.rows] == ["t2"]
    assert [(bad.row, "more cells than the header" in bad.reason) for bad in read.rejected] == [(2, True)]


@both_forms
def test_a_short_row_has_empty_cells_at_its_end(form):
    read = sheet(form([HEADER, ["2501", "t1", GOOD], ["2502", "t2"]]))
    assert [(row.token, row.promise) for row in read.rows] == [("t1", "")]
    assert [bad.reason for bad in read.rejected] == ["The time of consent is missing."]


@pytest.mark.parametrize(
    "data", [b"", b"\xef\xbb\xbf", b"sep=;\n", b"\n \t\n", workbook([]), workbook([[], []])]
)
def test_an_empty_file_is_refused(data):
    assert "empty" in refusal(data)


# Ids


MARKED = [
    "'2407000000000012",
    "2407000000000013\u200b",
    "\ufeff2407000000000014",
    "\u202a“2407000000000015”\u00a0",
]


@both_forms
def test_marks_around_an_id_make_no_second_customer(form, arrange, now):
    fanpage = arrange.fanpage()
    topic, asked = arrange.topic(fanpage), {"now": now}
    plain = [[f"24070000000000{n}", f"t{n}", GOOD, ""] for n in (12, 13, 14, 15)]
    marked = [[id_, f"'t{n}\u200b", GOOD, ""] for id_, n in zip(MARKED, (12, 13, 14, 15), strict=True)]
    first = import_opt_ins(EDITOR, fanpage, topic_id=topic, data=form([HEADER, *plain]), **asked)
    again = import_opt_ins(EDITOR, fanpage, topic_id=topic, data=form([HEADER, *marked]), **asked)
    assert (first.imported, first.new_customers, first.cleaned) == (4, 4, 0)
    assert (again.imported, again.duplicates, again.new_customers, again.cleaned) == (0, 4, 0, 8)
    assert "IDs cleaned of quotes and invisible characters: 8." in [note.message for note in again.notes]
    with reading() as db:
        assert sorted(db.scalars(select(Customer.psid))) == [row[0] for row in plain]


@both_forms
@pytest.mark.parametrize("psid", ["abc", "2407 0000", "２４０７", "٢٤٠٧", "-2407", "24.07", "m_2407", "#N/A"])
def test_an_id_that_is_not_digits_is_refused_with_its_row(form, psid):
    read = sheet(form([HEADER, ["2501", "t1", GOOD, ""], [psid, "t2", GOOD, ""]]))
    assert ([row.psid for row in read.rows], [bad.row for bad in read.rejected]) == (["2501"], [3])


@both_forms
@pytest.mark.parametrize("token", ["#N/A", "#REF!", "########", "2.407E+15", "a b", "a\u200bb"])
def test_a_token_that_a_spreadsheet_has_lost_is_refused(form, token):
    read = sheet(form([HEADER, ["2501", token, GOOD, ""]]))
    assert ([bad.row for bad in read.rejected], read.rows) == ([2], [])


@pytest.mark.parametrize("id_", [2407000000000012, 24070000000000123, 1e15, 2501.5])
def test_a_number_of_more_than_15_digits_is_damaged(id_):
    for row, column in (([id_, "t", GOOD], "PSID"), (["2501", id_, GOOD], "token")):
        (bad,) = sheet(workbook([HEADER, row])).rejected
        assert (bad.row, column in bad.reason) == (2, True)
        assert "Format the column as text and export again" in bad.reason


@pytest.mark.parametrize("cell", [True, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4)])
def test_what_a_spreadsheet_made_of_an_id_is_none(cell):
    for row, column in (([cell, "t", GOOD], "psid"), (["2501", cell, GOOD], "token")):
        (bad,) = sheet(workbook([HEADER, row])).rejected
        assert f"column {column} has a date or a true/false value" in bad.reason


def test_a_number_that_a_spreadsheet_keeps_whole_is_its_digits():
    read = sheet(workbook([HEADER, [999_999_999_999_999, 123456789012345, GOOD], [2501, "t", GOOD]]))
    assert [(row.psid, row.token) for row in read.rows] == [
        ("999999999999999", "123456789012345"),
        ("2501", "t"),
    ]


# Times


@pytest.mark.parametrize(
    ("at", "moment", "is_local"),
    [
        (datetime(2026, 11, 1, 9, 30), datetime(2026, 11, 1, 2, 30, tzinfo=UTC), True),
        (date(2026, 11, 1), datetime(2026, 10, 31, 17, tzinfo=UTC), True),
        ("2026-11-01T09:30:00+07:00", datetime(2026, 11, 1, 2, 30, tzinfo=UTC), False),
        ("2026-11-01 09:30", datetime(2026, 11, 1, 2, 30, tzinfo=UTC), True),
        ("'2026-11-01T02:30:00Z\u200b", datetime(2026, 11, 1, 2, 30, tzinfo=UTC), False),
    ],
)
@pytest.mark.parametrize("options", [{}, {"date_1904": True}], ids=["1900", "1904"])
def test_a_time_is_a_date_cell_or_iso_text_and_its_zone_is_said(at, moment, is_local, options):
    read = sheet(workbook([HEADER, ["2501", "t", at]], **options))
    assert [row.consented_at for row in read.rows] == [moment]
    said = "Times without a time zone, read in the fanpage's time zone Asia/Ho_Chi_Minh: 1."
    assert notes(read) == ([said] if is_local else [])


@pytest.mark.parametrize("at", [46327.4, 1793500000, 1.7e12, "31/10/2026", "10/31/2026 9:30", "hôm qua"])
def test_what_may_be_several_times_is_none(at):
    (bad,) = sheet(workbook([HEADER, ["2501", "t", at]])).rejected
    assert "is not a time" in bad.reason


# Rounded ids


def ids_of(psids, tokens=None):
    tokens = tokens or [f"t{n}" for n in range(len(psids))]
    return [HEADER, *([psid, token, GOOD, ""] for psid, token in zip(psids, tokens, strict=True))]


ROUNDED = {
    "16-digits": [f"24070000{n:07}0" for n in range(137, 149)],
    "17-digits": [f"24070000{n:07}00" for n in range(137, 149)],
    "one-id-of-three": ["2407000000000010"] * 4 + ["2407000000000020"] * 4 + ["2407000000000030"] * 4,
    "most": [f"24070000{n:07}0" for n in range(137, 144)] + [f"24070000{n:07}7" for n in range(137, 142)],
    "powers": ["2.407E+15"] * 12,
    "with-decimals": [f"24070000{n:08}.0" for n in range(12)],
}


@both_forms
@pytest.mark.parametrize("psids", ROUNDED.values(), ids=ROUNDED)
def test_a_file_of_rounded_ids_is_refused_with_the_cure(form, psids):
    said = refusal(form(ids_of(psids)))
    assert "rounded the column psid" in said
    assert "format the column as text and export again" in said
    assert "2, 3, 4" in said


@both_forms
def test_rows_that_are_rejected_for_their_date_are_judged_with_the_others(form):
    rows = ids_of([f"24070000{n:07}0" for n in range(137, 157)])
    odd_dates = [[psid, token, "13/11/2026 10:00", ""] for psid, token, *_ in rows[1:13]]
    assert "rounded the column psid" in refusal(form([rows[0], *odd_dates, *rows[13:]]))


@both_forms
def test_rounded_tokens_are_refused_too(form):
    tokens = [f"812{n:012}000" for n in range(12)]
    assert "rounded the column token" in refusal(form(ids_of([f"25{n:03}" for n in range(12)], tokens)))


def test_a_workbook_of_numbers_is_refused_whole():
    numbers = [[2407000000000000 + n * 17, f"t{n}", GOOD] for n in range(12)]
    assert "12 of 12 long IDs" in refusal(workbook([HEADER, *numbers]))


HONEST = {
    "few": ["2407000000000010"] * 9,
    "one-customer-of-many-opt-ins": ["2407000000000010"] * 12,
    "one-of-ten": [f"24070000{n:08}" for n in range(120, 140)],
    "half": [f"24070000{n:07}0" for n in range(137, 143)] + [f"24070000{n:07}7" for n in range(137, 143)],
    "17-digits-with-one-zero": [f"24070000{n:08}0" for n in range(11, 23)],
    "short-ids": [f"{n}00000000" for n in range(10, 30)],
}


@both_forms
@pytest.mark.parametrize("psids", HONEST.values(), ids=HONEST)
def test_ids_that_end_in_zeros_by_chance_are_kept(form, psids):
    read = sheet(form(ids_of(psids)))
    assert ([row.psid for row in read.rows], read.rejected) == (psids, [])


@both_forms
def test_single_ids_that_look_rounded_are_noted_with_the_odds(form):
    (note,) = notes(sheet(form(ids_of([f"24070000{n:08}" for n in range(120, 140)]))))
    assert note == (
        "Column psid: 2 of 20 long IDs end in zeros, as if a spreadsheet had rounded them (rows 2, 12). "
        "About 2 would by chance. They are kept; compare them with the source."
    )


# The same as CSV


def test_a_workbook_is_imported_like_its_csv_and_repeating_either_changes_nothing(arrange, now):
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    made = [HEADER, *([f"2501{n}", f"t{n}", GOOD, "Báo tôi"] for n in range(3)), ["x", "t9", GOOD, ""]]
    outcomes = [
        import_opt_ins(EDITOR, fanpage, topic_id=topic, data=form(made), now=now) for form in (workbook, csv)
    ]
    assert [(o.imported, o.duplicates, [bad.row for bad in o.rejected]) for o in outcomes] == [
        (3, 0, [5]),
        (0, 3, [5]),
    ]
    with reading() as db:
        tokens = [decrypt(opt_in.token_sealed) for opt_in in db.scalars(select(OptIn).order_by(OptIn.id))]
    assert tokens == ["t0", "t1", "t2"]


@both_forms
def test_no_note_and_no_reason_repeats_a_token(form):
    made = [
        [*HEADER, "x"],
        *(["2501", f"secret-{n}", GOOD, "", "y"] for n in range(3)),
        ["", "secret-9", GOOD],
    ]
    read = sheet(form(made))
    said = json.dumps([*notes(read), *(bad.reason for bad in read.rejected)])
    assert "secret" not in repr(read) + said
