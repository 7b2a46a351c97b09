"""Opt-ins from CSV files: every row counted once, good ones kept, nothing changed by a second time."""

import contextlib
import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from core.accounts.rules import Actor, Role
from core.broadcasts.topic_archiving import archive_topic
from core.consent import import_file, imports, opt_in_queries
from core.consent.imports import import_opt_ins
from core.consent.ledger import record_imported
from core.consent.opt_in_export import csv_opt_ins
from core.consent.opt_in_queries import OptInFilter
from core.db.engine import reading
from core.db.tables import Activity, Customer, OptIn
from core.encryption import decrypt
from core.errors import Invalid, NotAllowed, NotFound, WrongState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EDITOR = Actor(None, "editor.one", Role.EDITOR)
HEADER = "psid,token,consented_at,promise\n"
GOOD = "2026-11-01T09:30:00+07:00"


def sheet(text, **more):
    data = text if isinstance(text, bytes) else text.encode()
    return import_file.read_sheet(data, **{"zone": "Asia/Ho_Chi_Minh", "now": NOW, **more})


def opt_ins():
    with reading() as db:
        return db.exec(select(OptIn).order_by(OptIn.id)).all()


@pytest.fixture
def load(fanpage, topic, now):
    def load(text, **more):
        data = text if isinstance(text, bytes) else text.encode()
        return import_opt_ins(EDITOR, fanpage, **{"topic_id": topic, "data": data, "now": now, **more})

    return load


# What a file may look like


@pytest.mark.parametrize(
    "data",
    [
        f"psid,token,consented_at,promise\n2501,t1,{GOOD},Báo tôi\n".encode("utf-8-sig"),
        f"psid,token,consented_at,promise\r\n2501,t1,{GOOD},Báo tôi\r\n".encode(),
        f"psid,token,consented_at,promise\r2501,t1,{GOOD},Báo tôi".encode(),
        f"psid;token;consented_at;promise\n2501;t1;{GOOD};Báo tôi\n".encode(),
        f"psid\ttoken\tconsented_at\tpromise\n2501\tt1\t{GOOD}\tBáo tôi\n".encode("utf-16"),
        f" PSID , Token ,Consented_At, promise \n  2501 , t1 ,{GOOD}, Báo tôi \n".encode(),
        f'"psid","token","consented_at","promise"\n"2501", "t1","{GOOD}","Báo tôi"\n'.encode(),
        f'\n\nname,promise,consented_at,token,psid\n\nx,Báo tôi,{GOOD},t1,"=""2501"""\n,,,,\n\n'.encode(),
    ],
    ids=["bom", "crlf", "cr", "semicolons", "utf-16", "spaces", "quotes", "order-blank-lines-excel"],
)
def test_a_file_is_read_as_spreadsheets_write_it(data):
    read = sheet(data)
    assert [(r.psid, r.token, r.promise, r.consented_at) for r in read.rows] == [
        ("2501", "t1", "Báo tôi", datetime(2026, 11, 1, 2, 30, tzinfo=UTC))
    ]
    assert read.rejected == []


def test_long_numbers_stay_text(load):
    load(f"{HEADER}25000000000000017,000123456789012345678901234567890,{GOOD},\n")
    with reading() as db:
        assert db.exec(select(Customer)).one().psid == "25000000000000017"
    assert decrypt(opt_ins()[0].token_sealed) == "000123456789012345678901234567890"


def test_a_time_without_an_offset_is_the_fanpage_s():
    assert sheet(f"{HEADER}1,t,2026-11-01 09:30,\n").rows[0].consented_at.hour == 2
    assert sheet(f"{HEADER}1,t,2026-11-01,\n").rows[0].consented_at.hour == 17


@pytest.mark.parametrize(
    ("text", "missing"),
    [("psid,token\n1,t\n", "consented_at"), ("1,t,2026-11-01\n", "psid, token, consented_at")],
)
def test_missing_columns_are_named(text, missing):
    with pytest.raises(Invalid, match=f"Missing: {missing}"):
        sheet(text)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data):
    with pytest.raises(Invalid, match="empty"):
        sheet(data)


@pytest.mark.parametrize("data", ["psid,tên".encode("utf-16-le"), b"psid,t\xean\n", b"PK\x03\x04\xff\xfe"])
def test_what_is_no_utf8_text_is_refused_with_a_way_out(data):
    with pytest.raises(Invalid, match=r"CSV UTF-8|Missing"):
        sheet(data)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f",t,{GOOD},", "PSID is missing"),
        (f"1,,{GOOD},", "token is missing"),
        ("1,t,,", "time of consent is missing"),
        ("1,t", "time of consent is missing"),
        ("1,t,22/11/2026,", "is not a time"),
        ("1,t,0001-01-01T00:00:00+14:00,", "is not a time"),
        ("1,t,9999-12-31T23:59:59,", "is not a time"),
        ("1,t,2026-11-22T09:00:01Z,", "future"),
        ("1,t,2025-11-22T09:00:00Z,", "year old"),
        (f"2.5E+16,t,{GOOD},", "rounded by a spreadsheet"),
        (f'"2,5E+16",t,{GOOD},', "rounded by a spreadsheet"),
        (f"{'1' * 65},t,{GOOD},", "PSID is longer than 64"),
        (f"1,{'t' * 2001},{GOOD},", "token is longer than 2000"),
        (f"1,t,{GOOD},{'x' * 201}", "promise is longer than 200"),
        (f"1 2,t,{GOOD},", "is not a PSID"),
        (f"1,t\x00u,{GOOD},", "token has spaces"),
        (f'"1,t,{GOOD},', "quotation mark"),
        (f'1,"t"x,{GOOD},', "quotation mark"),
    ],
)
def test_a_bad_row_is_listed_with_its_line_and_costs_no_other(row, reason):
    read = sheet(f"{HEADER}1,a,{GOOD},\n\n{row}\n2,b,{GOOD},\n")
    assert [r.token for r in read.rows] == ["a", "b"]
    assert [(r.row, reason in r.reason) for r in read.rejected] == [(4, True)]


def test_no_reason_repeats_a_token():
    read = sheet(f"{HEADER},secret-token,{GOOD},\n1,secret-token{'x' * 3000},{GOOD},\n")
    assert "secret-token" not in repr(read) + "".join(r.reason for r in read.rejected)


def test_a_forgotten_quote_costs_its_line_only():
    lines = [f'"{n}","t{n}",{GOOD},"Báo tôi"' for n in range(1, 31)]
    lines[3] = f'"3,"t3",{GOOD},"Báo tôi"'
    lines[7] = f'7,t7,{GOOD},"Báo tôi'
    read = sheet(HEADER + "\n".join(lines))
    assert len(read.rows) == 28
    assert [r.row for r in read.rejected] == [5, 9]


def test_a_line_break_in_a_column_that_is_not_ours_is_fine():
    read = sheet(f'note,psid,token,consented_at\n"hai\ndòng",1,t,{GOOD}\nx,2,u,{GOOD}\n')
    assert [(r.number, r.psid) for r in read.rows] == [(2, "1"), (4, "2")]


def test_the_first_of_equal_tokens_counts():
    read = sheet(f"{HEADER}1,t,{GOOD},\n2,t,{GOOD},\n,t,{GOOD},\n")
    assert ([r.psid for r in read.rows], read.repeated, len(read.rejected)) == (["1"], 1, 1)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text):
    lines = f"{HEADER}{text}".replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:]
    read = sheet((HEADER + text).encode("utf-8", "replace"))
    assert len(read.rows) + len(read.rejected) + read.repeated <= len(lines)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    with contextlib.suppress(Invalid):
        assert sheet(data).rows == []


# What an import does


def test_good_rows_are_kept_and_every_row_is_accounted_for(load):
    text = f"{HEADER}1,a,{GOOD},Báo tôi\n2,b,{GOOD},\n,c,{GOOD},\n1,a,{GOOD},\n1,d,{GOOD},\n"
    outcome = load(text)
    assert (outcome.imported, outcome.duplicates, outcome.new_customers) == (3, 1, 2)
    assert [r.row for r in outcome.rejected] == [4]
    assert [(o.promise, o.state, o.source) for o in opt_ins()] == [
        ("Báo tôi", "available", "import"),
        ("", "available", "import"),
        ("", "available", "import"),
    ]


def test_repeating_an_import_changes_nothing(load):
    text = f"{HEADER}1,a,{GOOD},x\n2,b,{GOOD},\n"
    load(text)
    before = [o.model_dump() for o in opt_ins()]
    outcome = load(text)
    assert (outcome.imported, outcome.duplicates, outcome.new_customers) == (0, 2, 0)
    assert [o.model_dump() for o in opt_ins()] == before


def test_a_token_known_for_another_topic_or_customer_is_left_as_it_is(load, arrange, fanpage):
    other_topic, lan = arrange.topic(fanpage, "Khác"), arrange.customer(fanpage, psid="9")
    arrange.opt_in(other_topic, lan, fanpage_id=fanpage, token="known", state="spent")
    outcome = load(f"{HEADER}1,known,{GOOD},mới\n1,fresh,{GOOD},\n")
    assert (outcome.imported, outcome.duplicates) == (1, 1)
    known = opt_ins()[0]
    assert (known.topic_id, known.customer_id, known.state) == (other_topic, lan, "spent")


def test_a_token_of_another_fanpage_is_another_token(load, arrange):
    elsewhere = arrange.fanpage("Khác")
    customer = arrange.customer(elsewhere)
    arrange.opt_in(arrange.topic(elsewhere), customer, fanpage_id=elsewhere, token="same")
    assert load(f"{HEADER}1,same,{GOOD},\n").imported == 1


def test_a_known_customer_is_found_again(load, arrange, fanpage):
    lan = arrange.customer(fanpage, "Lan", psid="2501")
    assert load(f"{HEADER}2501,t,{GOOD},\n").new_customers == 0
    assert opt_ins()[0].customer_id == lan


def test_a_check_writes_nothing_and_foretells_the_outcome(load):
    text = f"{HEADER}1,a,{GOOD},\n1,a,{GOOD},\nx\n"
    foretold = load(text, only_check=True)
    assert opt_ins() == []
    done = load(text)
    assert (foretold.imported, foretold.duplicates, foretold.rejected) == (
        done.imported,
        done.duplicates,
        done.rejected,
    )


def test_the_import_is_recorded_with_its_figures(load):
    load(f"{HEADER}1,a,{GOOD},\nx\n")
    with reading() as db:
        entry = db.exec(select(Activity)).one()
    assert (entry.verb, entry.detail) == ("opt_in.import", {"imported": 1, "duplicates": 0, "rejected": 1})


def test_thousands_of_rows_go_in_at_once(load, fanpage, topic, now):
    rows = "".join(f"{n % 2000 + 1},t{n},{GOOD},Báo tôi\n" for n in range(2500))
    outcome = load(HEADER + rows)
    assert (outcome.imported, outcome.new_customers, outcome.duplicates) == (2500, 2000, 0)
    assert opt_in_queries.count_opt_ins(fanpage, OptInFilter(topic_id=topic), now=now) == 2500


def test_webhooks_wait_for_a_part_of_an_import_and_never_for_the_file(load, fanpage, monkeypatch, now):
    """What the webhook server does between two parts goes through at once, for customers of the first."""
    monkeypatch.setattr(imports, "CHUNK", 2)
    parts = []

    def meanwhile(db, rows):
        made = record_imported(db, rows)
        parts.append(made)
        if len(parts) == 2:
            with ThreadPoolExecutor(1) as other:
                other.submit(see_first_customer).result(timeout=10)
        return made

    def see_first_customer():
        with reading() as db:
            seen.extend(db.scalars(select(Customer.psid).where(Customer.fanpage_id == fanpage)))

    seen = []
    monkeypatch.setattr(imports, "record_imported", meanwhile)
    outcome = load(f"{HEADER}1,a,{GOOD},\n2,b,{GOOD},\n3,c,{GOOD},\n1,d,{GOOD},\n4,e,{GOOD},\n")
    assert parts == [2, 2, 1]
    assert sorted(seen) == ["1", "2"]
    assert (outcome.imported, outcome.duplicates, outcome.new_customers) == (5, 0, 4)


def test_an_import_that_broke_off_is_ended_by_the_same_file(load, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 2)
    text = f"{HEADER}1,a,{GOOD},\n2,b,{GOOD},\n3,c,{GOOD},\n"

    def break_off(db, rows):
        if rows[0].token == "c":
            raise ConnectionError
        return record_imported(db, rows)

    with monkeypatch.context() as patch:
        patch.setattr(imports, "record_imported", break_off)
        with pytest.raises(ConnectionError):
            load(text)
    assert len(opt_ins()) == 2
    outcome = load(text)
    assert (outcome.imported, outcome.duplicates, outcome.new_customers) == (1, 2, 1)
    with reading() as db:
        assert [entry.detail["imported"] for entry in db.exec(select(Activity))] == [1]


def test_an_import_needs_a_topic_in_use_of_the_same_fanpage_and_an_editor(load, arrange, fanpage, topic, now):
    with pytest.raises(NotFound):
        load(HEADER, topic_id=arrange.topic(arrange.fanpage("Khác")))
    viewer = Actor(None, "viewer.one", Role.VIEWER)
    with pytest.raises(NotAllowed):
        import_opt_ins(viewer, fanpage, topic_id=topic, data=b"", now=now)
    archive_topic(EDITOR, topic, now=now)
    with pytest.raises(WrongState, match="archived"):
        load(HEADER)


# Lists and the export


def test_lists_filter_by_topic_state_and_end(arrange, fanpage, topic, now):
    lan = arrange.customer(fanpage, "Lan", last_name="Trần")
    make = {"fanpage_id": fanpage}
    fresh = arrange.opt_in(topic, lan, **make)
    ending = arrange.opt_in(topic, lan, consented_at=now - timedelta(days=350), **make)
    over = arrange.opt_in(topic, lan, consented_at=now - timedelta(days=365), **make)
    spent = arrange.opt_in(topic, lan, state="spent", **make)
    homeless = arrange.opt_in(None, lan, **make)
    for chosen, expected in {
        OptInFilter(): [homeless, spent, over, ending, fresh],
        OptInFilter(topic_id=topic): [spent, over, ending, fresh],
        OptInFilter(topic_id=topic, state="available"): [ending, fresh],
        OptInFilter(state="expired"): [over],
        OptInFilter(without_topic=True): [homeless],
        OptInFilter(ends_before=now + timedelta(days=30)): [ending],
        OptInFilter(customer_id=lan, state="spent"): [spent],
    }.items():
        listed = opt_in_queries.list_opt_ins(fanpage, chosen, now=now)
        assert [opt_in.id for opt_in in listed] == expected
        assert opt_in_queries.count_opt_ins(fanpage, chosen, now=now) == len(expected)
    assert {o.id: str(o.state) for o in opt_in_queries.list_opt_ins(fanpage, now=now)}[over] == "expired"


def test_a_topic_of_another_fanpage_counts_nothing(arrange, topic, now):
    elsewhere = arrange.fanpage("Khác")
    assert opt_in_queries.count_opt_ins(elsewhere, OptInFilter(topic_id=topic), now=now) == 0


def test_the_export_has_a_row_per_opt_in_and_no_token(arrange, fanpage, topic, now, monkeypatch):
    monkeypatch.setattr(opt_in_queries, "CHUNK", 2)
    lan = arrange.customer(fanpage, "=cmd()", psid="2501")
    for number in range(5):
        arrange.opt_in(topic, lan, fanpage_id=fanpage, token=f"very-secret-{number}")
    text = b"".join(csv_opt_ins(fanpage, OptInFilter(topic_id=topic), now=now)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 5
    assert "very-secret" not in text
    assert (rows[0]["psid"], rows[0]["customer"]) == ("2501", "'=cmd()")
    assert rows[0]["consented_at"] == "2026-11-21T16:00:00+07:00"
