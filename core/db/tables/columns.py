"""What the tables are made of: their base, on a registry of its own, and the columns that many of them have.

A hot reload of these modules then starts clean. See docs/decisions/0003.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

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
NEVER_REUSED = {"sqlite_autoincrement": True}

BigId = BigInteger().with_variant(Integer, "sqlite")


def row_id() -> Any:
    """The number of a row, which is its key."""
    return Field(default=None, primary_key=True, sa_type=BigId)


def reference(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    """The number of a row of another table, as `broadcast.id`."""
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**default, foreign_key=target, sa_type=BigId, nullable=nullable, index=index)


def moment(*, nullable: bool = True, index: bool = False) -> Any:
    """An aware time in UTC."""
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**default, sa_type=UtcTime, nullable=nullable, index=index)


def word(size: int = 16, **more: Any) -> Any:
    """A text of at most so many characters."""
    return Field(sa_type=String(size), **more)
