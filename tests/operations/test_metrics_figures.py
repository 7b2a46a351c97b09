"""Reading the figures for /metrics stays cheap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from core.db.engine import reading
from core.db.tables import Reply
from core.operations.metrics_figures import FiguresReader


@pytest.mark.sqlite
def test_the_oldest_reply_that_waits_is_found_by_an_index(arrange, fresh_database):
    fanpage_id = arrange.fanpage()
    about = {"fanpage_id": fanpage_id, "customer_id": arrange.customer(fanpage_id), "body": {"text": "x"}}
    for minutes, state in ((9, "sent"), (5, "queued"), (2, "queued")):
        at = arrange.now - timedelta(minutes=minutes)
        arrange.save(Reply(**about, state=state, created_at=at))
    asked: list[str] = []
    with reading() as db:
        engine = db.get_bind()

    def keep(*what: Any) -> None:
        asked.append(what[2])

    event.listen(engine, "before_cursor_execute", keep)
    assert FiguresReader().read(now=arrange.now).queue_ages["replies"] == 300
    event.remove(engine, "before_cursor_execute", keep)
    (statement,) = (each for each in asked if "FROM reply" in each)
    with reading() as db:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert "ix_reply_waiting" in str(plan)
