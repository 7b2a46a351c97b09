"""Alembic's environment: our engine, our tables, batch mode for SQLite."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from core.db.engine import engine
from core.db.tables import Table, UtcTime


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations must not change when our own column type does: render what the database keeps."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The queue's tables come by their own SQL: versions/0003."""
    return kind != "table" or not str(name).startswith("procrastinate_")


ONE_AT_A_TIME = """
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL lock_timeout = '5min'; SELECT pg_advisory_xact_lock(7236002)"""


def _run(connection: Connection) -> None:
    """Apply what is missing in the connection's transaction, which already keeps other processes out."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(ONE_AT_A_TIME)
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=_render,
        include_name=_is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_alone() -> None:
    """Alembic would commit after each migration on SQLite and read the revision without a lock: of two
    processes that start at once, one would make a table that the other has just made. So the transaction is
    ours: on SQLite it begins with the write lock.
    """
    with (context.config.attributes.get("engine") or engine()).connect() as own:
        raw = own.connection.driver_connection if own.dialect.name == "sqlite" else None
        if raw is not None:  # a table is made anew to change it: what refers to the old one must not mind
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with own.begin():
                _run(own)
        finally:
            if raw is not None:
                raw.execute("PRAGMA foreign_keys=ON")


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    _run_alone()
