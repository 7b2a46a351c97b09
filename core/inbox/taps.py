"""Taps on "Notify Me": from the payload to the promise, the topic and the ledger, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, bindparam, select, update
from sqlmodel import Session, col

from core.consent.ledger import NewOptIn, record_opt_ins
from core.consent.rules import OptInSource
from core.conversation.replies import answer_tap
from core.inbox.rules import topic_of
from core.tables import Request, Topic


@dataclass(frozen=True, slots=True, repr=False)
class Tap:
    """One tap; its token never shows in a repr."""

    fanpage_id: int
    customer_id: int
    payload: str
    token: str
    at: datetime


Asked = Row[tuple[int, int, str, int, str, str]]


def record_taps(db: Session, taps: Sequence[Tap], now: datetime) -> None:
    """Put taps into the ledger, and answer those that are the first on their request."""
    requests = _requests(db, {tap.payload for tap in taps})
    topics = _Topics(db)
    rows = [_opt_in(tap, requests.get((tap.fanpage_id, tap.payload)), topics, now) for tap in taps]
    record_opt_ins(db, rows)
    first = {
        row.request_id: row.consented_at
        for row in reversed(rows)  # the earliest tap on a request wins
        if row.request_id is not None
    }
    _answer(db, first, now)


def _opt_in(tap: Tap, asked: Asked | None, topics: _Topics, now: datetime) -> NewOptIn:
    """A payload that is not ours may name a topic; else the opt-in is kept for staff to assign."""
    return NewOptIn(
        fanpage_id=tap.fanpage_id,
        customer_id=tap.customer_id,
        topic_id=asked.topic_id if asked else topics.named(tap.fanpage_id, tap.payload),
        request_id=asked.id if asked else None,
        promise=asked.title if asked else "",
        token=tap.token,
        source=OptInSource.WEBHOOK,
        consented_at=tap.at,
        created_at=now,
    )


def _requests(db: Session, payloads: set[str]) -> dict[tuple[int, str], Asked]:
    statement = select(
        col(Request.id),
        col(Request.fanpage_id),
        col(Request.payload),
        col(Request.topic_id),
        col(Request.title),
        col(Request.after_text),
    ).where(col(Request.payload).in_(payloads))
    return {(row.fanpage_id, row.payload): row for row in db.execute(statement)}


def _answer(db: Session, first: dict[int, datetime], now: datetime) -> None:
    if not first:
        return
    untapped = select(col(Request.id), col(Request.after_text)).where(
        col(Request.id).in_(first), col(Request.tapped_at).is_(None)
    )
    found = {row.id: row.after_text for row in db.execute(untapped)}
    if not found:
        return
    mark = (
        update(Request)
        .where(col(Request.id) == bindparam("asked"), col(Request.tapped_at).is_(None))
        .values(tapped_at=bindparam("at"))
    )
    db.connection().execute(mark, [{"asked": each, "at": first[each]} for each in found])
    for request_id in first:
        if found.get(request_id, "").strip():
            answer_tap(db, request_id=request_id, now=now)


class _Topics:
    """The topics of each fanpage by id, read when first asked for."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._names: dict[int, dict[int, str]] = {}
        self._found: dict[tuple[int, str], int | None] = {}

    def named(self, fanpage_id: int, payload: str) -> int | None:
        key = (fanpage_id, payload)
        if key not in self._found:
            self._found[key] = topic_of(payload, self._of(fanpage_id))
        return self._found[key]

    def _of(self, fanpage_id: int) -> dict[int, str]:
        if fanpage_id not in self._names:
            statement = select(col(Topic.id), col(Topic.name)).where(
                col(Topic.fanpage_id) == fanpage_id, col(Topic.archived_at).is_(None)
            )
            self._names[fanpage_id] = {row.id: row.name for row in self._db.execute(statement)}
        return self._names[fanpage_id]
