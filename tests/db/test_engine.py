"""What the two databases promise alike, and how PostgreSQL's own troubles are named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from core.db import migrations
from core.db.engine import DATABASE_TROUBLE, glancing, reading, transaction
from core.db.tables import Fanpage
from core.settings import settings
from tests.processes import process


def rename(fanpage_id: int, name: str) -> None:
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(name=name))


def test_one_reading_is_of_one_moment(arrange):
    fanpage_id = arrange.fanpage("before")
    name = select(col(Fanpage.name)).where(col(Fanpage.id) == fanpage_id)
    with reading() as db:
        first = db.execute(name).scalar_one()
        rename(fanpage_id, "after")
        again = db.execute(name).scalar_one()
    with reading() as db:
        later = db.execute(name).scalar_one()
    assert (first, again, later) == ("before", "before", "after")


def test_migrations_may_run_twice_at_once(databases, tmp_path, fresh_database):
    (tmp_path / "blank").mkdir()
    made = databases.blank(tmp_path / "blank")
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                process("-m", "core", "migrate", log=tmp_path / f"{n}.log", OTN_DATABASE_URL=made.url)
            )
            for n in range(2)
        ]
        ended = [each.wait(60) for each in both]
    assert ended == [0, 0], [(tmp_path / f"{n}.log").read_text() for n in range(2)]
    assert made.rows("SELECT version_num FROM alembic_version") == [(migrations.head_revision(),)]
    databases.done(made)


def trouble_in(*steps: Callable[[Session], object]) -> bool:
    """Whether a transaction of these steps ends as trouble."""
    try:
        with transaction() as db:
            for step in steps:
                step(db)
    except DATABASE_TROUBLE:
        return True
    return False


def says(statement: str) -> Callable[[Session], object]:
    return lambda db: db.execute(text(statement))


PAUSED_TOO_LONG = (
    says("SET LOCAL idle_in_transaction_session_timeout = '20ms'"),
    says("UPDATE fanpage SET name = 'after'"),
    lambda _db: threading.Event().wait(0.5),
)


@pytest.mark.postgresql
@pytest.mark.parametrize("steps", [(*PAUSED_TOO_LONG, says("SELECT 1")), PAUSED_TOO_LONG])
def test_a_process_paused_in_a_transaction_is_cut_off_and_told_so_as_trouble(arrange, steps):
    fanpage_id = arrange.fanpage("before")
    assert trouble_in(*steps)
    with reading() as db:
        assert db.get_one(Fanpage, fanpage_id).name == "before"
    rename(fanpage_id, "later")  # what it held is free, and the pool is well


@pytest.mark.postgresql
def test_a_deadlock_is_trouble_and_the_other_one_succeeds(arrange):
    one, two = arrange.fanpage("one"), arrange.fanpage("two")
    both_hold = threading.Barrier(2)

    def take(first: int, then: int) -> str:
        try:
            with transaction() as db:
                db.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                db.execute(update(Fanpage).where(col(Fanpage.id) == first).values(rate=7))
                both_hold.wait(10)
                db.execute(update(Fanpage).where(col(Fanpage.id) == then).values(rate=7))
            return "done"
        except DATABASE_TROUBLE:
            return "trouble"

    with ThreadPoolExecutor(2) as pool:
        ended = [pool.submit(take, one, two), pool.submit(take, two, one)]
        assert sorted(each.result() for each in ended) == ["done", "trouble"]


@pytest.mark.postgresql
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_waiting_for_a_lock_ends_as_trouble(arrange, limit):
    fanpage_id = arrange.fanpage("before")
    with transaction() as db:
        db.get_one(Fanpage, fanpage_id, with_for_update=True)
        assert trouble_in(says(f"SET LOCAL {limit} = '20ms'"), says("SELECT 1 FROM fanpage FOR UPDATE"))


@pytest.mark.postgresql
def test_a_reader_cannot_write(arrange):
    fanpage_id = arrange.fanpage("before")
    with pytest.raises(SQLAlchemyError), reading() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(name="after"))


@pytest.mark.postgresql
def test_connections_that_the_server_ended_are_replaced(arrange, fresh_database):
    fanpage_id = arrange.fanpage("before")
    fresh_database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'notify-once'"
    )
    rename(fanpage_id, "after")


@pytest.mark.postgresql
def test_every_connection_gives_up_in_time_and_says_who_it_is(fresh_database):
    shown = "SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "TimeZone"]
    names += ["application_name", "transaction_isolation"]
    with transaction() as db:
        writers = {row.name: row.setting for row in db.execute(text(shown), {"names": names})}
    with glancing() as db:  # on a connection that the next one may get
        db.execute(text("SELECT 1"))
    with reading() as db:
        readers = {row.name: row.setting for row in db.execute(text(shown), {"names": names})}
    assert writers["TimeZone"] == readers["TimeZone"] == "UTC"
    assert (writers["application_name"], writers["lock_timeout"]) == ("notify-once", "15000")
    assert (writers["transaction_isolation"], readers["transaction_isolation"]) == (
        "read committed",
        "repeatable read",
    )
    assert all(int(writers[name]) for name in names if name.endswith("timeout"))


@pytest.mark.postgresql
def test_what_the_address_says_itself_stands(fresh_database, monkeypatch):
    monkeypatch.setenv("OTN_DATABASE_URL", f"{fresh_database.url}&application_name=panel-2")
    settings.cache_clear()
    with reading() as db:
        assert db.execute(text("SELECT current_setting('application_name')")).scalar() == "panel-2"
