"""What the bot has said or is about to say to whom, requests for opt-ins and tests by colleagues included."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from core.conversation.rules import ReplyState
from core.db.tables.columns import NEVER_REUSED, BigId, Table, moment, reference, row_id, word


class Request(Table, table=True):
    """One sending of an OTNR: whom, when, which wording, through which entry point.

    Without a customer: of somebody who was forgotten; the same for an opt-in and a delivery.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_customer_id_topic_id", "customer_id", "topic_id"),
        Index("ix_request_fanpage_id_created_at", "fanpage_id", "created_at"),
        Index("ix_request_topic_id_entry_kind_created_at", "topic_id", "entry_kind", "created_at"),
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    customer_id: int | None = reference("customer.id", nullable=True)
    topic_id: int = reference("topic.id")
    message_id: int | None = reference("message.id", nullable=True)
    entry_kind: str = word(default="")
    entry_value: str = word(200, default="")
    title: str = word(200)  # the promise as it was asked
    # Of the first request to a customer in a test of two wordings: core/conversation/wording_tests.py
    test: str = word(default="")
    variant: str = word(1, default="")  # "a" or "b"
    after_text: str = Field(default="", sa_type=Text)  # what the bot says after the tap
    payload: str = word(64, unique=True)  # leads the tap back to this row
    tapped_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)


class WithheldRequest(Table, table=True):
    """Requests that the bot did not make of a customer on one day, and why: core/consent/asking_rules.py."""

    __tablename__ = "withheld_request"
    __table_args__ = (UniqueConstraint("customer_id", "topic_id", "day", "reason", "entry_kind"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    customer_id: int = reference("customer.id")
    topic_id: int = reference("topic.id", index=True)
    day: str = word(10)  # UTC, as 2026-11-30
    reason: str = word()
    entry_kind: str = word()
    times: int = 1
    last_at: datetime = moment(nullable=False)


class Reply(Table, table=True):
    """A message by PSID inside the window: a bot's answer or a request; sent at most once."""

    __tablename__ = "reply"
    __table_args__ = (
        Index(
            "ix_reply_mid",
            "mid",
            sqlite_where=text("mid IS NOT NULL"),
            postgresql_where=text("mid IS NOT NULL"),
        ),
        Index(
            "ix_reply_waiting",
            "fanpage_id",
            "id",
            sqlite_where=text("state IN ('queued','sending')"),
            postgresql_where=text("state IN ('queued','sending')"),
        ),
        Index(
            "ix_reply_tester_message_id",
            "tester_message_id",
            sqlite_where=text("tester_message_id IS NOT NULL"),
            postgresql_where=text("tester_message_id IS NOT NULL"),
        ),
        # The platform takes one message for each comment.
        Index(
            "uq_reply_comment_id",
            "fanpage_id",
            "comment_id",
            unique=True,
            sqlite_where=text("comment_id IS NOT NULL"),
            postgresql_where=text("comment_id IS NOT NULL"),
        ),
        NEVER_REUSED,
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    customer_id: int = reference("customer.id", index=True)
    comment_id: str | None = word(200, default=None)  # which it answers in private, outside of any window
    comment_until: datetime | None = moment()  # until when the platform takes the answer
    request_id: int | None = reference("request.id", nullable=True, index=True)
    tester_message_id: int | None = Field(default=None, sa_type=BigId)  # the test that it is part of
    body: dict[str, Any] = Field(sa_type=JSON)  # the `message` object of the Send API
    # Of an answer that waits until the customer's language is known; such a row says nothing itself, and is
    # gone then: core/conversation/replies.py
    begins_with: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    begins_answer: bool = False  # the first message of an answer: the customer sees that we are typing
    state: str = word(default=ReplyState.QUEUED)
    reason: str | None = word(64, default=None)
    detail: str | None = Field(default=None, sa_type=Text)
    tries: int = 0
    claimed_at: datetime | None = moment()
    claimed_by: str | None = word(120, default=None)  # a worker's Heartbeat.process
    lease_until: datetime | None = moment()
    next_try_at: datetime | None = moment()
    mid: str | None = word(200, default=None)
    created_at: datetime = moment(nullable=False)
    settled_at: datetime | None = moment()
    delivered_at: datetime | None = moment()
    read_at: datetime | None = moment()
    clicked_at: datetime | None = moment()  # the first time that a link of it was followed
    clicked_links: int | None = Field(
        default=None, sa_type=BigInteger
    )  # a bit for the place of each: core/clicks


class Tester(Table, table=True):
    """A colleague who gets messages before customers do; until they write the code, one who is to be."""

    __tablename__ = "tester"

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    operator_id: int | None = reference(
        "operator.id", nullable=True, index=True
    )  # who "me" is; None: no account
    name: str = word(64)
    code: str | None = word(16, default=None, unique=True)
    code_expires_at: datetime | None = moment()
    customer_id: int | None = Field(
        default=None, foreign_key="customer.id", sa_type=BigId, nullable=True, unique=True
    )
    joined_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)


class TesterMessage(Table, table=True):
    """A message or broadcast that was sent to a tester, apart from all figures: core/testers/sending.py."""

    __tablename__ = "tester_message"
    __table_args__ = (Index("ix_tester_message_about_about_id", "about", "about_id"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    customer_id: int = reference("customer.id", index=True)
    about: str = word()  # "message" or "broadcast"
    about_id: int = Field(sa_type=BigId)  # its id; it may be gone
    sent_by: str = word(64)
    after_texts: list[str] = Field(default_factory=list, sa_type=JSON)  # what follows a tap on each request
    tapped_at: datetime | None = moment()  # the first tap on a request in it
    created_at: datetime = moment(nullable=False)
