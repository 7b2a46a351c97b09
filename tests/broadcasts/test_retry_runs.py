"""A second run beside other broadcasts, and after the best-before."""

from __future__ import annotations

from datetime import timedelta

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import retry, retry_queries, scheduled_jobs
from core.broadcasts.delivery_queries import list_deliveries
from core.db.engine import transaction
from core.db.tables import Delivery
from core.messenger.errors import Failure, NextStep
from tests.sending.conftest import Studio

CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)


def test_an_opt_in_that_another_broadcast_holds_by_now_is_not_retried(studio: Studio, opt_in_states) -> None:
    studio.people(2)
    studio.platform.fault = lambda token, nth: CONTENT
    first = studio.broadcast()
    studio.launch(first)
    studio.send_all(rounds=1)
    assert studio.show(first).counts["failed"] == 2
    second = studio.broadcast()
    studio.launch(second)  # holds both opt-ins again
    assert retry.retry_failed(COMMAND_LINE, first, now=studio.now) == 0
    assert retry_queries.retry_chances(first, now=studio.now).failed == 0
    assert (studio.show(first).state, opt_in_states()) == ("finished", {"reserved": 2})


def test_a_doubt_can_be_tried_again_after_the_best_before_with_a_new_one(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(hours=1))
    with transaction() as db:
        delivery = db.get(Delivery, list_deliveries(broadcast_id)[0].id)
        delivery.state, delivery.in_doubt = "unknown", True
    scheduled_jobs.finish_done(now=studio.now)
    late = studio.now + timedelta(hours=2)
    again = late + timedelta(hours=12)
    assert retry.try_again(COMMAND_LINE, broadcast_id, best_before=again, now=late) == 1
    assert (studio.show(broadcast_id).state, studio.show(broadcast_id).best_before) == ("sending", again)
