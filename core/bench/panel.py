"""`bench panel`: each page's time to ready on the server, over a large audience.

The pages run as in a session of the panel, without a browser: what is left out is the way to the browser and
its drawing, which do not grow with the data.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import insert, literal, select, text, update
from sqlmodel import col

from core.accounts import sessions
from core.accounts.actions import add_operator
from core.accounts.rules import COMMAND_LINE
from core.bench.audience_fixtures import create_audience
from core.bench.databases import fresh_database
from core.broadcasts import actions, audience_builder, scheduled_jobs
from core.clock import utc_now
from core.conversation.actions import save_message
from core.conversation.rules import BlockDraft
from core.db import migrations
from core.db.engine import is_sqlite, transaction
from core.db.tables import Customer, Delivery, Event
from core.deliveries.rules import DeliveryState

HOME = Path(__file__).resolve().parents[2]
ENDED = 1800
ROUNDS = 3


def run(*, people: int, postgresql_url: str | None) -> dict[str, Any]:
    """Measure the time of each page over an audience of so many people."""
    with fresh_database(postgresql_url):
        migrations.upgrade()
        asked = {**_fill_database(people), "rounds": ROUNDS}
        done = subprocess.run(
            [sys.executable, "-m", "pages.shell.page_timer"],
            cwd=HOME,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=ENDED,
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit((done.stderr.strip().splitlines() or ["failed"])[-1][:300])
    results = json.loads(done.stdout.splitlines()[-1])
    for row in results:
        del row["opened"]
        row["seconds"], row["first_seconds"] = round(row["seconds"], 2), round(row["first_seconds"], 2)
    return {"people": people, "results": results}


def _fill_database(people: int) -> dict[str, Any]:
    """Fill the database: opt-ins of every state, as many webhook events, a finished broadcast
    and one that sends."""
    fanpage_id, topic_id = create_audience(people, every_state=True)
    now = utc_now()
    operator = add_operator(COMMAND_LINE, "bench", "admin", "correct-horse-battery", now=now)
    blocks = [BlockDraft("text", {"text": "Chào bạn!"})]
    message_id = save_message(COMMAND_LINE, fanpage_id, name="Chào", blocks=blocks, entry_points=[], now=now)
    ended = _broadcast(topic_id)
    with transaction() as db:
        reached = col(Delivery.opt_in_id) % 100 != 0
        end = update(Delivery).execution_options(synchronize_session=False)
        db.execute(
            end.where(reached).values(state=DeliveryState.SENT, settled_at=now, claimed_at=now, mid="m_1")
        )
        db.execute(end.where(~reached).values(state=DeliveryState.FAILED, reason="content", settled_at=now))
        for state, which in (("spent", "<> 0"), ("available", "= 0")):
            move = f"UPDATE opt_in SET state = '{state}' WHERE state = 'reserved' AND id % 100 {which}"
            db.execute(text(move))
        db.execute(_events(now))
    scheduled_jobs.finish_done(now=now)
    sending, draft = _broadcast(topic_id), _broadcast(topic_id, launch=False)
    with transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE"))
    places: list[tuple[str, dict[str, int]]] = [
        *((path, {}) for path in ("overview", "topics", "messages", "broadcasts", "customers", "opt_ins")),
        *((path, {}) for path in ("setup", "operators", "activity", "health", "new_broadcast")),
        ("topics", {"id": topic_id}),
        ("opt_ins", {"topic": topic_id}),
        ("message", {"id": message_id}),
        ("customer", {"id": people // 2}),
        *(("broadcast", {"id": broadcast_id}) for broadcast_id in (ended, sending, draft)),
        ("new_broadcast", {"id": draft}),
    ]
    return {"session": _signed_in(operator.id), "places": places}


def _signed_in(operator_id: int) -> str:
    """Begin a session; by what it is found."""
    now = utc_now()
    with transaction() as db:
        _id, ticket = sessions.begin_session(db, operator_id, address="", browser="bench", now=now)
    return sessions.hash_of(sessions.trade_ticket(ticket, now=now) or "")


def _broadcast(topic_id: int, *, launch: bool = True) -> int:
    now = utc_now()
    content = {"kind": "text", "text": "Hàng mới đã về!"}
    broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    if launch:
        actions.launch(COMMAND_LINE, broadcast_id, now=now)
        scheduled_jobs.start_due(now=now)
        audience_builder.build_audiences(utc_now)
    return broadcast_id


def _events(now: Any) -> Any:
    """A statement that inserts one applied message of each customer."""
    wanted = ["page_id", "kind", "dedupe_key", "occurred_at", "received_at", "body", "state", "applied_at"]
    when = literal(now, Event.__table__.c.received_at.type)  # type: ignore[attr-defined]
    values = [literal("1"), literal("message"), col(Customer.psid), when, when, literal("{}")]
    return insert(Event).from_select(wanted, select(*values, literal("applied"), when))
