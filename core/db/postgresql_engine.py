"""How PostgreSQL is reached: READ COMMITTED for writers, one snapshot for readers, and no endless wait."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from core.db.sqlite_engine import BUSY_TIMEOUT_SECONDS
from core.errors import N_, OperatorError

# No connection waits forever for a server that is gone.
_TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # ms
    "application_name": "notify-once",
}
# With the default, meant for spinning disks, the server reads all of a table of some ten thousand rows to
# find a few of them by their ids.
_ON_SOLID_DISKS = {"random_page_cost": "1.1"}
WRITER_SETTINGS = _ON_SOLID_DISKS | {
    "timezone": "UTC",
    "lock_timeout": f"{BUSY_TIMEOUT_SECONDS}s",
    "statement_timeout": "10min",
    # A process that stops in the middle of a transaction holds up the others no longer than this.
    "idle_in_transaction_session_timeout": "8s",
}
READER_SETTINGS = _ON_SOLID_DISKS | {
    "timezone": "UTC",
    "statement_timeout": "2min",
    "idle_in_transaction_session_timeout": "1min",
    "default_transaction_read_only": "on",
}
# SQLSTATEs of what passes by itself: the transaction was idle or took too long and was ended, or the server
# is read-only because another has taken over.
_PASSING_STATES = ("25P03", "25P04", "25006")


def connection_timeouts(url: str) -> dict[str, Any]:
    """How long a connection waits for its server. What the address itself names has priority."""
    named = make_url(url).query
    return {name: value for name, value in _TIMEOUTS.items() if name not in named}


def make_engine(url: str, *, writes: bool) -> Engine:
    """The engine of the server at this address. Raises OperatorError when its driver is not installed."""
    try:
        made = create_engine(
            url,
            hide_parameters=True,  # an error's text never shows what was bound
            connect_args=connection_timeouts(url),
            pool_pre_ping=True,
            # All that one `reading()` reads is of one snapshot, as on SQLite. To the level that the engine
            # names a connection goes back after `glancing()`; a setting of the session would be overruled.
            isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
            # No overflow: a connection made and thrown away each time costs more than to wait for one.
            pool_size=10,
            max_overflow=0,
            pool_timeout=60,
        )
    except ModuleNotFoundError as missing:
        raise OperatorError(
            N_(
                "OTN_DATABASE_URL names PostgreSQL, and {package} is not installed; run: "
                "pip install -r requirements-postgres.txt"
            ),
            package=missing.name,
        ) from missing
    session = WRITER_SETTINGS if writes else READER_SETTINGS

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in session.items()))
        connection.autocommit = False
        connection.adapters.register_dumper(str, _without_nul())

    @event.listens_for(made, "handle_error")
    def _name_trouble(context: ExceptionContext) -> None:
        """Raise as OperationalError what passes by itself; psycopg has other errors for some of that."""
        if getattr(context.original_exception, "sqlstate", None) in _PASSING_STATES:
            said = OperationalError(context.statement, None, context.original_exception, hide_parameters=True)
            raise said from context.original_exception

    return made


@lru_cache
def _without_nul() -> Any:
    """A psycopg dumper that leaves NUL out of texts, since PostgreSQL stores none."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "") if "\0" in obj else obj)

    return WithoutNul
