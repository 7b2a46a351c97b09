"""Keeps, for each fanpage that this process sends for, its connection to Messenger: the client that holds its
access token."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import structlog

from core.broadcasts.rules import BroadcastState
from core.db import row_locks
from core.db.engine import transaction, unless_locked, wait_for_locks
from core.encryption import CannotDecrypt
from core.errors import NotFound, WrongState
from core.messenger.client import Messenger
from core.sending.limits import fanpage_limits
from core.sending.rules import PATIENCE_OF_ALL

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3.0  # how soon a new access token is noticed

Found = Mapping[int, Messenger | Exception]  # no connection: the reason


class Connections:
    """The connections as `find` gave them. Only the sending loop looks them up, any thread may ask for it."""

    def __init__(self, find: Callable[[Collection[int]], Found], clock: Callable[[], datetime]) -> None:
        self._find = find
        self._clock = clock
        self._known: dict[int, Messenger | None] = {}  # also of those that have only calls under way
        self._current: set[int] = set()  # those that were looked up
        self._since = float("-inf")  # this monotonic time

    def of(self, fanpage_id: int) -> Messenger | None:
        """The fanpage's connection; None where nothing can leave; the log says why."""
        return self._known.get(fanpage_id)

    def look_up(self, fanpage_ids: Collection[int]) -> None:
        """Find the connections of these fanpages, each anew after three seconds. One without a usable access
        token is stopped."""
        if time.monotonic() - self._since >= EVERY_SECONDS:
            self._since, self._current = time.monotonic(), set()
        wanted = set(fanpage_ids) - self._current
        if wanted:
            found = self._find(wanted)
            self._known = {**self._known, **{each: self._usable(each, found[each]) for each in wanted}}
            self._current |= wanted

    def _usable(self, fanpage_id: int, connection: Messenger | Exception) -> Messenger | None:
        if not isinstance(connection, Exception):
            return connection
        problem = type(connection).__name__
        if isinstance(connection, NotFound | WrongState):
            log.warning("connection_not_usable", fanpage_id=fanpage_id, error=problem)
            self._stop(fanpage_id)
        elif isinstance(connection, CannotDecrypt):  # those who have the right key go on
            log.error("token_not_decrypted", fanpage_id=fanpage_id)
        else:  # of this installation, not of the fanpage, which goes on when it is put right
            log.error("connection_failed", fanpage_id=fanpage_id, error=problem)
        return None

    def _stop(self, fanpage_id: int) -> None:
        with unless_locked(), transaction() as db:  # what is just being changed is stopped next time
            wait_for_locks(db, PATIENCE_OF_ALL)
            row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)
            fanpage_limits.stop_fanpage(db, fanpage_id, "token_invalid", now=self._clock())
