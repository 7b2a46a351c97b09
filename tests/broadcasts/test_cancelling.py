"""Cancelling stops at once, however many are still to be ended; those end with it, or soon after."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, retry, scheduled_jobs
from core.deliveries import closing
from core.sending import claims
from tests import claiming
from tests.sending.conftest import Studio


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch):
    """The database goes away when a cancelled broadcast's deliveries are to be ended."""

    def _cancel(studio: Studio, broadcast_id: int) -> None:
        def gone(*_: object) -> int:
            raise OperationalError("UPDATE", {}, Exception("the connection is closed"))

        with monkeypatch.context() as patch:
            patch.setattr(closing, "end_cancelled", gone)
            assert actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now) == "cancelled"

    return _cancel


@pytest.fixture
def launched(studio: Studio) -> int:
    studio.people(20)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


def test_nothing_is_claimed_any_more_before_the_rest_has_ended(studio, launched, cut_short) -> None:
    cut_short(studio, launched)
    assert claiming.claim(launched, 5, worker="worker a", now=studio.now) == []


def test_what_was_cut_short_is_swept_up(studio, launched, cut_short, opt_in_states) -> None:
    cut_short(studio, launched)
    assert studio.show(launched).counts["queued"] == 20
    scheduled_jobs.sweep(now=studio.now)
    shown = studio.show(launched)
    assert (shown.counts["cancelled"], shown.counts["queued"], shown.balances) == (20, 0, True)
    assert set(opt_in_states()) == {"available"}


def test_what_comes_back_from_a_worker_ends_and_the_rest_is_swept_up(studio, launched, cut_short) -> None:
    """The loop, which hands back for all fanpages, does not stop for the rest of one large broadcast."""
    held = claiming.claim(launched, 5, worker="worker a", now=studio.now)
    cut_short(studio, launched)
    claims.hand_back(held, worker="worker a", now=studio.now)
    assert studio.show(launched).counts["cancelled"] == 5
    scheduled_jobs.sweep(now=studio.now)
    assert studio.show(launched).counts["cancelled"] == 20


def test_trying_again_what_is_in_doubt_does_not_send_the_rest_along(studio, cut_short) -> None:
    studio.people(10)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    assert len(claiming.claim(broadcast_id, 2, worker="worker a", now=studio.now)) == 2
    claims.take_over_lost(now=studio.now + timedelta(minutes=2))  # two in doubt, queued again
    cut_short(studio, broadcast_id)
    assert studio.show(broadcast_id).counts["queued"] == 10

    assert retry.try_again(COMMAND_LINE, broadcast_id, now=studio.now) == 2

    counts = studio.show(broadcast_id).counts
    assert (counts["queued"], counts["cancelled"]) == (2, 8)


def test_how_many_were_given_back_is_on_record(studio, launched, fresh_database) -> None:
    actions.cancel(COMMAND_LINE, launched, now=studio.now)
    (detail,) = fresh_database.rows("SELECT detail FROM activity WHERE verb = 'broadcast.cancel'")
    assert '"returned": 20' in str(detail[0]).replace("'", '"')
