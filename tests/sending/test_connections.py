"""Connections stay known while calls are under way; a token that is new is noticed."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace

import pytest

from core.errors import OperatorError
from core.sending.calls import connections as calls_connections
from core.sending.calls.connections import EVERY_SECONDS, Connections
from core.sending.limits import fanpage_limits
from tests.sending.conftest import Studio
from tests.sending.platform import Platform


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(calls_connections, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


class Switchboard:
    """Gives each fanpage a new connection whenever it is asked."""

    def __init__(self) -> None:
        self.asked: list[set[int]] = []

    def find(self, ids: Collection[int]) -> dict[int, Platform]:
        self.asked.append(set(ids))
        return {each: Platform() for each in ids}


def test_one_whose_last_message_is_claimed_keeps_its_connection_when_the_others_get_theirs_anew(
    studio: Studio, clock: Clock
) -> None:
    board = Switchboard()
    made = Connections(board.find, lambda: studio.now)
    made.look_up([1, 2])
    waits, goes_on = made.of(1), made.of(2)
    clock.now += EVERY_SECONDS
    made.look_up([2])
    assert (made.of(1) is waits, made.of(2) is goes_on) == (True, False)
    made.look_up([1, 2])  # it is back with something to send: its token may be new
    assert made.of(1) is not waits
    made.look_up([1, 2])
    assert board.asked == [{1, 2}, {2}, {1}]


def test_what_is_wrong_with_this_installation_stops_no_fanpage(
    studio: Studio, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanpage_limits, "stop_fanpage", lambda *_, **__: pytest.fail("stopped"))
    found = {1: OperatorError("The file is empty."), 2: PermissionError(), 3: Platform()}
    made = Connections(lambda ids: found, lambda: studio.now)
    made.look_up([1, 2, 3])
    assert [made.of(each) for each in (1, 2, 3)] == [None, None, found[3]]
