"""Two real workers through a storm of faults, one killed again and again: no token lost or doubled."""

from __future__ import annotations

import random
from contextlib import ExitStack

import pytest

from core.broadcasts.delivery_queries import list_deliveries
from core.deliveries.attempts import attempts_of
from tests.processes import until
from tests.sending.flaky_network import PASS, RESET_AFTER, RESET_BEFORE, flaky_network
from tests.sending.simulated_shops import Shop, assert_books_agree

PEOPLE, KILLS = 300, 3
FAULTS = (
    "http_500_before",
    "http_500_after",
    "html_502_after",
    "bad_json",
    "drop_after",
    "batch_1357046",
    "batch_null_after",
    "batch_short",
    "message_500_after",
    "unknown_1",
    "temporary",
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [11])
def test_killed_again_and_again_in_a_storm_nothing_is_lost_or_doubled(shop: Shop, seed: int) -> None:
    dice = random.Random(seed)
    fates = [PASS] * 20 + [RESET_BEFORE, RESET_AFTER]
    with flaky_network(shop.remote.base_url) as way, ExitStack() as running:
        way.fate = lambda: dice.choice(fates)
        for name in FAULTS:
            shop.remote.fault(name, share=0.02)
        shop.remote.fault("rate_613", count=1, after=50)
        shop.remote.fault("latency", share=0.5, value=0.1)
        shop.opt_in(PEOPLE)
        broadcast_id = shop.launch()
        elder = running.enter_context(shop.worker("worker 0", OTN_GRAPH_URL=way.url))
        for kill in range(1, KILLS + 1):
            younger = running.enter_context(shop.worker(f"worker {kill}", OTN_GRAPH_URL=way.url))
            enough = min(len(shop.accepted()) + dice.randrange(20, 60), PEOPLE * 9 // 10)
            until(lambda enough=enough: len(shop.accepted()) >= enough, what=f"{enough} are taken")
            elder.kill()
            elder.wait()
            elder = younger
        shop.remote.end_faults()
        way.fate = lambda: PASS
        until(lambda: shop.is_over(broadcast_id), seconds=150, what="the broadcast finished")
    assert_books_agree(shop, broadcast_id, PEOPLE)
    doubtful = [d for d in list_deliveries(broadcast_id, limit=PEOPLE) if d.evidence]
    assert doubtful, "the storm was felt"
    assert all(attempts_of([d.id]) for d in doubtful[:20])
