"""On SQLite one process sends for everything, and there is no queue."""

from __future__ import annotations

import math

import pytest

from core.clock import utc_now
from core.db.work_queue import SHARDS, shard_of
from core.sending.sharing.assignment import SoleAssignment, assignment_for
from tests.databases import TestDatabase


class Times(dict[int, float]):
    """Until when each shard may be sent for."""

    def take(self, shard: int, until: float) -> None:
        self[shard] = until

    def give_up(self, shard: int) -> None:
        del self[shard]

    def has_work(self, shard: int) -> bool:
        return True


@pytest.mark.sqlite
def test_on_sqlite_this_process_sends_for_every_fanpage_for_as_long_as_it_runs(
    fresh_database: TestDatabase,
) -> None:
    times = Times()
    assignment = assignment_for(times, lambda: False)
    assert isinstance(assignment, SoleAssignment)
    assert not assignment.is_shared
    assignment.start()
    assignment.defer_missing(utc_now())
    assert times == {shard_of(fanpage_id): math.inf for fanpage_id in range(1, SHARDS + 1)}
    assignment.stop()
    assignment.wait(1)
    assert times == {}


@pytest.mark.postgresql
def test_on_postgresql_it_shares_with_others(fresh_database: TestDatabase) -> None:
    assert assignment_for(Times(), lambda: True).is_shared
