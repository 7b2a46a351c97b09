"""What the bot says after taps on "Notify Me", queued for many customers by one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from core.conversation.replies import SILENCE_COLUMNS
from core.conversation.rules import ReplyState
from core.conversation.silence_rules import is_silent
from core.db import bulk
from core.db.tables import Customer, Fanpage, Reply, Request, UtcTime
from core.messenger import wire
from core.text.normalise import is_blank

_THANKS = bulk.columns_of(Reply, "fanpage_id", "customer_id", "body", "state", "tries", "created_at")


def answer_taps(db: Session, request_ids: Sequence[int], now: datetime) -> int:
    """Queue what the bot says after taps on "Notify Me", where it has words and the window is open."""
    if not request_ids:
        return 0
    at = bulk.stamp(now)
    asked = _to_thank().fetch(db, {"now": at, **bulk.bound([[i] for i in request_ids])})
    rows = [
        [fanpage_id, customer_id, json.dumps(wire.text(text)), ReplyState.QUEUED, 0, at]
        for fanpage_id, customer_id, text, *colleague in asked
        if not is_blank(text) and not is_silent(*_read(colleague), now)
    ]
    if rows:
        db.connection().execute(bulk.insert_given(Reply, _THANKS), bulk.bound(rows))
    return len(rows)


def _read(row: Sequence[Any]) -> tuple[datetime | None, datetime | None, int]:
    colleague_at, ended_at, hours = row
    times = [bulk.moment(each) if each else None for each in (colleague_at, ended_at)]
    return times[0], times[1], int(hours)


@cache
def _to_thank() -> bulk.CompiledQuery:
    given = bulk.rows_given(bulk.columns_of(Request, "id")).subquery("asked")
    statement = (
        select(col(Request.fanpage_id), col(Request.customer_id), col(Request.after_text), *SILENCE_COLUMNS)
        .join_from(given, Request, col(Request.id) == given.c.id)
        .join(Customer, col(Customer.id) == col(Request.customer_id))
        .join(Fanpage, col(Fanpage.id) == col(Customer.fanpage_id))
        .where(col(Customer.window_closes_at) > bindparam("now", type_=UtcTime))
    )
    return bulk.CompiledQuery(statement)
