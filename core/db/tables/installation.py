"""What there is once in an installation: its processes, its keys, its backups."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, Text
from sqlmodel import Field

from core.db.tables.columns import Table, moment, row_id, word


class Heartbeat(Table, table=True):
    """The latest heartbeat of each worker and webhook server."""

    __tablename__ = "heartbeat"

    process: str = word(120, primary_key=True)  # "worker host:pid"
    at: datetime = moment(nullable=False)
    started_at: datetime = moment(nullable=False)
    mixed_refused_at: datetime | None = moment()  # this heartbeat's time while it keeps fanpages apart (0039)


class Hold(Table, table=True):
    """At most one row: why nothing may leave this database. See core/db/holding.py."""

    __tablename__ = "hold"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    code: str = word()
    # The database at the other end of a move, without its password; or who stopped all sending
    place: str = word(300, default="")
    key: str = word(32, default="")  # the same on both ends of one move
    at: datetime = moment(nullable=False)


class InstallationCheck(Table, table=True):
    """What was found when something was checked last that is the same for all fanpages."""

    __tablename__ = "installation_check"

    name: str = word(32, primary_key=True)  # core/fanpages/set_up_rules.py
    value: str = Field(default="", sa_type=Text)  # the address that staff entered to be checked
    code: str | None = word(32, default=None)  # what is wrong; None: nothing
    checked_at: datetime | None = moment()


class KeyCheck(Table, table=True):
    """At most one row: by this hash a process knows the installation's key; see key_check.py."""

    __tablename__ = "key_check"

    id: int = Field(primary_key=True, sa_type=Integer)  # always 1
    hash: str = word(64)


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

    id: int | None = row_id()
    made_at: datetime = moment(nullable=False, index=True)
    place: str = word(200, default="")  # the name of its file
    bytes: int = Field(default=0, sa_type=BigInteger)
    opt_ins: int = Field(default=0, sa_type=BigInteger)
    problem: str | None = word(300, default=None)  # why it could not be made
