"""Creates customers with open requests, and old events, for `bench ingest`."""

from __future__ import annotations

from sqlalchemy import insert, select, text
from sqlmodel import Session, col

from core.bench.load_generator import PSID, payload
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage, Request, Topic

PAGE_ID = "100000000000001"
CHUNK_SIZE = 20_000
ASKED = "Báo tôi khi có khuyến mãi"

_OLD_EVENTS = """
INSERT INTO event (page_id, kind, dedupe_key, occurred_at, received_at, body, state, applied_at)
{numbers} SELECT :page_id, 'message', {key}, {at}, {at}, :body, 'applied', {at} FROM n"""
_WORDS = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)",
        "hex(randomblob(32))",
        "datetime('2026-01-01', '+' || i || ' seconds') || '.000000'",
    ),
    "postgresql": (
        "WITH n(i) AS (SELECT generate_series(1, :count))",
        "encode(sha256(i::text::bytea), 'hex')",
        "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'",
    ),
}
_BODY = '{"sender":{"id":"1"},"message":{"mid":"m_1","text":"' + "x" * 150 + '"}}'


def create_open_requests(people: int, stored: int) -> None:
    """Create so many customers with an open request each, and so many old events."""
    now = utc_now()
    with transaction() as db:
        fanpage = Fanpage(
            page_id=PAGE_ID, name="Bench", rate=300, timezone="UTC", created_at=now, updated_at=now
        )
        db.add(fanpage)
        db.flush()
        topic = Topic(fanpage_id=fanpage.id or 0, name="Bench", created_at=now, updated_at=now)
        db.add(topic)
        db.flush()
        if stored:
            _old_events(db, stored)
        for start in range(0, people, CHUNK_SIZE):
            _create_chunk(db, fanpage.id or 0, topic.id or 0, range(start, min(start + CHUNK_SIZE, people)))
    with transaction() as db:
        db.execute(text("ANALYZE"))


def _create_chunk(db: Session, fanpage_id: int, topic_id: int, numbers: range) -> None:
    now = utc_now()
    customers = [
        {"fanpage_id": fanpage_id, "psid": str(PSID + n), "search_text": str(PSID + n), "created_at": now}
        for n in numbers
    ]
    db.execute(insert(Customer), customers)
    ids = select(col(Customer.psid), col(Customer.id)).where(col(Customer.fanpage_id) == fanpage_id)
    known = {row.psid: row.id for row in db.execute(ids)}
    requests = [
        {
            "fanpage_id": fanpage_id,
            "customer_id": known[str(PSID + n)],
            "topic_id": topic_id,
            "title": ASKED,
            "after_text": "Cảm ơn bạn!",
            "payload": payload(n),
            "created_at": now,
        }
        for n in numbers
    ]
    db.execute(insert(Request), requests)


def _old_events(db: Session, count: int) -> None:
    numbers, key, at = _WORDS[db.get_bind().dialect.name]
    statement = text(_OLD_EVENTS.format(numbers=numbers, key=key, at=at))
    db.execute(statement, {"count": count, "page_id": PAGE_ID, "body": _BODY})
