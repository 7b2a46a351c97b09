"""The real worker in a process of its own, against the simulator over HTTP: killed, stopped, doubled."""

from __future__ import annotations

import signal

from core.broadcasts import queries
from tests.processes import until
from tests.sending.simulated_shops import Shop, assert_books_agree


def test_killed_in_the_middle_it_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    people = 400
    shop.opt_in(people)
    broadcast_id = shop.launch()
    for enough in (80, 160):
        with shop.worker() as worker:
            until(lambda enough=enough: len(shop.accepted()) > enough, what="some are sent")
            worker.kill()
            worker.wait()
    with shop.worker():
        until(lambda: shop.is_over(broadcast_id), seconds=90, what="the broadcast finished")
    assert_books_agree(shop, broadcast_id, people)


def test_two_workers_at_once_do_no_harm(shop: Shop) -> None:
    shop.opt_in(300)
    broadcast_id = shop.launch()
    with shop.worker("one"), shop.worker("two"):
        until(lambda: shop.is_over(broadcast_id), what="the broadcast finished")
    assert_books_agree(shop, broadcast_id, 300)


def test_sigterm_ends_it_cleanly_and_leaves_nothing_in_doubt(shop: Shop) -> None:
    shop.opt_in(900)
    broadcast_id = shop.launch()
    with shop.worker() as worker:
        until(lambda: len(shop.accepted()) > 60, what="some are sent")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    shown = queries.get_broadcast(broadcast_id)
    assert (shown.counts["sending"], shown.in_doubt) == (0, 0)
    assert shown.counts["sent"] == len(shop.accepted())
    assert shown.counts["sent"] + shown.counts["queued"] == 900
