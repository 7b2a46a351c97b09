"""Events that come in by the wire format and are applied."""

from __future__ import annotations

import pytest

from core.inbox import processing
from tests.inbox.platform import PAGE, read


@pytest.fixture
def fanpage(arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


@pytest.fixture
def receive(fresh_database, now):
    """Stores events and applies all that waits."""

    def _receive(*events, at=now, page_id=PAGE, channel="messaging") -> int:
        new = processing.store_events(read(*events, received_at=at, page_id=page_id, channel=channel))
        while processing.apply_pending(limit=500, now=at):
            pass
        return new

    return _receive
