"""The clock's actions for broadcasts run only when they are due, and none of them twice at once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.broadcasts.due import Due
from core.db.engine import is_sqlite, transaction
from core.db.tables import RecentOutcomes
from core.deliveries.recent_outcomes import Scope
from core.sending.due_actions import DueActions, ThreadedAction, never_failing
from tests.processes import until
from tests.sending.conftest import Studio


def due_actions(studio: Studio, on_start=lambda: None) -> DueActions:
    return DueActions(lambda: studio.now, threading.Event(), start_at_once=1, on_start=on_start)


def test_what_is_due_is_started_and_said(studio: Studio) -> None:
    started = threading.Event()
    mine = due_actions(studio, started.set)
    studio.people(2)
    broadcast_id = studio.broadcast()
    mine.begin_due()
    assert not started.is_set()
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, best_before=None, now=studio.now)
    mine.begin_due({Due.FINISH})
    assert studio.show(broadcast_id).state == "scheduled"
    mine.begin_due()
    assert started.wait(20)
    assert studio.show(broadcast_id).state == "sending"


def test_what_has_sent_all_is_finished(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.loop().drain()
    due_actions(studio).begin_due()
    until(lambda: studio.show(broadcast_id).state == "finished", what="it is finished")


def test_with_nothing_due_no_action_runs(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for name in ("start_due", "end_too_late", "finish_done"):
        monkeypatch.setattr(scheduled_jobs, name, lambda *, now, name=name: ran.append(name))
    due_actions(studio).begin_due()
    assert ran == []


def test_an_action_that_is_under_way_does_not_begin_again() -> None:
    began, go_on = threading.Semaphore(0), threading.Event()

    def action() -> None:
        began.release()
        go_on.wait(20)

    mine = ThreadedAction(action)
    mine.begin()
    assert began.acquire(timeout=20)
    mine.begin()
    assert not began.acquire(blocking=False)
    go_on.set()
    until(lambda: (mine.begin(), began.acquire(blocking=False))[1], what="it begins again")


def test_an_action_rests_between_two_runs() -> None:
    ran: list[int] = []
    mine = ThreadedAction(lambda: ran.append(1), at_once=2, every=3600.0)
    mine.begin()
    mine.begin()
    until(lambda: ran, what="it ran")
    assert ran == [1]


def test_an_action_begins_again_after_no_thread_was_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    ran = threading.Event()
    mine = ThreadedAction(ran.set, every=3600.0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread_left)
        mine.begin()
    mine.begin()
    assert ran.wait(20)


def test_a_look_that_fails_stops_nothing(studio: Studio) -> None:
    studio.people(2)
    judged = studio.broadcast()
    studio.launch(judged)
    with transaction() as db:
        db.add(RecentOutcomes(scope=Scope.BROADCAST, ref_id=judged, outcomes=1, refusals=[]))
        db.flush()
        damaged = "nonsense" if is_sqlite(db) else "null"
        db.execute(text(f"UPDATE recent_outcomes SET refusals = '{damaged}'"))
    started = threading.Event()
    actions.schedule(COMMAND_LINE, studio.broadcast(), at=None, best_before=None, now=studio.now)
    due_actions(studio, started.set).begin_due()
    assert started.wait(20)


def test_what_fails_is_logged_and_never_raised() -> None:
    def action() -> None:
        raise RuntimeError("made up")

    with capture_logs() as logged:
        never_failing(action)()
    assert [(line["event"], line["action"]) for line in logged] == [("action_failed", "action")]
