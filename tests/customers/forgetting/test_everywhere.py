"""After forgetting, the person is in no table and in no file. A table that is added later is filled and
searched by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Float, Integer, String, insert, select
from sqlalchemy import Table as SqlTable

from core.accounts.rules import COMMAND_LINE
from core.backups import scheduled_jobs as backups
from core.backups.restoring import restore
from core.db.engine import empty_log, forget_engines, reading, transaction
from core.db.tables import Table
from core.db.tables.columns import UtcTime
from core.forgetting import erasing
from core.inbox import actions as inbox
from core.inbox import processing
from core.inbox.event_filters import EventFilter
from core.settings import settings
from tests.customers.forgetting.people import PSID, Shop, everything_in
from tests.inbox.platform import said

MARK = "zymunt"
# Their rows stay without the person; what they hold is filled by people.py.
STAYS = erasing.STAYS


def tables_about_customers() -> list[SqlTable]:
    return [
        table
        for table in Table.metadata.sorted_tables
        if table.name not in STAYS and any(key.column.table.name == "customer" for key in table.foreign_keys)
    ]


def fill(table: SqlTable, customer_id: int, now: Any, words: str) -> None:
    """Add a row to a table, with these words wherever it keeps any."""
    columns = [column for column in table.columns if column.name != "id"]
    values = {column.name: a_value(column, customer_id, now, words) for column in columns}
    with transaction() as db:
        db.execute(insert(table).values(values))


def a_value(column: Column[Any], customer_id: int, now: Any, words: str) -> Any:
    """Something that fits the column. What it refers to beside the customer names nobody."""
    for key in column.foreign_keys:
        if key.column.table.name == "customer":
            return customer_id
        if first_of(key.column) is None:
            fill(key.column.table, customer_id, now, "x")
        return first_of(key.column)
    kind = column.type
    if isinstance(kind, JSON):
        return {words: words}
    if isinstance(kind, UtcTime | DateTime):
        return now
    if isinstance(kind, Date):
        return now.date()
    if isinstance(kind, String):
        return words[: kind.length]
    return 1 if isinstance(kind, Integer | Float | Boolean) else None


def first_of(column: Column[Any]) -> Any:
    with reading() as db:
        return db.execute(select(column).limit(1)).scalar()


def test_every_table_about_customers_is_emptied_of_the_person(shop: Shop, fresh_database):
    shop.well_known()
    for table in tables_about_customers():
        theirs = [c for c in table.columns if any(k.column.table.name == "customer" for k in c.foreign_keys)]
        if fresh_database.rows(f'SELECT 1 FROM "{table.name}" WHERE {theirs[0].name} = {shop.customer_id}'):
            continue
        fill(table, shop.customer_id, shop.now, f"{MARK} {PSID}")
    for table in tables_about_customers():
        assert fresh_database.count(table.name) > 0, table.name
    secrets = {*shop.secrets(), MARK}
    assert PSID in everything_in(fresh_database)

    shop.forget()

    after = everything_in(fresh_database)
    assert {each for each in secrets if each in after} == set()


def test_a_psid_stands_in_no_column_that_forgetting_does_not_know():
    named = {(t.name, c.name) for t in Table.metadata.sorted_tables for c in t.columns if "psid" in c.name}
    assert named == {("customer", "psid"), ("event", "psid")}


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def naming(secrets: set[str]) -> dict[str, set[str]]:
    """The files of this installation that hold any of these, with what they hold."""
    found = {
        path.name: {each for each in secrets if each.encode() in path.read_bytes()}
        for path in files_in(settings().data_dir)
    }
    return {name: held for name, held in found.items() if held}


@pytest.mark.sqlite
def test_no_file_names_them_once_the_backups_have_had_their_turn(shop: Shop, restart):
    restart(backups_kept="1")
    shop.well_known()
    secrets = shop.secrets() - {"AbCdEf"}
    assert backups.make_nightly_backup(now=shop.now)
    empty_log()
    before = set(naming(secrets))
    assert len(before) == 2  # the database and its backup
    shop.forget()
    assert len(naming(secrets)) == 1
    assert backups.make_nightly_backup(now=shop.now + timedelta(days=1))
    forget_engines()
    assert naming(secrets) == {}


@pytest.mark.sqlite
def test_a_backup_from_before_does_not_bring_them_back(shop: Shop, fresh_database, tmp_path):
    shop.well_known()
    secrets = shop.secrets()
    assert backups.make_nightly_backup(now=shop.now)
    [old] = settings().backup_folder.glob("*.db")
    old = old.rename(tmp_path.parent / f"{tmp_path.name}.db")
    shop.forget()
    forget_engines()
    restore(old, now=shop.now, say=print)
    after = everything_in(fresh_database)
    assert {each for each in secrets if each in after} == set()
    forget_engines()
    assert naming(secrets) == {}


def test_no_replay_brings_them_back(shop: Shop, fresh_database):
    shop.well_known()
    shop.told(said(PSID, shop.now, "hello", "m_failed"), apply=False)
    fresh_database.run("UPDATE event SET state = 'failed' WHERE state = 'pending'")
    shop.forget()
    inbox.replay(COMMAND_LINE, now=shop.now)
    inbox.replay(COMMAND_LINE, EventFilter(), now=shop.now)
    while processing.apply_pending(limit=100, now=shop.now):
        pass
    after = everything_in(fresh_database)
    assert {each for each in shop.secrets() | {PSID} if each in after} == set()
