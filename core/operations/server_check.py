"""Finds problems of the PostgreSQL server; on SQLite there are none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import text

from core.clock import utc_now
from core.db.engine import is_sqlite, reading

OLDEST = 14
CLOCKS_MAY_DIFFER = timedelta(seconds=2)
_ASKED = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS version, "
    "current_setting('server_encoding') AS encoding, "
    "pg_is_in_recovery() AS follows, "
    "current_setting('max_connections')::int AS connections, "
    "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used, "
    "clock_timestamp() AS clock"
)


def problems_of_server() -> Iterator[str]:
    """The problems of the server, each as a sentence that says what to do."""
    with reading() as db:
        if is_sqlite(db):
            return
        db.connection()  # before the clock is read: it takes a while
        before = utc_now()
        said = db.execute(_ASKED).one()
        after = utc_now()
    if said.version < OLDEST:
        yield f"This is PostgreSQL {said.version}; Notify Once needs {OLDEST} or newer."
    if said.encoding != "UTF8":
        yield f"The database is in {said.encoding}; make one with ENCODING 'UTF8', or Vietnamese is lost."
    if said.follows:
        yield "OTN_DATABASE_URL leads to a copy that only follows; name the server that takes writes."
    if said.used > 0.9 * said.connections:
        yield (
            f"{said.used} of PostgreSQL's {said.connections} connections are taken; raise max_connections, "
            "or run fewer processes."
        )
    yield from _clocks(said.clock, before, after)


def _clocks(theirs: datetime, before: datetime, after: datetime) -> Iterator[str]:
    off = max(before - theirs, theirs - after)
    if off > CLOCKS_MAY_DIFFER:
        yield (
            f"The clocks of this machine and of the database are {off.total_seconds():.0f} seconds apart; "
            "turn on time synchronisation on both."
        )
