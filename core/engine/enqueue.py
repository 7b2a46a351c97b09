"""Tells the workers, in the transaction that makes the work, which fanpages have something to send.

On SQLite the tables are looked at several times a second and that is all. On PostgreSQL this defers a job on
the session's own connection: seen when the transaction commits, gone when it does not.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from core.database import is_sqlite

QUEUE = "sending"
TASK = "send_for_fanpage"

_WAITING = text(
    "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:locks)"
).bindparams(bindparam("locks", type_=ARRAY(String)))


def enqueue(db: Session, fanpage_ids: Collection[int]) -> int:
    """Wanted last in its transaction: others that defer for the same fanpage wait for its end."""
    if not fanpage_ids or is_sqlite(db):
        return 0
    db.flush()
    waiting = _waiting(db, fanpage_ids)
    return sum(_defer(db, each) for each in sorted(set(fanpage_ids)) if lock_of(each) not in waiting)


def _waiting(db: Session, fanpage_ids: Collection[int]) -> set[str]:
    """To be second costs more than to look."""
    return set(db.execute(_WAITING, {"locks": [lock_of(each) for each in fanpage_ids]}).scalars())


def lock_of(fanpage_id: int) -> str:
    """One job of a fanpage waits at most, and one runs."""
    return f"fanpage {fanpage_id}"


def _defer(db: Session, fanpage_id: int) -> int:
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

    lock = lock_of(fanpage_id)
    connection = db.connection().connection.driver_connection
    job = _app().configure_task(TASK, queue=QUEUE, lock=lock, queueing_lock=lock, connection=connection)
    try:
        with db.connection().begin_nested():  # a session's own would not yet have begun
            job.defer(fanpage_id=fanpage_id)
    except AlreadyEnqueued:
        return 0  # another transaction was quicker
    except ConnectorException as problem:  # in our own words: callers wait for what passes
        said = problem.__cause__ or problem
        raise OperationalError(TASK, None, said, hide_parameters=True) from problem
    return 1


@lru_cache
def _app() -> Any:
    """Only ever used with a session's own connection, so its connector is never opened."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())
