"""A real PostgreSQL for moves, and an installation worth moving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.db import migrations
from core.db.engine import forget_engines
from core.inbox import processing
from core.moving.move import Move, MoveResult
from core.settings import settings
from tests.databases import PostgresqlServer, TestDatabase


@pytest.fixture
def empty(postgresql_server: PostgresqlServer, tmp_path: Path) -> Iterator[str]:
    """The address of a new database without any table."""
    made = postgresql_server.blank(tmp_path)
    yield made.url
    forget_engines()
    postgresql_server.done(made)


@pytest.fixture
def there(fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """`with there(address):` – this process works on that database."""

    @contextmanager
    def use(address: str) -> Iterator[None]:
        forget_engines()
        with monkeypatch.context() as patch:
            patch.setenv("OTN_DATABASE_URL", address)
            settings.cache_clear()
            yield
            forget_engines()
        settings.cache_clear()

    return use


@pytest.fixture
def new(empty: str, there) -> str:
    """The address of an empty, freshly migrated database."""
    with there(empty):
        migrations.upgrade()
    return empty


@pytest.fixture
def move(tmp_path: Path) -> Callable[..., MoveResult]:
    def run(address: str, *, wait_seconds: float = 30.0) -> MoveResult:
        return Move(
            COMMAND_LINE, address, clock=utc_now, say=lambda _text: None, wait_seconds=wait_seconds
        ).run()

    return run


@pytest.fixture
def shop(arrange) -> dict[str, int]:
    """A little of everything, with what databases keep differently: marks, tabs, NULs, floats, no times."""
    from core.broadcasts import actions, scheduled_jobs
    from core.consent.rules import OptInState
    from core.db.tables import Block, Message
    from core.inbox.event_parser import NewEvent

    now = utc_now()
    fanpage_id = arrange.fanpage("Tiệm\t\"Hoa\" Mai\\n\n'x' 🌸", rate=300)
    topic_id = arrange.topic(fanpage_id)
    people = [arrange.customer(fanpage_id, name) for name in ("Lan", "N\0ul", "\\N", "", "Đ" * 100)]
    opt_ins = [
        arrange.opt_in(topic_id, person, fanpage_id=fanpage_id, consented_at=now - timedelta(days=3))
        for person in people
    ]
    arrange.opt_in(topic_id, people[0], fanpage_id=fanpage_id, state=OptInState.SPENT, settled_at=now)
    message_id = arrange.save(
        Message(fanpage_id=fanpage_id, name="Chào", published=1, created_at=now, updated_at=now)
    )
    arrange.save(Block(message_id=message_id, position=1, kind="text", content={"text": "Chào 🌸\n\0"}))
    kept = [NewEvent("1", "message", f"key {n}", now, now, '{"a":"\\u0000ok"}', "25") for n in range(3)]
    processing.store_events(kept)
    content = {"kind": "text", "text": "Đã về!"}
    sending = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    actions.schedule(COMMAND_LINE, sending, at=None, now=now)
    scheduled_jobs.start_due(now=now)
    draft = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    return {
        "fanpage": fanpage_id,
        "topic": topic_id,
        "sending": sending,
        "draft": draft,
        "opt_in": opt_ins[0],
    }
