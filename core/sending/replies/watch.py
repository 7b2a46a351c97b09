"""Notices within a tenth of a second that the bot has something to answer, so that it need not wait for
the next work snapshot. The webhook server, which queues replies, is another process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from functools import cache

import structlog
from sqlalchemy import BigInteger, bindparam, func, select
from sqlmodel import col

from core.db import bulk
from core.db.engine import DATABASE_TROUBLE, glancing
from core.db.tables import Reply

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.1
TROUBLE_SECONDS = 1.0


class ReplyWatch:
    """Calls `on_queued` with the fanpages for which replies were queued since it last looked.

    One that it misses, because a lower number was committed after a higher one, the next work snapshot has.
    """

    def __init__(self, on_queued: Callable[[Collection[int]], None]) -> None:
        self._on_queued = on_queued
        self._newest: int | None = None  # the highest id that it has seen

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        pause = LOOK_SECONDS
        while not stop.wait(pause):
            pause = LOOK_SECONDS
            try:
                self.look()
            except DATABASE_TROUBLE:  # the sending loop says so
                pause = TROUBLE_SECONDS
            except Exception:
                log.exception("reply_watch_failed")
                pause = TROUBLE_SECONDS

    def look(self) -> None:
        """Look once. The first look only learns where the replies stand."""
        with glancing() as db:
            if self._newest is None:
                self._newest = db.execute(select(func.max(col(Reply.id)))).scalar_one() or 0
                return
            found = _newer().fetch(db, {"newest": self._newest})
        if found:
            self._newest = max(reply_id for reply_id, _ in found)
            self._on_queued({fanpage_id for _, fanpage_id in found})


@cache
def _newer() -> bulk.CompiledQuery:
    """Compiled once: ten times a second, that costs more than to run it."""
    newest = bindparam("newest", type_=BigInteger())
    found = select(col(Reply.id), col(Reply.fanpage_id)).where(col(Reply.id) > newest)
    return bulk.CompiledQuery(found)
