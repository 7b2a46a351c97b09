"""A broadcast to send, and a loop that sends it to a platform in memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, scheduled_jobs
from core.broadcasts.queries import BroadcastView
from core.db.tables import Reply
from core.db.work_queue import SHARDS
from core.sending import claims
from core.sending.replies import claims as reply_claims
from core.settings import settings
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.arrange import Arrange
from tests.databases import TestDatabase
from tests.sending.platform import Platform
from tests.sending.simulated_shops import Shop, open_shop
from tests.sending.turn_loop import DrainedLoop


@dataclass
class Studio:
    """One fanpage, one topic, a platform, and a clock that only moves when told."""

    arrange: Arrange
    now: datetime
    call_threads: ThreadPoolExecutor
    platform: Platform = field(default_factory=Platform)
    loops: list[DrainedLoop] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fanpage_id = self.arrange.fanpage(rate=300)
        self.topic_id = self.arrange.topic(self.fanpage_id)

    def people(self, count: int) -> list[int]:
        return [self.opt_in(f"token-{n}") for n in range(count)]

    def opt_in(self, token: str, **more: object) -> int:
        customer_id = self.arrange.customer(self.fanpage_id)
        return self.arrange.opt_in(
            self.topic_id, customer_id, fanpage_id=self.fanpage_id, token=token, **more
        )

    def reply(self, body: dict | None = None) -> int:
        """One that waits for a customer whose window is open."""
        closes_at = self.now + timedelta(hours=20)
        customer_id = self.arrange.customer(self.fanpage_id, window_closes_at=closes_at)
        values = {"body": body or {"text": "x"}, "created_at": self.now}
        return self.arrange.save(Reply(fanpage_id=self.fanpage_id, customer_id=customer_id, **values))

    def broadcast(self, **times: datetime | None) -> int:
        content = {"kind": "text", "text": "Chào {{first_name|bạn}}, hàng mới đã về!"}
        return actions.create_broadcast(
            COMMAND_LINE, topic_id=self.topic_id, content=content, now=self.now, **times
        )

    def launch(self, broadcast_id: int, *, best_before: datetime | None = None) -> None:
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, best_before=best_before, now=self.now)
        scheduled_jobs.start_due(now=self.now)

    def loop(self, *, stop: threading.Event | None = None, worker: str = "worker a", **more) -> DrainedLoop:
        """A sending loop for all fanpages; its `drain` turns until nothing is left that may be sent now."""
        made = DrainedLoop(
            worker=worker,
            find_connections=more.pop("find_connections", lambda ids: dict.fromkeys(ids, self.platform)),
            call_threads=self.call_threads,
            stop=stop or threading.Event(),
            clock=lambda: self.now,
            **more,
        )
        for shard in range(SHARDS):
            made.take(shard, math.inf)
        self.loops.append(made)
        return made

    def close(self) -> None:
        for each in self.loops:
            each.close()
        self.loops.clear()

    def send_all(self, rounds: int = 12) -> None:
        """Send, let time pass beyond every wait, take over what was lost, again."""
        for _ in range(rounds):
            self.loop().drain()
            self.loops.pop().close()
            self.pass_time(seconds=90)

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)
        claims.take_over_lost(now=self.now)
        reply_claims.end_lost(now=self.now)
        scheduled_jobs.end_too_late(now=self.now)
        scheduled_jobs.finish_done(now=self.now)

    def show(self, broadcast_id: int) -> BroadcastView:
        return queries.get_broadcast(broadcast_id)


@pytest.fixture
def call_threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def studio(arrange: Arrange, now: datetime, call_threads: ThreadPoolExecutor) -> Iterator[Studio]:
    made = Studio(arrange, now, call_threads)
    yield made
    made.close()


@pytest.fixture
def opt_in_states() -> Callable[[], dict[str, int]]:
    from sqlalchemy import func, select
    from sqlmodel import col

    from core.db.engine import reading
    from core.db.tables import OptIn

    def count() -> dict[str, int]:
        with reading() as db:
            rows = db.execute(select(col(OptIn.state), func.count()).group_by(col(OptIn.state)))
            return dict(rows.all())

    return count


@pytest.fixture
def remote(fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorClient]:
    """The simulator, and this test's settings point at it."""
    with running_simulator(World()) as graph_url, SimulatorClient(graph_url) as remote:
        monkeypatch.setenv("OTN_GRAPH_URL", graph_url)
        settings.cache_clear()
        yield remote


@pytest.fixture
def shop(remote: SimulatorClient, tmp_path: Path) -> Shop:
    return open_shop(remote, tmp_path, "100000000000042", rate=300)
