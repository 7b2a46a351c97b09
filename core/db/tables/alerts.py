"""What people outside the panel are told of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from core.db.tables.columns import Table, moment, row_id, word


class Alert(Table, table=True):
    """A condition (core/alerts/conditions.py) that people outside the panel are told of, by one channel. It
    is deleted when the condition is over."""

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("matter", "channel"),)

    id: int | None = row_id()
    matter: str = word(200)  # what it is about, as broadcast.paused:17
    channel: str = word(16)  # alerts.channels.Channel
    since: datetime = moment(nullable=False)
    told_at: datetime | None = moment()
    attempts: int = 0
    next_try_at: datetime = moment(nullable=False)


class AlertChannel(Table, table=True):
    """How a channel of alerts has fared."""

    __tablename__ = "alert_channel"

    channel: str = Field(primary_key=True, max_length=16)
    sent_at: datetime | None = moment()
    failed_at: datetime | None = moment()  # of the latest attempt, if it failed
    problem: str | None = word(300, default=None)  # why, without secrets
    test_asked_at: datetime | None = moment()  # somebody waits for a test alert
