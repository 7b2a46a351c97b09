"""Reads about fanpages: which are connected, what is wrong with them, and which processes serve them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from core.broadcasts.launch_rules import FREE, LaunchRules, launch_rules_of
from core.broadcasts.rules import BroadcastState, waits_for_repair
from core.consent.contact_limits import USUAL, ContactLimits, limits_of
from core.consent.stop_words import DEFAULT
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Fanpage, Heartbeat
from core.errors import N_, NotFound
from core.installation.heartbeat import WORKER, is_of_kind
from core.text.collation import sort_key

WORKER_SILENT_AFTER = timedelta(minutes=1)
OTHER_APP_LATELY = timedelta(days=30)


@dataclass(frozen=True)
class FanpageView:
    """A fanpage as the panel shows it."""

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
    policy: PolicyView | None = None
    otn_off_at: datetime | None = None  # since when staff have one-time notifications switched off
    otn_off_by: str = ""
    launch_rules: LaunchRules = FREE
    limits: ContactLimits = USUAL  # how often its customers are asked and written to


@dataclass(frozen=True)
class PolicyView:
    """The latest that Meta said about the fanpage itself: "warning", "block", "unblock" or "integrity"."""

    action: str
    reason: str
    at: datetime
    is_seen: bool  # staff said that they have read it


@dataclass(frozen=True)
class OtherApp:
    """Conversations that another app holds, and when we were last told of one."""

    customers: int
    last_at: datetime


@dataclass(frozen=True)
class ProcessView:
    """A worker's or webhook server's latest heartbeat."""

    kind: str  # "worker", "webhook"
    name: str
    at: datetime
    started_at: datetime


def list_fanpages() -> list[FanpageView]:
    """Real fanpages first, each group by name."""
    with reading() as db:
        rows = db.scalars(select(Fanpage)).all()
    rows = sorted(rows, key=lambda row: (row.is_demo, sort_key(row.name), row.id))
    return [fanpage_view(row) for row in rows]


def get_fanpage(fanpage_id: int) -> FanpageView:
    """A fanpage by its id. Raises NotFound."""
    with reading() as db:
        row = db.get(Fanpage, fanpage_id)
    if row is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    return fanpage_view(row)


def has_real_fanpage() -> bool:
    """Whether a fanpage is connected that is not the demo's."""
    real = select(col(Fanpage.id)).where(col(Fanpage.is_demo).is_(False)).limit(1)
    with reading() as db:
        return db.execute(real).first() is not None


def find_by_page_id(page_id: str) -> FanpageView | None:
    """A fanpage by its page id, or None."""
    with reading() as db:
        row = db.scalars(select(Fanpage).where(col(Fanpage.page_id) == page_id)).first()
    return fanpage_view(row) if row else None


def count_paused_by_stop(fanpage_id: int) -> int:
    """Broadcasts that go on once the fanpage is repaired."""
    statement = select(col(Broadcast.pause_code)).where(
        col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.state) == BroadcastState.PAUSED
    )
    with reading() as db:
        return sum(waits_for_repair(code) for code in db.execute(statement).scalars())


def find_other_app(fanpage_id: int, *, now: datetime) -> OtherApp | None:
    """The conversations that another app was seen to hold lately; None when there is none."""
    theirs = col(Customer.fanpage_id) == fanpage_id, col(Customer.other_app_at) > now - OTHER_APP_LATELY
    with reading() as db:
        customers, last_at = db.execute(
            select(func.count(), func.max(Customer.other_app_at)).where(*theirs)
        ).one()
    return OtherApp(customers, last_at) if customers else None


def list_processes() -> list[ProcessView]:
    """All processes that have a heartbeat, the latest first."""
    with reading() as db:
        rows = db.scalars(select(Heartbeat).order_by(col(Heartbeat.at).desc())).all()
    parts = [(row, row.process.partition(" ")) for row in rows]
    return [ProcessView(kind, name, row.at, row.started_at) for row, (kind, _, name) in parts]


def is_worker_alive(*, now: datetime) -> bool:
    """Whether a worker has been heard of within a minute."""
    recent = col(Heartbeat.at) > now - WORKER_SILENT_AFTER
    statement = select(col(Heartbeat.process)).where(is_of_kind(WORKER), recent).limit(1)
    with reading() as db:
        return db.execute(statement).first() is not None


def fanpage_view(row: Fanpage) -> FanpageView:
    """The view of a row."""
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
        policy=_policy_of(row),
        stop_words=tuple(row.stop_words or DEFAULT),
        otn_off_at=row.otn_off_at,
        otn_off_by=row.otn_off_by,
        limits=limits_of(row),
        launch_rules=launch_rules_of(row.launch_rules),
    )


def _policy_of(row: Fanpage) -> PolicyView | None:
    if row.policy_action is None or row.policy_at is None:
        return None
    return PolicyView(row.policy_action, row.policy_reason, row.policy_at, row.policy_seen_at is not None)
