"""The activity log: filters, paging by the database, CSV."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.accounts import actions, activity_export, activity_log, queries
from core.accounts.activity_export import activity_csv
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, SYSTEM, Actor, Role
from core.db.engine import transaction

LAN = Actor(1, "lan", Role.EDITOR)


@pytest.fixture
def log(fresh_database, now):
    with transaction() as db:
        activity_log.record(db, LAN, "topic.create", now=now - timedelta(days=3), subject="Giày 50%")
        activity_log.record(db, LAN, "broadcast.create", now=now, subject="Sale_tháng 11", text="ạ")
        activity_log.record(db, SYSTEM, "broadcast.start", now=now, subject="=HYPERLINK(1)")


@pytest.mark.parametrize(
    ("asked", "verbs"),
    [
        (ActivityFilter(), ["broadcast.start", "broadcast.create", "topic.create"]),
        (ActivityFilter(actor="lan"), ["broadcast.create", "topic.create"]),
        (ActivityFilter(noun="broadcast"), ["broadcast.start", "broadcast.create"]),
        (ActivityFilter(search="giày"), ["topic.create"]),
        (ActivityFilter(search="GIÀY"), ["topic.create"]),
        (ActivityFilter(search="50%"), ["topic.create"]),
        (ActivityFilter(search="%"), ["topic.create"]),
        (ActivityFilter(search="_"), ["broadcast.create"]),
        (ActivityFilter(noun="broad"), []),
        (ActivityFilter(fanpage_id=7), []),
    ],
)
def test_the_log_is_filtered_newest_first(log, asked, verbs):
    assert [entry.verb for entry in queries.list_activity(asked)] == verbs
    assert queries.count_activity(asked) == len(verbs)


def test_the_log_is_filtered_by_time(log, now):
    assert queries.count_activity(ActivityFilter(since=now - timedelta(days=1))) == 2


def test_the_log_is_read_page_by_page(log):
    pages = [queries.list_activity(ActivityFilter(), offset=offset, limit=2) for offset in (0, 2)]
    assert [len(page) for page in pages] == [2, 1]


def test_the_log_can_be_asked_for_operators_and_for_the_machine(fresh_database, now):
    actions.add_operator(COMMAND_LINE, "lan", "viewer", "correct-horse-battery", now=now)
    assert queries.list_actors() == ["lan", "command line", "system"]


def test_the_export_holds_every_matching_line_and_no_formula(log, monkeypatch):
    monkeypatch.setattr(activity_export, "CHUNK", 2)
    rows = list(csv.DictReader(io.StringIO(activity_csv(ActivityFilter()).decode("utf-8-sig"))))
    assert [row["verb"] for row in rows] == ["broadcast.start", "broadcast.create", "topic.create"]
    assert rows[0]["subject"] == "'=HYPERLINK(1)"
    assert rows[1]["detail"] == '{"text": "ạ"}'
    assert activity_csv(ActivityFilter()).startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("change", ["UPDATE activity SET subject = 'x'", "DELETE FROM activity"])
def test_the_database_itself_refuses_to_change_the_log(log, fresh_database, change):
    young = f"{change} WHERE verb = 'broadcast.create'"
    fresh_database.run(f"INSERT INTO activity {COPY}")
    with pytest.raises(Exception, match="append_only"), transaction() as db:
        db.execute(text(young))
    assert queries.count_activity(ActivityFilter(search="Sale_tháng 11")) == 2


COPY = (
    "(at, actor, verb, subject, detail, address) SELECT CURRENT_TIMESTAMP, actor, verb, subject, detail, "
    "address FROM activity WHERE verb = 'broadcast.create'"
)


def test_an_old_line_can_be_deleted_and_not_be_changed(log, fresh_database, now):
    with transaction() as db:
        activity_log.record(db, LAN, "topic.edit", now=now - timedelta(days=200), subject="Cũ")
    with pytest.raises(Exception, match="append_only"), transaction() as db:
        db.execute(text("UPDATE activity SET actor = 'x' WHERE verb = 'topic.edit'"))
    with transaction() as db:
        db.execute(text("DELETE FROM activity WHERE verb = 'topic.edit'"))
    assert queries.count_activity(ActivityFilter(search="cũ")) == 0


def test_words_of_the_details_are_found(log, now):
    with transaction() as db:
        activity_log.record(db, LAN, "topic.edit", now=now, subject="x", after="Áo dài đỏ")
    assert [entry.verb for entry in queries.list_activity(ActivityFilter(search="dài đỏ"))] == ["topic.edit"]
