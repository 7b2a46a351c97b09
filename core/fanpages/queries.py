"""Reads about fanpages: what is connected, what is wrong with it, who is alive to serve it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from core.alphabet import in_order
from core.broadcasts.rules import BroadcastState
from core.consent.stop_words import DEFAULT
from core.database import reading
from core.errors import N_, NotFound
from core.tables import Broadcast, Fanpage, Heartbeat


@dataclass(frozen=True)
class FanpageView:
    id: int
    page_id: str
    name: str
    rate: int
    timezone: str
    is_demo: bool
    stopped_code: str | None  # a reason of messenger.errors; nothing is sent while it is set
    stopped_at: datetime | None
    problems: tuple[str, ...]  # codes of the last health check, see rules.PROBLEMS
    checked_at: datetime | None
    has_token: bool
    stop_words: tuple[str, ...] = DEFAULT  # by which customers say that they want no notifications


@dataclass(frozen=True)
class ProcessView:
    """A worker's or webhook server's last sign of life."""

    kind: str  # "worker", "webhook"
    name: str
    at: datetime
    started_at: datetime


def list_fanpages() -> list[FanpageView]:
    """Real fanpages first, each group by name."""
    with reading() as db:
        rows = db.scalars(select(Fanpage)).all()
    rows = sorted(rows, key=lambda row: (row.is_demo, in_order(row.name), row.id))
    return [view_of(row) for row in rows]


def get_fanpage(fanpage_id: int) -> FanpageView:
    with reading() as db:
        row = db.get(Fanpage, fanpage_id)
    if row is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    return view_of(row)


def find_by_page_id(page_id: str) -> FanpageView | None:
    with reading() as db:
        row = db.scalars(select(Fanpage).where(col(Fanpage.page_id) == page_id)).first()
    return view_of(row) if row else None


def count_paused_by_stop(fanpage_id: int) -> int:
    """Broadcasts that go on once the fanpage is repaired."""
    statement = select(func.count()).where(
        col(Broadcast.fanpage_id) == fanpage_id,
        col(Broadcast.state) == BroadcastState.PAUSED,
        col(Broadcast.pause_code).is_not(None),
    )
    with reading() as db:
        return int(db.execute(statement).scalar_one())


def list_processes() -> list[ProcessView]:
    """Who has shown signs of life, the latest first."""
    with reading() as db:
        rows = db.scalars(select(Heartbeat).order_by(col(Heartbeat.at).desc())).all()
    parts = [(row, row.process.partition(" ")) for row in rows]
    return [ProcessView(kind, name, row.at, row.started_at) for row, (kind, _, name) in parts]


def view_of(row: Fanpage) -> FanpageView:
    return FanpageView(
        id=row.id or 0,
        page_id=row.page_id,
        name=row.name,
        rate=row.rate,
        timezone=row.timezone,
        is_demo=row.is_demo,
        stopped_code=row.stopped_code,
        stopped_at=row.stopped_at,
        problems=tuple(row.problems),
        checked_at=row.checked_at,
        has_token=row.token_sealed is not None,
        stop_words=tuple(row.stop_words or DEFAULT),
    )
