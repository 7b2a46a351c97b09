"""PostgreSQL plans by what it last saw of a table; after a large import that is long out of date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlmodel import col

from core.consent import ledger
from core.db.engine import engine, reading, transaction
from core.db.tables import Broadcast, Delivery
from tests.arrange import Arrange

IMPORTED = 400
_CUSTOMERS = """INSERT INTO customer (fanpage_id, psid, search_text, created_at)
    SELECT :fanpage_id, '9' || n, '', now() FROM generate_series(1, :count) AS n"""
_OPT_INS = """INSERT INTO opt_in (fanpage_id, customer_id, topic_id, promise, token_hash, state, source,
                                  consented_at, expires_at, created_at)
    SELECT fanpage_id, id, :topic_id, '', md5(CAST(id AS text)), 'available', 'import', now(),
           now() + interval '1 year', now() FROM customer WHERE psid LIKE '9%'"""
_DELIVERIES = """INSERT INTO delivery (broadcast_id, opt_in_id, customer_id, state, attempt, tries, in_doubt)
    SELECT :broadcast_id, id, customer_id, 'queued', 0, 0, false FROM opt_in WHERE state = 'available'"""


@pytest.mark.postgresql
def test_holding_an_audience_looks_each_opt_in_up(arrange: Arrange, now: datetime) -> None:
    """With one opt-in expected to be available it walked all of them, each against the whole broadcast:
    24,600 took longer than half a minute."""
    fanpage_id = arrange.fanpage()
    topic_id = arrange.topic(fanpage_id)
    for state in ["spent"] * 20:
        arrange.opt_in(topic_id, arrange.customer(fanpage_id), fanpage_id=fanpage_id, state=state)
    with transaction() as db:
        for table in ("opt_in", "delivery"):
            db.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
        db.execute(text("ANALYZE"))
    values = {"content": {}, "state": "sending", "created_at": now, "updated_at": now}
    broadcast_id = arrange.save(Broadcast(fanpage_id=fanpage_id, topic_id=topic_id, name="Đợt 1", **values))
    given = {"fanpage_id": fanpage_id, "topic_id": topic_id, "broadcast_id": broadcast_id, "count": IMPORTED}
    with transaction() as db:
        for statement in (_CUSTOMERS, _OPT_INS, _DELIVERIES):
            db.execute(text(statement), {k: v for k, v in given.items() if f":{k}" in statement})

    update, bound = _holding(broadcast_id)
    with reading() as db:
        plan = [row[0] for row in db.connection().exec_driver_sql(f"EXPLAIN {update}", bound)]
    said = "\n".join(plan)
    # Each delivery's opt-in by its key, or each opt-in's delivery by its own index: never each against all.
    looked_up = (" on pk_opt_in", "using pk_opt_in", "Index Cond: (opt_in_id = opt_in.id)")
    assert any(each in said for each in looked_up), said
    assert "ix_opt_in" not in said, said


def _holding(broadcast_id: int) -> tuple[str, Any]:
    """What `reserve` has the database do."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(engine(), "before_cursor_execute", hear)
    try:
        with transaction() as db:
            chosen = select(col(Delivery.opt_in_id)).where(col(Delivery.broadcast_id) == broadcast_id)
            assert ledger.reserve(db, chosen) == IMPORTED
            db.rollback()
    finally:
        event.remove(engine(), "before_cursor_execute", hear)
    return said[-1]
