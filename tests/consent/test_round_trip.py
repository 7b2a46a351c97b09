"""What we export can be imported again: the same customers, tokens, promises and times, in both forms."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounts.rules import Actor, Role
from core.consent import import_file, import_rows
from core.consent.imports import import_opt_ins
from core.consent.opt_in_export import COLUMNS, csv_opt_ins, workbook_opt_ins
from core.consent.opt_in_queries import list_opt_ins
from core.errors import N_
from core.spreadsheets.column import Column
from core.spreadsheets.csv_writer import csv_file
from core.spreadsheets.formula_guard import defuse_formula
from core.spreadsheets.reading import read_table
from core.spreadsheets.workbook_writer import workbook_file
from core.text.normalise import normalise_name
from tests.spreadsheets.made import workbook

EDITOR = Actor(None, "editor.one", Role.EDITOR)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASKED = tuple(Column(name, N_(name)) for name in ("psid", "token", "consented_at", "promise"))
ZONES = ("Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "UTC")
FORMS = {
    "csv": lambda rows, zone: b"".join(csv_file(ASKED, [_in_zone(row, zone) for row in rows])),
    "xlsx": lambda rows, zone: workbook_file("Opt-ins", ASKED, rows, zone=zone),
    "resaved": lambda rows, zone: resaved(workbook_file("Opt-ins", ASKED, rows, zone=zone)),
}


def _in_zone(row, zone):
    return tuple(value.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value for value in row)


def resaved(data):
    """As a spreadsheet program saves it again: its own day count, shared strings, its own date formats."""
    sheet = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
    rows = [[None if cell == "" else cell for cell in row] for row in sheet.to_python()]
    return workbook(rows, date_1904=True)


ids = st.integers(1, 10**20).map(str)
tokens = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
moments = st.integers(0, 364 * 86_400_000 - 1).map(lambda ms: NOW - timedelta(milliseconds=ms))
odd = ["=1+1", "-50% giày", "+84", "@lan", "'=x", "''-1", "_x0041_", "ngày 3/4", "1E5", "TRUE"]
odd += ["a;=1", ";'=x", "x; +84"]
promises = st.text(max_size=30).map(normalise_name) | st.sampled_from(odd)


def is_whole(token):
    """Whether the normaliser takes it for a token as it is, and a spreadsheet for no number or error.

    No export of ours holds tokens, so the import takes nothing out of the inside of one: those that our CSV
    writer would change there are left out.
    """
    read = import_rows.read_row(1, ["1", token, NOW.isoformat(), ""], PLACES, "UTC", NOW)
    is_kept = defuse_formula(token) in (token, f"'{token}")
    return is_kept and isinstance(read, import_rows.Row) and read.token == token


PLACES = {"psid": 0, "token": 1, "consented_at": 2, "promise": 3}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(ids, tokens.filter(is_whole), moments, promises), max_size=9, unique_by=lambda r: r[1]
    ),
    st.sampled_from(ZONES),
)
def test_ids_tokens_times_and_promises_survive(form, rows, zone):
    read = import_file.read_sheet(form(rows, zone), zone=zone, now=NOW)
    assert read.rejected == []
    assert [(row.psid, row.token, row.consented_at) for row in read.rows] == [row[:3] for row in rows]
    assert [row.promise for row in read.rows] == [row[3] for row in rows]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_hour_that_a_change_of_clocks_repeats_survives(form):
    """In Berlin 02:30 came twice on 25 October 2026."""
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    rows = [(f"250{n}", f"t{n}", at, "") for n, at in enumerate(twice)]
    read = import_file.read_sheet(form(rows, "Europe/Berlin"), zone="Europe/Berlin", now=NOW)
    assert [row.consented_at for row in read.rows] == twice


def with_tokens(table):
    """An export to which somebody has added the tokens from elsewhere, as a spreadsheet program saves it."""
    rows = [cells for _number, cells in table.rows([])]
    added = [[*cells, f"token-{n}"] for n, cells in enumerate(rows)]
    return workbook([[*table.header, "token"], *added])


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_of_opt_ins_is_an_import_of_the_same_customers(form, arrange, now):
    before, after = arrange.fanpage("Cũ"), arrange.fanpage("Mới")
    topic = arrange.topic(before)
    for n, name in enumerate(("Lan", "=Mai", "Đào")):
        customer = arrange.customer(before, name, psid=f"2501234567890123{n}")
        at = now - timedelta(days=n, milliseconds=n)
        arrange.opt_in(topic, customer, fanpage_id=before, token=f"x{n}", consented_at=at)
    made = workbook_opt_ins(before, now=now) if form == "xlsx" else b"".join(csv_opt_ins(before, now=now))
    data = with_tokens(read_table(made))
    done = import_opt_ins(EDITOR, after, topic_id=arrange.topic(after), data=data, now=now)
    assert (done.imported, done.new_customers, done.rejected) == (3, 3, ())
    kept = [
        [(o.psid, o.promise, o.consented_at) for o in list_opt_ins(page, now=now)] for page in (before, after)
    ]
    assert kept[0] == kept[1]


def test_an_export_holds_no_token(arrange, now):
    fanpage = arrange.fanpage()
    topic, customer = arrange.topic(fanpage), arrange.customer(fanpage)
    arrange.opt_in(topic, customer, fanpage_id=fanpage, token="very-secret")
    assert "token" not in {column.name for column in COLUMNS}
    cells = [cells for _number, cells in read_table(workbook_opt_ins(fanpage, now=now)).rows([])]
    assert len(cells) == 1
    assert "very-secret" not in repr(cells)


@pytest.mark.parametrize("token", ["a;'=b", "a;=b", ";'-1"])
def test_the_inside_of_a_token_stays_as_another_program_wrote_it(token):
    data = f"psid,token,consented_at\r\n1,{token},2026-11-22T09:00:00Z\r\n".encode()
    assert [row.token for row in import_file.read_sheet(data, zone="UTC", now=NOW).rows] == [token]
