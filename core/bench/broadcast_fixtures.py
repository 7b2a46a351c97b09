"""Creates fanpages with customers and opt-ins, and broadcasts that are about to be sent, for benchmarks."""

from __future__ import annotations

from sqlalchemy import insert
from sqlmodel import Session

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, scheduled_jobs
from core.clock import utc_now
from core.consent import ledger
from core.consent.ledger import NewOptIn
from core.consent.rules import OptInSource
from core.db import migrations
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage, FanpageRate, Topic
from core.encryption import encrypt
from core.installation.token_hash import keep_key

CHUNK_SIZE = 5_000  # people of one transaction, so that it stays short on a busy machine
_FIRST = ("An", "Bình", "Châu", "Dung", "Giang", "Hà", "Hạnh", "Hoa", "Hương", "Khánh")
_SECOND = ("Lan", "Linh", "Mai", "Minh", "Nga", "Ngọc", "Phương", "Quỳnh", "Thảo", "Trang")
NAMES = [f"{first} {second}" for first in _FIRST for second in _SECOND] + [*_FIRST, *_SECOND]


def create_launched_broadcast(people: int, text: str, *, rate: int = 300) -> tuple[int, int]:
    """Create a broadcast whose audience is built. Returns (fanpage id, broadcast id). The rate may be above
    what staff may set."""
    migrations.upgrade()
    fanpage_id, topic_id = create_opt_ins(people, rate=rate)
    now = utc_now()
    broadcast_id = actions.create_broadcast(
        COMMAND_LINE, topic_id=topic_id, content={"kind": "text", "text": text}, now=now
    )
    actions.launch(COMMAND_LINE, broadcast_id, now=now)
    scheduled_jobs.start_due(now=now)
    audience_builder.build_audiences(utc_now)
    return fanpage_id, broadcast_id


def create_opt_ins(people: int, *, page_id: str = "1", rate: int = 300, token: str = "") -> tuple[int, int]:
    """Create a fanpage and a topic with so many customers who hold one opt-in each. Returns
    (fanpage id, topic id)."""
    keep_key()  # else it is looked for at each token
    with transaction() as db:
        fanpage_id, topic_id = add_fanpage(db, page_id=page_id, rate=rate, token=token)
    for start in range(0, people, CHUNK_SIZE):
        numbers = range(start, min(start + CHUNK_SIZE, people))
        _create_chunk(fanpage_id, topic_id, numbers)
    return fanpage_id, topic_id


def add_fanpage(db: Session, *, page_id: str = "1", rate: int = 300, token: str = "") -> tuple[int, int]:
    """Add a fanpage with a topic. Returns (fanpage id, topic id)."""
    now = utc_now()
    fanpage = Fanpage(
        page_id=page_id, name="Bench", rate=rate, timezone="UTC", created_at=now, updated_at=now
    )
    fanpage.token_sealed = encrypt(token) if token else None
    db.add(fanpage)
    db.flush()
    topic = Topic(fanpage_id=fanpage.id or 0, name="Bench", created_at=now, updated_at=now)
    db.add_all([topic, FanpageRate(fanpage_id=fanpage.id or 0)])
    db.flush()
    return fanpage.id or 0, topic.id or 0


def _create_chunk(fanpage_id: int, topic_id: int, numbers: range) -> None:
    now = utc_now()
    customers = [
        {
            "fanpage_id": fanpage_id,
            "psid": str(10**15 + n),
            "first_name": NAMES[n % len(NAMES)],
            "created_at": now,
        }
        for n in numbers
    ]
    with transaction() as db:
        ids = db.execute(insert(Customer).returning(Customer.id), customers).scalars().all()  # type: ignore[call-overload]
        rows = [
            NewOptIn(
                fanpage_id,
                customer_id,
                topic_id,
                None,
                "Bench",
                f"token-{n:040}",
                OptInSource.IMPORT,
                now,
                now,
            )
            for n, customer_id in zip(numbers, ids, strict=True)
        ]
        ledger.record_imported(db, rows)
