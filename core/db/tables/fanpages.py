"""What is kept of fanpages: their settings, their rate, what staff said of their set-up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Float, Text
from sqlmodel import Field

from core.db.tables.columns import BigId, Table, UtcTime, moment, row_id, word


class Fanpage(Table, table=True):
    __tablename__ = "fanpage"

    id: int | None = row_id()
    page_id: str = word(64, unique=True)
    name: str = word(200)
    token_sealed: str | None = Field(default=None, sa_type=Text)
    rate: int  # messages per second
    timezone: str = word(64)
    is_demo: bool = False  # served by the simulator
    # Whoever writes nothing but one of these wants no notifications; none: consent.stop_words.DEFAULT
    stop_words: list[str] | None = Field(default=None, sa_type=JSON)
    # How often its customers are asked and written to: the usual limits of core/consent/contact_limits.py
    ask_cool_down_days: int = 7
    asks_a_day: int = 2
    asks_holders: bool = False
    broadcasts_a_week: int = 2
    silent_hours: int = 12
    launch_rules: str | None = Field(
        default=None, sa_type=Text
    )  # core/broadcasts/launch_rules.py; None: none
    app_id: str | None = word(64, default=None)  # of our own app, as the echoes of our messages name it
    stopped_code: str | None = word(64, default=None)  # why nothing may be sent, see messenger.errors
    stopped_at: datetime | None = moment()
    problems: list[str] = Field(default_factory=list, sa_type=JSON)  # codes of the last health check
    checked_at: datetime | None = moment()
    otn_off_at: datetime | None = moment()  # since when staff have one-time notifications switched off
    otn_off_by: str = word(64, default="", sa_column_kwargs={"server_default": ""})
    policy_action: str | None = word(default=None)  # the latest Meta said of it: warning, block, unblock, …
    policy_reason: str = Field(default="", sa_type=Text)
    policy_at: datetime | None = moment()
    policy_seen_at: datetime | None = moment()  # when staff said that they have read it
    policy_ruled_at: datetime | None = moment()  # the latest block or unblock: an older block is void
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)


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


class SetUpConfirmation(Table, table=True):
    """What a person said about the set-up: that something was done at Facebook, or that a problem is known
    and accepted."""

    __tablename__ = "set_up_mark"

    scope: str = word(64, primary_key=True)  # the page id of a fanpage; empty: the installation
    code: str = word(32, primary_key=True)  # core/fanpages/set_up_rules.py
    by: str = word(64)
    at: datetime = moment(nullable=False)


class FanpagePicture(Table, table=True):
    """A fanpage's own picture, small, and when it is fetched again: core/fanpages/pictures.py."""

    __tablename__ = "fanpage_picture"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    address: str = Field(default="", sa_type=Text)  # a data: address; empty: it has none
    due_at: datetime = moment(nullable=False)
