"""What has been kept long enough goes, a part at a time; what a token or a no depends on stays."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.accounts.activity_log import record
from core.accounts.rules import COMMAND_LINE
from core.consent.withdrawal_actions import withdraw_customer
from core.db.engine import transaction
from core.db.tables import (
    Activity,
    Backup,
    CallsOfHour,
    Delivery,
    DeliveryAttempt,
    OptIn,
    OptInImport,
    Reply,
    SignInAttempt,
    Withdrawal,
)
from core.retention import scheduled_jobs
from core.retention.periods import Record, list_kept
from core.settings import settings
from tests.customers.forgetting.people import Shop
from tests.inbox.platform import rows

DAY = timedelta(days=1)
AGES = {
    Record.ACTIVITY: 730,
    Record.REPLY: 400,
    Record.REQUEST: 402,
    Record.ATTEMPT: 400,
    Record.IMPORT_REASON: 90,
    Record.SIGN_IN_ATTEMPT: 1,
    Record.CALL_COUNT: 7,
    Record.BACKUP_NOTE: 400,
}


@pytest.fixture
def now() -> datetime:
    """Long ago, since the database deletes nothing of the log that is young by its own clock."""
    return datetime(2021, 3, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def shop(arrange, now) -> Shop:
    return Shop(arrange, now)


@pytest.fixture
def full(shop) -> Shop:
    """A row of each kind, all of the same age."""
    shop.well_known()
    save, at, fanpage_id = shop.arrange.save, shop.now, shop.fanpage_id
    save(SignInAttempt(name="lan", at=at))
    save(Backup(made_at=at))
    save(Reply(fanpage_id=fanpage_id, customer_id=shop.customer_id, body={"text": "x"}, created_at=at))
    save(OptInImport(**import_of(shop), rejected=[{"row": 2, "reason": "psid 25"}], ended_at=at))
    with transaction() as db:
        db.add(CallsOfHour(fanpage_id=fanpage_id, hour=at, calls=3))
        record(db, COMMAND_LINE, "topic.edit", now=at)
    return shop


def import_of(shop: Shop) -> dict:
    texts = dict.fromkeys(("file_name", "state", "operator", "role"), "x")
    return {**texts, "fanpage_id": shop.fanpage_id, "topic_id": shop.topic_id, "created_at": shop.now}


@pytest.mark.parametrize("which", list(AGES))
def test_each_kind_goes_at_its_age_and_not_before(full, fresh_database, which):
    fresh_database.run("UPDATE reply SET state = 'sent'")
    period = next(kept.period for kept in list_kept(settings()) if kept.record is which)
    assert period.days == AGES[which]
    oldest = full.now - timedelta(hours=1)
    assert scheduled_jobs.delete_old_rows(now=oldest + period)[which] == 0
    assert scheduled_jobs.delete_old_rows(now=full.now + period + DAY)[which] > 0
    assert scheduled_jobs.delete_old_rows(now=full.now + period + DAY)[which] == 0


def test_nothing_that_a_token_or_a_no_depends_on_goes(full):
    withdraw_customer(COMMAND_LINE, full.others[0], now=full.now)
    kept = [len(rows(table)) for table in (OptIn, Withdrawal, Delivery)]
    assert all(kept)
    scheduled_jobs.delete_old_rows(now=full.now + 20 * 365 * DAY)
    assert [len(rows(table)) for table in (OptIn, Withdrawal, Delivery)] == kept


def test_what_waits_or_is_in_doubt_stays_and_hides_nothing(full, fresh_database, monkeypatch):
    monkeypatch.setattr(scheduled_jobs, "ROWS_PER_TRANSACTION", 1)
    attempts = len(rows(DeliveryAttempt))
    assert attempts > 0
    fresh_database.run("UPDATE delivery SET state = 'unknown'")
    fresh_database.run("UPDATE reply SET state = 'queued'")
    done = scheduled_jobs.delete_old_rows(now=full.now + 500 * DAY)
    assert (done[Record.REPLY], done[Record.REQUEST], done[Record.ATTEMPT]) == (0, 0, 0)
    assert len(rows(DeliveryAttempt)) == attempts


def test_many_go_a_part_at_a_time(fresh_database, now, monkeypatch):
    monkeypatch.setattr(scheduled_jobs, "ROWS_PER_TRANSACTION", 3)
    with transaction() as db:
        for number in range(10):
            record(db, COMMAND_LINE, "topic.edit", now=now - number * DAY)
    assert scheduled_jobs.delete_old_rows(now=now + 900 * DAY)[Record.ACTIVITY] == 10
    assert rows(Activity) == []


def test_the_days_are_settings(full, restart):
    restart(keep_activity_days="100")
    assert scheduled_jobs.delete_old_rows(now=full.now + 99 * DAY)[Record.ACTIVITY] == 0
    assert scheduled_jobs.delete_old_rows(now=full.now + 101 * DAY)[Record.ACTIVITY] > 0


@pytest.mark.parametrize(("days", "kept"), [("30", 402), ("900", 900)])
def test_requests_stay_as_long_as_the_funnel_counts_them(full, restart, fresh_database, days, kept):
    restart(keep_replies_days=days)
    fresh_database.run("UPDATE reply SET state = 'failed'")
    assert scheduled_jobs.delete_old_rows(now=full.now + (kept - 1) * DAY)[Record.REQUEST] == 0
    assert all(row.request_id for row in rows(Reply)) == (kept == 402)
    assert scheduled_jobs.delete_old_rows(now=full.now + (kept + 1) * DAY)[Record.REQUEST] > 0


def test_an_import_keeps_how_many_rows_were_left_out(full):
    scheduled_jobs.delete_old_rows(now=full.now + 100 * DAY)
    assert [row.rejected for row in rows(OptInImport)] == [[]]
    assert len(rows(Reply)) > 0


def test_the_document_says_the_same_as_the_program(fresh_database):
    text = (Path(__file__).resolve().parents[2] / "docs/retention.md").read_text("utf-8")
    told = re.findall(r"^\| ([A-Z].+?) \| (\d+) \| (?:`(\w+)`)? ?\|$", text, re.MULTILINE)
    kept = list_kept(settings())
    assert told == [(each.words, str(each.period.days), each.setting) for each in kept]
