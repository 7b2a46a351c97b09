"""One statement for both databases: built without knowing which one will run it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Integer, String, func, select, update
from sqlmodel import col

from core.db import bulk
from core.db.dialects import WhereWritersMeet
from core.db.engine import reading, transaction
from core.db.tables import CallsOfHour, Fanpage, Heartbeat, UtcTime

AT = datetime(2026, 3, 1, 6, 59, 59, 999_999, UTC)
SEEN = bulk.columns_of(Heartbeat, "process", "at", "started_at")
CALLS = bulk.columns_of(CallsOfHour, "fanpage_id", "hour", "calls")
LOCAL = timezone(timedelta(hours=7))

pytestmark = pytest.mark.usefixtures("fresh_database")


def beats() -> dict[str, datetime]:
    with reading() as db:
        return {row.process: row.at for row in db.execute(select(Heartbeat)).scalars()}


@pytest.mark.parametrize("at", [AT, AT.astimezone(LOCAL), AT.replace(microsecond=0)], ids=str)
def test_a_stamp_is_the_same_moment_in_both_databases(at):
    """Also beside a time that SQLAlchemy has bound by itself, and in a statement that runs ready-made."""
    insert = bulk.CompiledStatement(bulk.insert_given(Heartbeat, SEEN))
    same = update(Heartbeat).where(col(Heartbeat.at) == at).values(process="same")
    with transaction() as db:
        insert.run(db, bulk.bound([("stamped", bulk.stamp(at), bulk.stamp(at))]))
        assert db.connection().execute(same).rowcount == 1
    assert beats() == {"same": at}


def test_the_time_zone_of_a_machine_moves_no_stamp(monkeypatch):
    """PostgreSQL takes it for the session's, unless the connection sets one; a stamp names none."""
    monkeypatch.setenv("PGTZ", "Asia/Ho_Chi_Minh")
    with transaction() as db:
        insert = bulk.insert_given(Heartbeat, SEEN)
        db.connection().execute(insert, bulk.bound([("a", bulk.stamp(AT), bulk.stamp(AT))]))
    assert beats() == {"a": AT}
    chosen = bulk.CompiledQuery(select(col(Heartbeat.at)))
    with reading() as db:
        assert [bulk.moment(at) for (at,) in chosen.fetch(db, {})] == [AT]


def test_no_time_has_no_stamp():
    assert bulk.stamp(None) is None


def test_what_is_given_comes_back_with_its_types():
    columns = {"number": Integer(), "word": String(), "at": UtcTime()}
    given = bulk.CompiledQuery(bulk.rows_given(columns))
    rows = [[1, "một", bulk.stamp(AT)], [2, None, None]]
    with reading() as db:
        found = sorted(given.fetch(db, bulk.bound(rows)))
        assert [row[:2] for row in found] == [[1, "một"], [2, None]]
        assert [at and bulk.moment(at) for *_, at in found] == [AT, None]
        assert given.fetch(db, bulk.bound([])) == []


def test_a_conflict_does_nothing_or_updates(arrange):
    fanpage_id = arrange.fanpage()
    insert = bulk.insert_given(CallsOfHour, CALLS)
    added = {"calls": col(CallsOfHour.calls) + insert.excluded.calls}
    adding = insert.on_conflict_do_update(
        index_elements=["fanpage_id", "hour"], set_=added, where=insert.excluded.calls > 1
    )
    counts = []
    for statement, calls in [(adding, 2), (insert.on_conflict_do_nothing(), 50), (adding, 3), (adding, 1)]:
        with transaction() as db:
            rows = bulk.bound([(fanpage_id, bulk.stamp(AT.replace(microsecond=0)), calls)])
            db.connection().execute(statement, rows)
            counts.append(db.execute(select(col(CallsOfHour.calls))).scalar_one())
    assert counts == [2, 2, 5, 5]


def test_only_new_rows_are_inserted_and_told():
    row = {"process": "a", "at": AT, "started_at": AT}
    told = bulk.insert_new(Heartbeat).returning(col(Heartbeat.process))
    with transaction() as db:
        assert db.execute(told, [row]).scalars().all() == ["a"]
        assert db.execute(told, [row, {**row, "process": "b"}]).scalars().all() == ["b"]


@pytest.mark.parametrize("count", [0, 1, 70_000])  # more than either database takes as parameters
def test_among_many_ids_is_one_value(arrange, count):
    fanpage_id = arrange.fanpage()
    ids = [fanpage_id, *range(10**12, 10**12 + count)][:count]
    with reading() as db:
        found = db.execute(select(col(Fanpage.id)).where(col(Fanpage.id).in_(bulk.among(ids))))
        assert found.scalars().all() == ids[:1]


@pytest.mark.parametrize(
    ("sought", "place"),
    [("t", 1), ("ặn", 3), ("missing", 0), (None, None)],
    ids=["first", "marks", "none", "unknown"],
)
def test_the_place_of_a_text_in_another(sought, place):
    with reading() as db:
        assert db.execute(select(func.strpos("tiặn", sought))).scalar_one() == place


def test_a_condition_for_writers_that_meet_holds_on_postgresql_only(arrange, fresh_database):
    arrange.fanpage()
    nobodys = WhereWritersMeet(col(Fanpage.id).in_(bulk.among([])))
    with reading() as db:
        found = db.execute(select(col(Fanpage.id)).where(nobodys)).all()
    assert len(found) == (1 if fresh_database.is_sqlite else 0)
