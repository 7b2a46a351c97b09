"""Tells the workers, in the transaction that makes the work, which fanpages have something to send.

On SQLite there is no queue: the one process reads the tables several times a second. On PostgreSQL this
defers a slice (slices.py) on the session's own connection, so that the slice exists if the transaction
commits, and does not if it is rolled back.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from core.db.engine import is_sqlite

QUEUE = "slices"
TASK = "send_for_shard"
SHARDS = 32  # into so many parts the fanpages are divided, for worker processes to share

_WAITING = text(
    "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:locks)"
).bindparams(bindparam("locks", type_=ARRAY(String)))


def enqueue(db: Session, fanpage_ids: Collection[int]) -> int:
    """Defer a slice for each shard of these fanpages that needs one, and return how many were deferred.

    A shard whose slice is waiting needs none; one whose slice is running does, for that slice may be about to
    end. To be called last in a transaction: others that defer for the same shard wait until it ends. Raises
    OperationalError when the database fails.
    """
    if not fanpage_ids or is_sqlite(db):
        return 0
    db.flush()
    shards = {shard_of(fanpage_id) for fanpage_id in fanpage_ids}
    waiting = waiting_locks(db, shards)
    return sum(_defer(db, shard) for shard in sorted(shards) if lock_of(shard) not in waiting)


def shard_of(fanpage_id: int) -> int:
    """The shard that a fanpage belongs to, 0 to 31."""
    return fanpage_id % SHARDS


def lock_of(shard: int) -> str:
    """The lock of a shard in the queue: at most one slice of the shard runs, and at most one waits."""
    return f"shard {shard}"


def slice_job(app: Any, shard: int, **more: Any) -> Any:
    """The job that defers a slice of the shard when its `defer` is called; `more` goes to Procrastinate."""
    lock = lock_of(shard)
    return app.configure_task(
        TASK, queue=QUEUE, lock=lock, queueing_lock=lock, task_kwargs={"shard": shard}, **more
    )


def waiting_locks(db: Session, shards: Collection[int]) -> set[str]:
    """The locks of shards whose slice is waiting. Asking first is cheaper than a savepoint that fails."""
    return set(db.execute(_WAITING, {"locks": [lock_of(shard) for shard in shards]}).scalars())


def _defer(db: Session, shard: int) -> int:
    """Defer a slice of the shard within a savepoint. Returns 0 if another transaction was quicker, else 1."""
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

    job = slice_job(_app(), shard, connection=db.connection().connection.driver_connection)
    try:
        with (
            db.connection().begin_nested()
        ):  # the session's own savepoint begins only with its next statement
            job.defer()
    except AlreadyEnqueued:
        return 0
    except ConnectorException as problem:  # callers know SQLAlchemy's errors, and wait for what passes
        said = problem.__cause__ or problem
        raise OperationalError(TASK, None, said, hide_parameters=True) from problem
    return 1


@lru_cache
def _app() -> Any:
    """The application that defers; always on a session's own connection, so its connector stays closed."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())
