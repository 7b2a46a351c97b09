"""Those who work with the panel, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint, false
from sqlmodel import Field

from core.db.tables.columns import BigId, Table, moment, reference, row_id, word


class Operator(Table, table=True):
    __tablename__ = "operator"
    __table_args__ = (UniqueConstraint("sso_issuer", "sso_subject"),)

    id: int | None = row_id()
    name: str = word(64, unique=True)  # lower case
    password_hash: str | None = word(100, default=None)  # none: by single sign-on
    sso_issuer: str | None = word(255, default=None)  # the OpenID provider that says who they are
    sso_subject: str | None = word(255, default=None)  # who they are there, for ever
    sso_name: str | None = word(64, default=None)  # what they were called there when they last came
    role: str = word()
    language: str | None = word(8, default=None)
    must_change_password: bool = False
    password_expires_at: datetime | None = moment()  # of one that somebody else has made
    totp_sealed: str | None = Field(default=None, sa_type=Text)  # the secret of the second factor
    totp_step: int | None = Field(default=None, sa_type=BigId)  # the last code that was taken
    may_export: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # a viewer's
    # The fanpages that an operator may see and change; none: all of them, also those connected later
    fanpage_ids: list[int] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    sessions_valid_after: datetime = moment(nullable=False)  # cookies made before are refused
    disabled_at: datetime | None = moment()
    last_seen_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)


class ListColumns(Table, table=True):
    """Which columns of a list an operator wants to see: core/accounts/list_columns.py."""

    __tablename__ = "list_columns"

    operator_id: int = Field(primary_key=True, foreign_key="operator.id", sa_type=BigId)
    list_name: str = word(32, primary_key=True)
    columns: list[str] = Field(default_factory=list, sa_type=JSON)


class OperatorSession(Table, table=True):
    """A browser in which an operator has signed in. Its cookie holds the key, this row the key's hash."""

    __tablename__ = "operator_session"

    id: int | None = row_id()
    operator_id: int = reference("operator.id", index=True)
    key_hash: str = word(64, unique=True)  # of the ticket, until the browser has traded it for a key
    is_kept: bool = False  # whether the ticket has been traded
    signed_in_at: datetime = moment(nullable=False, index=True)
    last_seen_at: datetime = moment(nullable=False)
    ended_at: datetime | None = moment()
    address: str = word(64, default="")
    browser: str = word(80, default="")


class SignInAttempt(Table, table=True):
    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_name_at", "name", "at"),)

    id: int | None = row_id()
    name: str = word(64)
    address: str = word(64, default="")
    at: datetime = moment(nullable=False, index=True)


class Activity(Table, table=True):
    """Who did what: written in the same transaction as the action."""

    __tablename__ = "activity"

    id: int | None = row_id()
    at: datetime = moment(nullable=False, index=True)
    actor: str = word(64)
    verb: str = word(48)  # "broadcast.launch"
    fanpage_id: int | None = reference("fanpage.id", nullable=True, index=True)
    subject_id: int | None = Field(default=None, sa_type=BigId)
    subject: str = word(200, default="")  # its name at the time
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    address: str = word(64, default="")  # from where; empty for this machine
    session_id: int | None = Field(default=None, sa_type=BigId)  # in which session; the row may be gone
