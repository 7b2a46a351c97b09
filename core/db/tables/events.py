"""What Messenger has told us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db.tables.columns import Table, moment, row_id, word


class Event(Table, table=True):
    """A webhook event, stored before its request is answered. Tokens in its body are encrypted."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("page_id", "dedupe_key"),
        Index(
            "ix_event_pending",
            "occurred_at",
            "id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_event_failed",
            "id",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
        Index(
            "ix_event_ignored",
            "id",
            sqlite_where=text("state = 'ignored'"),
            postgresql_where=text("state = 'ignored'"),
        ),
        Index("ix_event_received_at_kind_page_id", "received_at", "kind", "page_id"),
        Index("ix_event_page_id_received_at", "page_id", "received_at"),
    )

    id: int | None = row_id()
    page_id: str = word(64)
    kind: str = word(32)
    dedupe_key: str = word(64)
    occurred_at: datetime = moment(nullable=False)
    received_at: datetime = moment(nullable=False)
    psid: str | None = word(64, default=None)  # of the person in it, whether they sent or received
    # Of the POST that brought it, as the log names it; an OTNR is a request of another kind.
    http_request_id: str | None = word(128, default=None, sa_column_kwargs={"name": "request_id"})
    body: str = Field(sa_type=Text)  # JSON of the one event
    state: str = word(default="pending")  # pending, applied, ignored, failed
    note: str | None = word(200, default=None)
    applied_at: datetime | None = moment()
    replayed_at: datetime | None = moment()  # when it was replayed although it had been applied
