"""The activity log: filters, paging by the database, CSV."""

import csv
import io
from datetime import timedelta

import pytest

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
