"""What customers agreed to, and what they took back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from core.consent.rules import OptInState
from core.db.tables.columns import BigId, Table, moment, reference, row_id, word


class Topic(Table, table=True):
    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("fanpage_id", "name"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    name: str = word(80)
    description: str = word(500, default="")
    asks_again: bool = False  # the bot asks whoever has no opt-in left when they next write
    # The message whose request asks again; none: the newest that asks about the topic
    ask_message_id: int | None = Field(default=None, sa_type=BigId)
    archived_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)


class OptIn(Table, table=True):
    """One tap: one token, one promise, one year. States: core/consent/rules.py."""

    __tablename__ = "opt_in"
    __table_args__ = (
        UniqueConstraint("fanpage_id", "token_hash"),
        Index("ix_opt_in_topic_id_state_customer_id", "topic_id", "state", "customer_id", "expires_at"),
        Index(
            "ix_opt_in_expires_at",
            "expires_at",
            sqlite_where=text("state = 'available'"),
            postgresql_where=text("state = 'available'"),
        ),
        Index("ix_opt_in_fanpage_id_id", "fanpage_id", "id"),
        # The list by when they were agreed to: each ends a year after.
        Index("ix_opt_in_fanpage_id_expires_at_id", "fanpage_id", "expires_at", "id"),
        Index(
            "ix_opt_in_request_id",
            "request_id",
            sqlite_where=text("request_id IS NOT NULL"),
            postgresql_where=text("request_id IS NOT NULL"),
        ),
        Index(
            "ix_opt_in_import_id_state",
            "import_id",
            "state",
            sqlite_where=text("import_id IS NOT NULL"),
            postgresql_where=text("import_id IS NOT NULL"),
        ),
        CheckConstraint(
            "state IN ('available','reserved','spent','expired','withdrawn','refused')", name="state"
        ),
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    customer_id: int | None = reference("customer.id", nullable=True, index=True)
    topic_id: int | None = reference(
        "topic.id", nullable=True
    )  # none: the tap's payload is not ours; staff assign it
    request_id: int | None = reference("request.id", nullable=True)
    import_id: int | None = Field(default=None, sa_type=BigId)  # the OptInImport that brought it
    promise: str = word(200, default="")
    token_hash: str = word(64)
    token_sealed: str | None = Field(default=None, sa_type=Text)
    state: str = word(default=OptInState.AVAILABLE)
    source: str = word()
    consented_at: datetime = moment(nullable=False)
    expires_at: datetime = moment(nullable=False)
    settled_at: datetime | None = moment()  # spent, expired, withdrawn or refused
    created_at: datetime = moment(nullable=False)


class OptInCount(Table, table=True):
    """The opt-ins of a fanpage as counted last: core/consent/counting.py."""

    __tablename__ = "opt_in_count"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    counted_at: datetime = moment(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took
    agreed: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # day in the fanpage's zone: opt-ins
    lapsed: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # the same of those that ended unused
    held: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=JSON)  # topic: so many each: people
    ends: dict[str, dict[str, int]] = Field(
        default_factory=dict, sa_type=JSON
    )  # topic: day or month: opt-ins


class TopicCount(Table, table=True):
    """A topic as counted last, where counting takes long: core/broadcasts/topic_counting.py."""

    __tablename__ = "topic_count"

    topic_id: int = Field(primary_key=True, foreign_key="topic.id", sa_type=BigId)
    counted_at: datetime = moment(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took
    figures: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # consent.queries.TopicView's
    # Of a broadcast to everybody, counted where the topic is not small: core/broadcasts/topic_reach.py
    reasons: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # eligible, or a reason: people
    in_window: int = 0  # of those eligible: in the messaging window
    opt_ins: int = 0  # of those eligible
    promises: list[list[Any]] = Field(default_factory=list, sa_type=JSON)  # [wording, people]
    need_asking: int = 0  # people who were notified and hold nothing for the next time


class OptInImport(Table, table=True):
    """A file of opt-ins that the worker takes in, or has taken in: core/consent/import_runs.py."""

    __tablename__ = "opt_in_import"

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    topic_id: int = reference("topic.id")
    file_name: str = word(200)
    file_sealed: str | None = Field(default=None, sa_type=Text)  # until it has ended
    state: str = word()  # consent.import_runs.ImportState
    operator: str = word(64)
    role: str = word()
    rows: int = 0  # of the file, once it is read
    done: int = 0
    imported: int = 0
    duplicates: int = 0
    rejected: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)  # the first of them
    rejected_count: int = 0
    problem: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    created_at: datetime = moment(nullable=False)
    started_at: datetime | None = moment()
    beat_at: datetime | None = moment()  # the last sign of life of whoever runs it
    ended_at: datetime | None = moment()
    undone_by: str = word(64, default="")
    undone_at: datetime | None = moment()


class Withdrawal(Table, table=True):
    """A person said no, to one topic or to all. What it stands against: core/consent/withdrawals.py."""

    __tablename__ = "withdrawal"
    __table_args__ = (Index("ix_withdrawal_customer_id_at", "customer_id", "at"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    customer_id: int = reference("customer.id")
    topic_id: int | None = reference("topic.id", nullable=True)  # none: all topics of the fanpage
    source: str = word()  # consent.rules.WithdrawalSource
    at: datetime = moment(nullable=False)  # when it was said; for an event, by the platform's clock
    created_at: datetime = moment(nullable=False)
