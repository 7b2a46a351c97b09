"""Every table, on a registry of its own (a hot reload of this module then starts clean).

Rows never leave `core`: queries hand out frozen dataclasses. All times are aware UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from core.broadcasts.rules import BroadcastState
from core.consent.rules import OptInState
from core.conversation.rules import ReplyState
from core.deliveries.rules import DeliveryState

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """The base of every table."""


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC in and out, whatever the database keeps (SQLite keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone reached the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite would give the number of a deleted last row to the next one, and with it what others remember of it.
_NEVER_REUSED = {"sqlite_autoincrement": True}

BigId = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigId)


def _ref(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**default, foreign_key=target, sa_type=BigId, nullable=nullable, index=index)


def _time(*, nullable: bool = True, index: bool = False) -> Any:
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**default, sa_type=UtcTime, nullable=nullable, index=index)


def _word(size: int = 16, **more: Any) -> Any:
    return Field(sa_type=String(size), **more)


class Fanpage(Table, table=True):
    __tablename__ = "fanpage"

    id: int | None = _id()
    page_id: str = _word(64, unique=True)
    name: str = _word(200)
    token_sealed: str | None = Field(default=None, sa_type=Text)
    rate: int  # messages per second
    timezone: str = _word(64)
    is_demo: bool = False  # served by the simulator
    # Whoever writes nothing but one of these wants no notifications; none: consent.stop_words.DEFAULT
    stop_words: list[str] | None = Field(default=None, sa_type=JSON)
    # How often its customers are asked and written to: core.consent.contact_limits.py
    ask_cool_down_days: int = 7
    asks_a_day: int = 2
    asks_holders: bool = False
    broadcasts_a_week: int = 2
    silent_hours: int = 12
    launch_rules: str | None = Field(
        default=None, sa_type=Text
    )  # core/broadcasts/launch_rules.py; None: none
    app_id: str | None = _word(64, default=None)  # of our own app, as the echoes of our messages name it
    stopped_code: str | None = _word(64, default=None)  # why nothing may be sent, see messenger.errors
    stopped_at: datetime | None = _time()
    problems: list[str] = Field(default_factory=list, sa_type=JSON)  # codes of the last health check
    checked_at: datetime | None = _time()
    otn_off_at: datetime | None = _time()  # since when staff have one-time notifications switched off
    otn_off_by: str = _word(64, default="", sa_column_kwargs={"server_default": ""})
    policy_action: str | None = _word(default=None)  # the latest Meta said of it: warning, block, unblock, …
    policy_reason: str = Field(default="", sa_type=Text)
    policy_at: datetime | None = _time()
    policy_seen_at: datetime | None = _time()  # when staff said that they have read it
    policy_ruled_at: datetime | None = _time()  # the latest block or unblock: an older block is void
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)


class FanpageRate(Table, table=True):
    """A fanpage's rate limiter: its next free send slot, waits, slow-downs. Times: seconds since 1970."""

    __tablename__ = "pace"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    next_free: float = Field(default=0.0, sa_type=Float(53))
    held_until: float = Field(default=0.0, sa_type=Float(53))  # nothing leaves before (slow down, outage)
    held_at: float = Field(default=0.0, sa_type=Float(53))  # when that was said
    factor: float = Field(default=1.0, sa_type=Float(53))  # share of the rate in use; climbs back to 1
    factor_at: float = Field(default=0.0, sa_type=Float(53))


class CallsOfHour(Table, table=True):
    """Calls of a fanpage per hour: what its allowance of 24 hours is reckoned from."""

    __tablename__ = "calls_of_hour"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    hour: datetime = Field(primary_key=True, sa_type=UtcTime)
    calls: int = 0


class Customer(Table, table=True):
    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("fanpage_id", "psid"),
        Index("ix_customer_fanpage_id_id", "fanpage_id", "id"),
        # The list by name; and a search reads this index alone, not the customers.
        Index("ix_customer_fanpage_id_search_text_id", "fanpage_id", "search_text", "id"),
        Index(
            "ix_customer_unreachable",
            "fanpage_id",
            sqlite_where=text("unreachable_at IS NOT NULL"),
            postgresql_where=text("unreachable_at IS NOT NULL"),
        ),
        Index(
            "ix_customer_other_app",
            "fanpage_id",
            sqlite_where=text("other_app_at IS NOT NULL"),
            postgresql_where=text("other_app_at IS NOT NULL"),
        ),
        # Marks that wait for a later acceptance: asked for each time that acceptances are settled.
        Index(
            "ix_customer_tentative",
            "unreachable_at",
            sqlite_where=text("unreachable_at IS NOT NULL AND unreachable_firm_at IS NULL"),
            postgresql_where=text("unreachable_at IS NOT NULL AND unreachable_firm_at IS NULL"),
        ),
        _NEVER_REUSED,
    )

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    psid: str = _word(64)
    first_name: str | None = _word(100, default=None)
    last_name: str | None = _word(100, default=None)
    search_text: str = _word(300, default="")  # folded name and PSID
    locale: str | None = _word(16, default=None)
    profile_at: datetime | None = _time()  # when the name was last asked for
    window_closes_at: datetime | None = _time()  # inside the standard messaging window until then
    last_event_at: datetime | None = _time()
    delivered_watermark: datetime | None = _time()  # all we sent before then has been delivered, read
    read_watermark: datetime | None = _time()
    # The mark that Messenger cannot reach them, with its evidence: core/customers/unreachable_marks.py
    unreachable_code: str | None = _word(64, default=None)  # a code word of messenger.reasons
    unreachable_at: datetime | None = _time()  # when the platform said so
    unreachable_detail: str | None = Field(default=None, sa_type=Text)  # its answer, without secrets
    unreachable_delivery_id: int | None = Field(default=None, sa_type=BigId)  # None: it answered a reply
    unreachable_firm_at: datetime | None = _time()  # when a later call was taken; None: tentative
    reachable_at: datetime | None = _time()  # a report, a read, staff's word: signs besides the last event
    other_app_at: datetime | None = _time()  # when we were last told that another app holds the conversation
    # Whether the bot keeps silent because a colleague has answered: core/conversation/silence_rules.py
    colleague_at: datetime | None = _time()  # when a colleague last wrote from the Page's inbox
    silence_ended_at: datetime | None = _time()  # when staff let the bot answer again
    created_at: datetime = _time(nullable=False)


class Tag(Table, table=True):
    """A word by which staff group the customers of a fanpage: core/customers/tags.py."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("fanpage_id", "key"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    name: str = _word(40)
    key: str = _word(80)  # the same for names that nobody can tell apart
    created_at: datetime = _time(nullable=False)


class CustomerTag(Table, table=True):
    """A customer has a tag."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_customer_tag_tag_id_customer_id", "tag_id", "customer_id"),)

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId)
    tag_id: int = Field(primary_key=True, foreign_key="tag.id", sa_type=BigId)
    created_at: datetime = _time(nullable=False)


class Topic(Table, table=True):
    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("fanpage_id", "name"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    name: str = _word(80)
    description: str = _word(500, default="")
    asks_again: bool = False  # the bot asks whoever has no opt-in left when they next write
    # The message whose request asks again; none: the newest that asks about the topic
    ask_message_id: int | None = Field(default=None, sa_type=BigId)
    archived_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)


class Message(Table, table=True):
    """A chatbot message: an ordered list of blocks.

    Its Block and EntryPoint rows are what the bot sends: the version that was published last. What staff are
    writing waits in `draft`, which nothing that answers customers reads.
    """

    __tablename__ = "message"

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    name: str = _word(120)
    # What staff are writing, as core/conversation/stored_content.py keeps it; None: all is published.
    draft: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    version: int = 1  # rises with every change of the draft: core/conversation/writing.py
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # field: its last {version, by, at}
    published: int = 0  # number of the MessageVersion that the bot sends; 0: none yet
    archived_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)


class MessageVersion(Table, table=True):
    """A message as it was published at some time: to be read, and to be written on from."""

    __tablename__ = "message_version"
    __table_args__ = (UniqueConstraint("message_id", "number"),)

    id: int | None = _id()
    message_id: int = _ref("message.id")
    number: int
    content: dict[str, Any] = Field(sa_type=JSON)  # core/conversation/stored_content.py
    published_by: str = _word(64, default="")
    published_at: datetime = _time(nullable=False)


class Block(Table, table=True):
    __tablename__ = "block"
    __table_args__ = (UniqueConstraint("message_id", "position"),)

    id: int | None = _id()
    message_id: int = _ref("message.id")
    position: int
    kind: str = _word()
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    topic_id: int | None = _ref("topic.id", nullable=True, index=True)  # of an OTNR


class EntryPoint(Table, table=True):
    """What makes the bot send a message."""

    __tablename__ = "entry_point"
    __table_args__ = (UniqueConstraint("fanpage_id", "kind", "folded"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    message_id: int = _ref("message.id", index=True)
    kind: str = _word()
    match: str | None = _word(default=None)  # of a keyword
    value: str = _word(200, default="")  # the keyword or the ref as typed
    folded: str = _word(200, default="")  # what must be unique: see core/conversation/entry_kinds
    created_at: datetime = _time(nullable=False)


class MessengerProfile(Table, table=True):
    """A fanpage's greeting, menu and ice breakers as they are here: core/conversation/profile."""

    __tablename__ = "messenger_profile"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    version: int = 0  # rises with every change
    updated_by: str = _word(64, default="")
    updated_at: datetime = _time(nullable=False)
    published_version: int | None = None  # the latest that Facebook was seen to have
    published_by: str = _word(64, default="")
    published_at: datetime | None = _time()


class Request(Table, table=True):
    """One sending of an OTNR: whom, when, which wording, through which entry point.

    Without a customer: of somebody who was forgotten; the same for an opt-in and a delivery.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_customer_id_topic_id", "customer_id", "topic_id"),
        Index("ix_request_fanpage_id_created_at", "fanpage_id", "created_at"),
    )

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    customer_id: int | None = _ref("customer.id", nullable=True)
    topic_id: int = _ref("topic.id", index=True)
    message_id: int | None = _ref("message.id", nullable=True)
    entry_kind: str = _word(default="")
    entry_value: str = _word(200, default="")
    title: str = _word(200)  # the promise as it was asked
    # Of the first request to a customer in a test of two wordings: core/conversation/wording_tests.py
    test: str = _word(default="")
    variant: str = _word(1, default="")  # "a" or "b"
    after_text: str = Field(default="", sa_type=Text)  # what the bot says after the tap
    payload: str = _word(64, unique=True)  # leads the tap back to this row
    tapped_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)


class WithheldRequest(Table, table=True):
    """Requests that the bot did not make of a customer on one day, and why: core/consent/asking_rules.py."""

    __tablename__ = "withheld_request"
    __table_args__ = (UniqueConstraint("customer_id", "topic_id", "day", "reason", "entry_kind"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    customer_id: int = _ref("customer.id")
    topic_id: int = _ref("topic.id", index=True)
    day: str = _word(10)  # UTC, as 2026-11-30
    reason: str = _word()
    entry_kind: str = _word()
    times: int = 1
    last_at: datetime = _time(nullable=False)


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

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    customer_id: int | None = _ref("customer.id", nullable=True, index=True)
    topic_id: int | None = _ref(
        "topic.id", nullable=True
    )  # none: the tap's payload is not ours; staff assign it
    request_id: int | None = _ref("request.id", nullable=True)
    import_id: int | None = Field(default=None, sa_type=BigId)  # the OptInImport that brought it
    promise: str = _word(200, default="")
    token_hash: str = _word(64)
    token_sealed: str | None = Field(default=None, sa_type=Text)
    state: str = _word(default=OptInState.AVAILABLE)
    source: str = _word()
    consented_at: datetime = _time(nullable=False)
    expires_at: datetime = _time(nullable=False)
    settled_at: datetime | None = _time()  # spent, expired, withdrawn or refused
    created_at: datetime = _time(nullable=False)


class OptInCount(Table, table=True):
    """The opt-ins of a fanpage as counted last: core/consent/counting.py."""

    __tablename__ = "opt_in_count"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    counted_at: datetime = _time(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took
    agreed: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # day in the fanpage's zone: opt-ins
    lapsed: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # the same of those that ended unused
    held: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=JSON)  # topic: so many each: people
    ends: dict[str, dict[str, int]] = Field(
        default_factory=dict, sa_type=JSON
    )  # topic: day or month: opt-ins


class OptInImport(Table, table=True):
    """A file of opt-ins that the worker takes in, or has taken in: core/consent/import_runs.py."""

    __tablename__ = "opt_in_import"

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    topic_id: int = _ref("topic.id")
    file_name: str = _word(200)
    file_sealed: str | None = Field(default=None, sa_type=Text)  # until it has ended
    state: str = _word()  # consent.import_runs.ImportState
    operator: str = _word(64)
    role: str = _word()
    rows: int = 0  # of the file, once it is read
    done: int = 0
    imported: int = 0
    duplicates: int = 0
    rejected: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)  # the first of them
    rejected_count: int = 0
    problem: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    created_at: datetime = _time(nullable=False)
    started_at: datetime | None = _time()
    beat_at: datetime | None = _time()  # the last sign of life of whoever runs it
    ended_at: datetime | None = _time()
    undone_by: str = _word(64, default="")
    undone_at: datetime | None = _time()


class Withdrawal(Table, table=True):
    """A person said no, to one topic or to all. What it stands against: core/consent/withdrawals.py."""

    __tablename__ = "withdrawal"
    __table_args__ = (Index("ix_withdrawal_customer_id_at", "customer_id", "at"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    customer_id: int = _ref("customer.id")
    topic_id: int | None = _ref("topic.id", nullable=True)  # none: all topics of the fanpage
    source: str = _word()  # consent.rules.WithdrawalSource
    at: datetime = _time(nullable=False)  # when it was said; for an event, by the platform's clock
    created_at: datetime = _time(nullable=False)


class Broadcast(Table, table=True):
    __tablename__ = "broadcast"
    __table_args__ = (
        Index("ix_broadcast_state_due_at", "state", "due_at"),
        CheckConstraint(
            "state IN ('draft','scheduled','sending','paused','finished','cancelled','missed')", name="state"
        ),
    )

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    topic_id: int = _ref("topic.id", index=True)
    name: str = _word(120)
    content: dict[str, Any] = Field(sa_type=JSON)  # one block, as in Block.content with its "kind"
    sender: str = _word(32, default="one_time_token")  # how its messages leave: core/sending/senders
    filters: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # consent.audience_filters
    revises_id: int | None = Field(default=None, sa_type=BigId)  # of a draft: the scheduled one it changes
    revises_version: int | None = None  # the version of that one it was made from
    state: str = _word(default=BroadcastState.DRAFT)
    due_at: datetime | None = _time()
    best_before: datetime | None = _time()
    best_before_chosen: bool = False  # else it is set at the launch: core/broadcasts/draft_rules.py
    audience: int = 0  # its deliveries, once all are built
    canary_size: int = 0  # so many go first, then their outcome is looked at; 0: none
    canary_max_failed: float = Field(default=0.2, sa_type=Float(53))  # share of them
    canary_max_blocked: float = Field(default=0.1, sa_type=Float(53))
    canary_last_id: int | None = Field(default=None, sa_type=BigId)  # delivery; set at the start
    canary_passed_at: datetime | None = _time()
    pause_code: str | None = _word(64, default=None)  # None: a person paused it
    created_by: str = _word(64, default="")
    launched_by: str = _word(64, default="")
    version: int = 1  # rises with every change of what is approved: core/broadcasts/versions.py
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # field: its last {version, by, at}
    approved_version: int | None = None
    approved_by: str = _word(64, default="")
    approved_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)
    started_at: datetime | None = _time()
    finished_at: datetime | None = _time()
    told_at: datetime | None = _time()  # when its end was told outside the panel: core/alerts
    seen_at: datetime | None = _time()  # when whoever launched it closed the notice of its end


class BroadcastResult(Table, table=True):
    """What a broadcast has achieved, as counted last: core/broadcasts/result_counting.py."""

    __tablename__ = "broadcast_result"

    broadcast_id: int = Field(primary_key=True, foreign_key="broadcast.id", sa_type=BigId)
    counted_at: datetime = _time(nullable=False)
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

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    topic_id: int = _ref("topic.id")
    day: str = _word(10)  # in the fanpage's zone, as 2026-11-30
    title: str = _word(200)
    entry_kind: str = _word()
    entry_value: str = _word(200)
    test: str = _word(default="")
    variant: str = _word(1, default="")
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
    counted_at: datetime = _time(nullable=False)
    seconds: float = Field(default=0.0, sa_type=Float(53))  # that the counting took


class AudienceProgress(Table, table=True):
    """A broadcast whose audience is still being built, part by part: core/broadcasts/audience_builder.py."""

    __tablename__ = "gathering"

    broadcast_id: int = Field(primary_key=True, foreign_key="broadcast.id", sa_type=BigId)
    last_customer_id: int = Field(sa_type=BigId)  # up to here they have their deliveries
    last_opt_in_id: int = Field(sa_type=BigId)  # of those that were there at the start
    made: int = 0  # deliveries so far


class Delivery(Table, table=True):
    """One broadcast to one customer. States: core/deliveries/rules.py."""

    __tablename__ = "delivery"
    __table_args__ = (
        # Led by the customer, so that it serves their history too. An opt-in is of one customer: a second
        # delivery of it in a broadcast is refused as well.
        UniqueConstraint("customer_id", "broadcast_id"),
        Index("ix_delivery_broadcast_id_state_id", "broadcast_id", "state", "id"),
        Index("ix_delivery_broadcast_id_id", "broadcast_id", "id"),
        Index(
            "ix_delivery_detail",
            "broadcast_id",
            sqlite_where=text("detail IS NOT NULL"),
            postgresql_where=text("detail IS NOT NULL"),
        ),
        Index(
            "ix_delivery_mid",
            "mid",
            sqlite_where=text("mid IS NOT NULL"),
            postgresql_where=text("mid IS NOT NULL"),
        ),
        Index(
            "ix_delivery_lease_until",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        # The last guard: an opt-in is in at most one delivery that still may use it or has used it.
        Index(
            "uq_delivery_opt_in_id_live",
            "opt_in_id",
            unique=True,
            sqlite_where=text("state IN ('queued','sending','sent','unknown')"),
            postgresql_where=text("state IN ('queued','sending','sent','unknown')"),
        ),
        CheckConstraint(
            "state IN ('queued','sending','sent','failed','skipped','unknown','cancelled')", name="state"
        ),
    )

    id: int | None = _id()
    broadcast_id: int = _ref("broadcast.id")
    customer_id: int | None = _ref("customer.id", nullable=True)
    opt_in_id: int | None = _ref(
        "opt_in.id", nullable=True, index=True
    )  # reserved for it: it alone may spend this
    state: str = _word(default=DeliveryState.QUEUED)
    reason: str | None = _word(64, default=None)  # code of why it ended so, see messenger.reasons
    evidence: str | None = _word(64, default=None)  # what settled a doubt
    detail: str | None = Field(default=None, sa_type=Text)  # the platform's answer, without secrets
    sender: str | None = _word(32, default=None)  # when it is not the broadcast's: core/sending/senders
    attempt: int = 0  # claims so far, the number of the last; also the fence against a late settle
    tries: int = 0  # attempts that count towards giving up
    in_doubt: bool = False  # an earlier attempt may have reached the platform
    claimed_at: datetime | None = _time()
    claimed_by: str | None = _word(120, default=None)  # a worker's Heartbeat.process
    lease_until: datetime | None = _time()
    next_try_at: datetime | None = _time()
    mid: str | None = _word(200, default=None)
    settled_at: datetime | None = _time()
    delivered_at: datetime | None = _time()
    read_at: datetime | None = _time()
    clicked_at: datetime | None = _time()  # the first time that a link of it was followed
    clicked_links: int | None = Field(
        default=None, sa_type=BigInteger
    )  # a bit for the place of each: core/clicks
    replied_at: datetime | None = _time()  # when they wrote or tapped a button soon after it


class DeliveryAttempt(Table, table=True):
    """A call for a delivery that was not simply accepted the first time. Rows are only added.

    One claim may leave two: the lease ran out, and the answer came late after all.
    """

    __tablename__ = "delivery_try"
    __table_args__ = (UniqueConstraint("delivery_id", "number", "reason"),)

    id: int | None = _id()
    delivery_id: int = _ref("delivery.id")
    number: int  # Delivery.attempt; gaps are claims that were handed back
    reason: str = _word(64)  # a code word of messenger.reasons, "lease_ran_out" or "accepted"
    in_doubt: bool = False  # it may have been taken
    status: int | None = None  # HTTP
    code: int | None = Field(default=None, sa_type=BigInteger)
    subcode: int | None = Field(default=None, sa_type=BigInteger)
    detail: str | None = Field(default=None, sa_type=Text)  # the platform's answer, without secrets
    started_at: datetime = _time(nullable=False)
    answered_at: datetime | None = _time()


class RecentOutcomes(Table, table=True):
    """What the breaker looks at, since counting began: core/deliveries/breaker.py."""

    __tablename__ = "recent_outcomes"

    scope: str = _word(primary_key=True)  # broadcast, fanpage or replies
    ref_id: int = Field(primary_key=True, sa_type=BigId)  # of the broadcast or the fanpage
    outcomes: int = Field(default=0, sa_type=BigInteger)  # how many, accepted or not
    # The last of them that were refused: [number, reason, broadcast, delivery, customer]
    refusals: list[list[Any]] = Field(default_factory=list, sa_type=JSON)


class Picture(Table, table=True):
    """A picture that staff uploaded; its file lies in the data folder under its name."""

    __tablename__ = "picture"

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    name: str = _word(64, unique=True)
    attachment_id: str | None = _word(64, default=None, index=True)  # what Messenger calls it
    attached_at: datetime | None = _time()  # when it was handed over to Messenger
    tried_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)


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
        _NEVER_REUSED,
    )

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id")
    customer_id: int = _ref("customer.id", index=True)
    comment_id: str | None = _word(200, default=None)  # which it answers in private, outside of any window
    comment_until: datetime | None = _time()  # until when the platform takes the answer
    request_id: int | None = _ref("request.id", nullable=True, index=True)
    tester_message_id: int | None = Field(default=None, sa_type=BigId)  # the test that it is part of
    body: dict[str, Any] = Field(sa_type=JSON)  # the `message` object of the Send API
    begins_answer: bool = False  # the first message of an answer: the customer sees that we are typing
    state: str = _word(default=ReplyState.QUEUED)
    reason: str | None = _word(64, default=None)
    detail: str | None = Field(default=None, sa_type=Text)
    tries: int = 0
    claimed_at: datetime | None = _time()
    claimed_by: str | None = _word(120, default=None)  # a worker's Heartbeat.process
    lease_until: datetime | None = _time()
    next_try_at: datetime | None = _time()
    mid: str | None = _word(200, default=None)
    created_at: datetime = _time(nullable=False)
    settled_at: datetime | None = _time()
    delivered_at: datetime | None = _time()
    read_at: datetime | None = _time()
    clicked_at: datetime | None = _time()  # the first time that a link of it was followed
    clicked_links: int | None = Field(
        default=None, sa_type=BigInteger
    )  # a bit for the place of each: core/clicks


class Tester(Table, table=True):
    """A colleague who gets messages before customers do; until they write the code, one who is to be."""

    __tablename__ = "tester"

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    operator_id: int | None = _ref("operator.id", nullable=True, index=True)  # who "me" is; None: no account
    name: str = _word(64)
    code: str | None = _word(16, default=None, unique=True)
    code_expires_at: datetime | None = _time()
    customer_id: int | None = Field(
        default=None, foreign_key="customer.id", sa_type=BigId, nullable=True, unique=True
    )
    joined_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)


class TesterMessage(Table, table=True):
    """A message or broadcast that was sent to a tester, apart from all figures: core/testers/sending.py."""

    __tablename__ = "tester_message"
    __table_args__ = (Index("ix_tester_message_about_about_id", "about", "about_id"),)

    id: int | None = _id()
    fanpage_id: int = _ref("fanpage.id", index=True)
    customer_id: int = _ref("customer.id", index=True)
    about: str = _word()  # "message" or "broadcast"
    about_id: int = Field(sa_type=BigId)  # its id; it may be gone
    sent_by: str = _word(64)
    after_texts: list[str] = Field(default_factory=list, sa_type=JSON)  # what follows a tap on each request
    tapped_at: datetime | None = _time()  # the first tap on a request in it
    created_at: datetime = _time(nullable=False)


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
        Index("ix_event_page_id_received_at", "page_id", "received_at"),
    )

    id: int | None = _id()
    page_id: str = _word(64)
    kind: str = _word(32)
    dedupe_key: str = _word(64)
    occurred_at: datetime = _time(nullable=False)
    received_at: datetime = _time(nullable=False)
    psid: str | None = _word(64, default=None)  # the person's side of it
    body: str = Field(sa_type=Text)  # JSON of the one event
    state: str = _word(default="pending")  # pending, applied, ignored, failed
    note: str | None = _word(200, default=None)
    applied_at: datetime | None = _time()


class Operator(Table, table=True):
    __tablename__ = "operator"

    id: int | None = _id()
    name: str = _word(64, unique=True)  # lower case
    password_hash: str = _word(100)
    role: str = _word()
    language: str | None = _word(8, default=None)
    must_change_password: bool = False
    password_expires_at: datetime | None = _time()  # of one that somebody else has made
    totp_sealed: str | None = Field(default=None, sa_type=Text)  # the secret of the second factor
    totp_step: int | None = Field(default=None, sa_type=BigId)  # the last code that was taken
    may_export: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # a viewer's
    sessions_valid_after: datetime = _time(nullable=False)  # cookies made before are refused
    disabled_at: datetime | None = _time()
    last_seen_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)


class ListColumns(Table, table=True):
    """Which columns of a list an operator wants to see: core/accounts/list_columns.py."""

    __tablename__ = "list_columns"

    operator_id: int = Field(primary_key=True, foreign_key="operator.id", sa_type=BigId)
    list_name: str = _word(32, primary_key=True)
    columns: list[str] = Field(default_factory=list, sa_type=JSON)


class OperatorSession(Table, table=True):
    """A browser in which an operator has signed in. Its cookie holds the key, this row the key's hash."""

    __tablename__ = "operator_session"

    id: int | None = _id()
    operator_id: int = _ref("operator.id", index=True)
    key_hash: str = _word(64, unique=True)  # of the ticket, until the browser has traded it for a key
    is_kept: bool = False  # whether the ticket has been traded
    signed_in_at: datetime = _time(nullable=False, index=True)
    last_seen_at: datetime = _time(nullable=False)
    ended_at: datetime | None = _time()
    address: str = _word(64, default="")
    browser: str = _word(80, default="")


class SignInAttempt(Table, table=True):
    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_name_at", "name", "at"),)

    id: int | None = _id()
    name: str = _word(64)
    address: str = _word(64, default="")
    at: datetime = _time(nullable=False, index=True)


class Activity(Table, table=True):
    """Who did what: written in the same transaction as the action."""

    __tablename__ = "activity"

    id: int | None = _id()
    at: datetime = _time(nullable=False, index=True)
    actor: str = _word(64)
    verb: str = _word(48)  # "broadcast.launch"
    fanpage_id: int | None = _ref("fanpage.id", nullable=True, index=True)
    subject_id: int | None = Field(default=None, sa_type=BigId)
    subject: str = _word(200, default="")  # its name at the time
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    address: str = _word(64, default="")  # from where; empty for this machine
    session_id: int | None = Field(default=None, sa_type=BigId)  # in which session; the row may be gone


class Heartbeat(Table, table=True):
    """The latest heartbeat of each worker and webhook server."""

    __tablename__ = "heartbeat"

    process: str = _word(120, primary_key=True)  # "worker host:pid"
    at: datetime = _time(nullable=False)
    started_at: datetime = _time(nullable=False)
    mixed_refused_at: datetime | None = (
        _time()
    )  # since when it keeps fanpages apart: core/sending/mixed_call_reports.py


class Hold(Table, table=True):
    """At most one row: why nothing may leave this database. See core/db/holding.py."""

    __tablename__ = "hold"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    code: str = _word()
    # The database at the other end of a move, without its password; or who stopped all sending
    place: str = _word(300, default="")
    key: str = _word(32, default="")  # the same on both ends of one move
    at: datetime = _time(nullable=False)


class SetUpMark(Table, table=True):
    """What a person said about the set-up: that something was done at Facebook, or that a problem is known
    and accepted."""

    __tablename__ = "set_up_mark"

    scope: str = _word(64, primary_key=True)  # the page id of a fanpage; empty: the installation
    code: str = _word(32, primary_key=True)  # core/fanpages/set_up_rules.py
    by: str = _word(64)
    at: datetime = _time(nullable=False)


class InstallationCheck(Table, table=True):
    """What was found when something was checked last that is the same for all fanpages."""

    __tablename__ = "installation_check"

    name: str = _word(32, primary_key=True)  # core/fanpages/set_up_rules.py
    value: str = Field(default="", sa_type=Text)  # the address that staff entered to be checked
    code: str | None = _word(32, default=None)  # what is wrong; None: nothing
    checked_at: datetime | None = _time()


class KeyCheck(Table, table=True):
    """At most one row: by this hash a process knows the installation's key; see key_check.py."""

    __tablename__ = "key_check"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    hash: str = _word(64)


class Forgotten(Table, table=True):
    """Somebody who was forgotten: a keyed hash of fanpage and PSID. See core/customers/forgotten.py."""

    __tablename__ = "forgotten"

    hash: str = _word(64, primary_key=True)
    forgotten_at: datetime = _time(nullable=False)


class ForgottenKey(Table, table=True):
    """At most one row: the key of those hashes, made with the first of them and never changed."""

    __tablename__ = "forgotten_key"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    sealed: str = Field(sa_type=Text)  # under OTN_SECRET_KEY
    sealed_by_app: str | None = Field(default=None, sa_type=Text)  # under OTN_APP_SECRET, should that be lost


class TokenKey(Table, table=True):
    """At most one row: the key of the hashes of tokens; see core/installation/token_hash.py."""

    __tablename__ = "token_key"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    sealed: str = Field(sa_type=Text)  # under OTN_SECRET_KEY
    sealed_by_app: str | None = Field(default=None, sa_type=Text)  # under OTN_APP_SECRET, should that be lost


class Backup(Table, table=True):
    """A backup that was made, or could not be made. A backup holds a row about itself, so that a restored one
    says how old it is."""

    __tablename__ = "backup"

    id: int | None = _id()
    made_at: datetime = _time(nullable=False, index=True)
    place: str = _word(200, default="")  # the name of its file
    bytes: int = Field(default=0, sa_type=BigInteger)
    opt_ins: int = Field(default=0, sa_type=BigInteger)
    problem: str | None = _word(300, default=None)  # why it could not be made
