"""Broadcasts and the figures kept of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, Index
from sqlmodel import Field

from core.broadcasts.rules import BroadcastState
from core.db.tables.columns import NEVER_REUSED, BigId, Table, moment, reference, row_id, word


class Broadcast(Table, table=True):
    __tablename__ = "broadcast"
    __table_args__ = (
        Index("ix_broadcast_state_due_at", "state", "due_at"),
        CheckConstraint(
            "state IN ('draft','scheduled','sending','paused','finished','cancelled','missed')", name="state"
        ),
        NEVER_REUSED,
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    topic_id: int = reference("topic.id", index=True)
    name: str = word(120)
    content: dict[str, Any] = Field(sa_type=JSON)  # one block, as in Block.content with its "kind"
    sender: str = word(32, default="one_time_token")  # how its messages leave: core/sending/senders
    filters: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # consent.audience_filters
    revises_id: int | None = Field(default=None, sa_type=BigId)  # of a draft: the scheduled one it changes
    revises_version: int | None = None  # the version of that one it was made from
    state: str = word(default=BroadcastState.DRAFT)
    due_at: datetime | None = moment()
    best_before: datetime | None = moment()
    best_before_chosen: bool = False  # else it is set at the launch: core/broadcasts/draft_rules.py
    audience: int = 0  # its deliveries, once all are built
    canary_size: int = 0  # so many go first, then their outcome is looked at; 0: none
    canary_max_failed: float = Field(default=0.2, sa_type=Float(53))  # share of them
    canary_max_blocked: float = Field(default=0.1, sa_type=Float(53))
    canary_last_id: int | None = Field(default=None, sa_type=BigId)  # delivery; set at the start
    canary_passed_at: datetime | None = moment()
    pause_code: str | None = word(64, default=None)  # None: a person paused it
    created_by: str = word(64, default="")
    launched_by: str = word(64, default="")
    version: int = 1  # rises with every change of what is approved: core/broadcasts/versions.py
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # field: its last {version, by, at}
    approved_version: int | None = None
    approved_by: str = word(64, default="")
    approved_at: datetime | None = moment()
    asked_by: str = word(64, default="")  # of a draft: who asked for its approval
    asked_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)
    started_at: datetime | None = moment()
    finished_at: datetime | None = moment()
    told_at: datetime | None = moment()  # when its end was told outside the panel: core/alerts
    seen_at: datetime | None = moment()  # when whoever launched it closed the notice of its end


class BroadcastResult(Table, table=True):
    """What a broadcast has achieved, as counted last: core/broadcasts/result_counting.py."""

    __tablename__ = "broadcast_result"

    broadcast_id: int = Field(primary_key=True, foreign_key="broadcast.id", sa_type=BigId)
    counted_at: datetime = moment(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took
    people: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # broadcasts.results.Result: people
    links: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # web address: people who followed it
    hours: dict[str, dict[str, int]] = Field(
        default_factory=dict, sa_type=JSON
    )  # hour in UTC: result: people


class FunnelDay(Table, table=True):
    """Requests of one day that are alike, and how far they led: core/funnel/counting.py."""

    __tablename__ = "funnel_day"
    __table_args__ = (Index("ix_funnel_day_topic_id_day", "topic_id", "day"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    topic_id: int = reference("topic.id")
    day: str = word(10)  # in the fanpage's zone, as 2026-11-30
    title: str = word(200)
    entry_kind: str = word()
    entry_value: str = word(200)
    test: str = word(default="")
    variant: str = word(1, default="")
    asked: int = 0
    seen: int = 0
    tapped: int = 0
    notified: int = 0
    read: int = 0
    clicked: int = 0


class FunnelCount(Table, table=True):
    """When the funnel of a fanpage was counted last."""

    __tablename__ = "funnel_count"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    counted_at: datetime = moment(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took


class AudienceProgress(Table, table=True):
    """A broadcast whose audience is being built, chunk by chunk: core/broadcasts/audience_builder.py."""

    __tablename__ = "gathering"

    broadcast_id: int = Field(primary_key=True, foreign_key="broadcast.id", sa_type=BigId)
    last_customer_id: int = Field(sa_type=BigId)  # up to here they have their deliveries
    last_opt_in_id: int = Field(sa_type=BigId)  # of those that were there at the start
    made: int = 0  # deliveries so far
