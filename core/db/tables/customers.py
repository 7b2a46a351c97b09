"""What is kept of customers, and of those who were forgotten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db.tables.columns import NEVER_REUSED, BigId, Table, moment, reference, row_id, word


class Customer(Table, table=True):
    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("fanpage_id", "psid"),
        Index("ix_customer_fanpage_id_id", "fanpage_id", "id"),
        # The list by name; and a search reads this index alone, not the customers.
        Index("ix_customer_fanpage_id_search_text_id", "fanpage_id", "search_text", "id"),
        # The few among many. With their time as second column, since SQLite would rather read all customers
        # of the fanpage than an index of which it knows no more than that.
        Index(
            "ix_customer_unreachable",
            "fanpage_id",
            "unreachable_at",
            sqlite_where=text("unreachable_at IS NOT NULL"),
            postgresql_where=text("unreachable_at IS NOT NULL"),
        ),
        Index(
            "ix_customer_other_app",
            "fanpage_id",
            "other_app_at",
            sqlite_where=text("other_app_at IS NOT NULL"),
            postgresql_where=text("other_app_at IS NOT NULL"),
        ),
        Index(
            "ix_customer_window",
            "fanpage_id",
            "window_closes_at",
            "id",
            sqlite_where=text("window_closes_at IS NOT NULL"),
            postgresql_where=text("window_closes_at IS NOT NULL"),
        ),
        # Marks that wait for a later acceptance: asked for each time that acceptances are settled.
        Index(
            "ix_customer_tentative",
            "unreachable_at",
            sqlite_where=text("unreachable_at IS NOT NULL AND unreachable_firm_at IS NULL"),
            postgresql_where=text("unreachable_at IS NOT NULL AND unreachable_firm_at IS NULL"),
        ),
        # Those whose names are still to be asked for, which the worker looks for every few seconds.
        Index(
            "ix_customer_nameless",
            "last_event_at",
            "id",
            sqlite_where=text("profile_at IS NULL AND last_event_at IS NOT NULL"),
            postgresql_where=text("profile_at IS NULL AND last_event_at IS NOT NULL"),
        ),
        NEVER_REUSED,
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    psid: str = word(64)
    first_name: str | None = word(100, default=None)
    last_name: str | None = word(100, default=None)
    search_text: str = word(300, default="")  # folded name and PSID
    locale: str | None = word(16, default=None)
    profile_at: datetime | None = moment()  # when the name was last asked for
    window_closes_at: datetime | None = moment()  # inside the standard messaging window until then
    last_event_at: datetime | None = moment()
    delivered_watermark: datetime | None = moment()  # all we sent before then has been delivered, read
    read_watermark: datetime | None = moment()
    # The mark that Messenger cannot reach them, with its evidence: core/customers/unreachable_marks.py
    unreachable_code: str | None = word(64, default=None)  # a code word of messenger.reasons
    unreachable_at: datetime | None = moment()  # when the platform said so
    unreachable_detail: str | None = Field(default=None, sa_type=Text)  # its answer, without secrets
    unreachable_delivery_id: int | None = Field(default=None, sa_type=BigId)  # None: it answered a reply
    unreachable_firm_at: datetime | None = moment()  # when a later call was taken; None: tentative
    reachable_at: datetime | None = moment()  # a report, a read, staff's word: signs besides the last event
    other_app_at: datetime | None = moment()  # when we were last told that another app holds the conversation
    # Whether the bot keeps silent because a colleague has answered: core/conversation/silence_rules.py
    colleague_at: datetime | None = moment()  # when a colleague last wrote from the Page's inbox
    silence_ended_at: datetime | None = moment()  # when staff let the bot answer again
    created_at: datetime = moment(nullable=False)


class Tag(Table, table=True):
    """A word by which staff group the customers of a fanpage: core/customers/tags.py."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("fanpage_id", "key"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    name: str = word(40)
    key: str = word(80)  # the same for names that nobody can tell apart
    created_at: datetime = moment(nullable=False)


class CustomerTag(Table, table=True):
    """A customer has a tag."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_customer_tag_tag_id_customer_id", "tag_id", "customer_id"),)

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId)
    tag_id: int = Field(primary_key=True, foreign_key="tag.id", sa_type=BigId)
    created_at: datetime = moment(nullable=False)


class Forgotten(Table, table=True):
    """Somebody who was forgotten: a keyed hash of fanpage and PSID. See core/customers/forgotten.py."""

    __tablename__ = "forgotten"

    hash: str = word(64, primary_key=True)
    forgotten_at: datetime = moment(nullable=False)


class ForgottenKey(Table, table=True):
    """At most one row: the key of those hashes, made with the first of them and never changed."""

    __tablename__ = "forgotten_key"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    sealed: str = Field(sa_type=Text)  # under OTN_SECRET_KEY
    sealed_by_app: str | None = Field(default=None, sa_type=Text)  # under OTN_APP_SECRET, should that be lost
