"""Creates a large audience by SQL, for benchmarks. Its tokens are random texts that nothing decrypts."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from core.bench.broadcast_fixtures import add_fanpage
from core.clock import utc_now
from core.consent.rules import expires_at
from core.db.engine import is_sqlite, transaction

NAMES = ("Lan", "Mai", "Hạnh", "Ngọc", "Phương Anh", "Thảo", "Linh", "Trang")

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :people)"
_CUSTOMERS = f"""
    INSERT INTO customer (fanpage_id, psid, first_name, last_name, search_text, created_at, last_event_at)
    {{numbers}} SELECT :fanpage_id, CAST(25000000000000000 + n AS TEXT),
           CASE n % 8 {" ".join(f"WHEN {n} THEN '{name}'" for n, name in enumerate(NAMES))} END,
           'Nguyễn', 'nguyen ' || CAST(25000000000000000 + n AS TEXT), :now, :now FROM numbers{{order}}"""
_OPT_INS = """
    INSERT INTO opt_in (fanpage_id, customer_id, topic_id, promise, token_hash, token_sealed, state, source,
                        consented_at, expires_at, created_at)
    SELECT fanpage_id, id, :topic_id, 'Báo tôi khi có hàng mới', {hash}, {sealed}, {state}, 'webhook',
           :now, :expires_at, :now
    FROM customer WHERE fanpage_id = :fanpage_id ORDER BY id"""
_ANY_STATE = "CASE WHEN id % 10 < 7 THEN 'available' WHEN id % 10 < 9 THEN 'spent' ELSE 'expired' END"


def create_audience(people: int, *, every_state: bool = False) -> tuple[int, int]:
    """Create a fanpage and a topic with so many customers who hold one opt-in each, available or of every
    state. Returns (fanpage id, topic id)."""
    now = utc_now()
    with transaction() as db:
        fanpage_id, topic_id = add_fanpage(db)
        stamp, end = now.replace(tzinfo=None), expires_at(now).replace(tzinfo=None)
        given: dict[str, object] = {"people": people, "fanpage_id": fanpage_id, "topic_id": topic_id}
        given |= {
            "now": stamp.isoformat(" ", "microseconds"),
            "expires_at": end.isoformat(" ", "microseconds"),
        }
        for statement in _statements(db, "'available'" if not every_state else _ANY_STATE):
            db.execute(text(statement), given)
    _analyze()
    return fanpage_id, topic_id


def _statements(db: Session, state: str) -> list[str]:
    if is_sqlite(db):
        secret = "lower(hex(randomblob({})))"
        return [
            _CUSTOMERS.format(numbers=_NUMBERS, order=""),
            _OPT_INS.format(hash=secret.format(32), sealed=secret.format(60), state=state),
        ]
    hashed = "md5(id::text) || md5((id + 1)::text)".replace("::", r"\:\:")
    numbers = "WITH numbers AS (SELECT generate_series(0, :people - 1) AS n)"
    made = [
        _CUSTOMERS.format(numbers=numbers, order=""),
        _OPT_INS.format(hash=hashed, sealed=f"{hashed} || {hashed}", state=state),
    ]
    return [
        each.replace(":now", "CAST(:now AS timestamp) AT TIME ZONE 'UTC'").replace(
            ":expires_at", "CAST(:expires_at AS timestamp) AT TIME ZONE 'UTC'"
        )
        for each in made
    ]


def _analyze() -> None:
    """Do what PostgreSQL's autovacuum does within a minute. SQLite plans by the indexes alone."""
    with transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE"))
