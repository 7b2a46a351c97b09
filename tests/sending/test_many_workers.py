"""Three real workers on one PostgreSQL, against the simulator: killed, paused, ended, cut off."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen

import pytest
from sqlalchemy import make_url

from core.broadcasts import queries
from core.simulator.control_client import SimulatorClient
from tests.databases import TestDatabase
from tests.processes import until
from tests.sending.frozen_connection import FrozenConnection
from tests.sending.simulated_shops import Shop, assert_books_agree, open_shop

pytestmark = pytest.mark.postgresql

RATE, PEOPLE = 60, 400
_DOING = "SELECT worker_id, (args->>'shard')::int FROM procrastinate_jobs WHERE status = 'doing'"


@pytest.fixture
def shops(remote: SimulatorClient, tmp_path: Path) -> list[Shop]:
    made = [open_shop(remote, tmp_path, f"10000000000000{n}", rate=RATE) for n in range(3)]
    for shop in made:
        shop.opt_in(PEOPLE)
    return made


@pytest.fixture
def doing(fresh_database: TestDatabase) -> Callable[[], dict[int, set[int]]]:
    """The shards that each worker sends for, by its number in the queue; here each fanpage has its own."""

    def look() -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for worker_id, shard in fresh_database.rows(_DOING):
            found.setdefault(worker_id, set()).add(shard)
        return found

    return look


def started(stack: ExitStack, shop: Shop, database: TestDatabase, *names: str) -> list[Popen]:
    there = database.count("procrastinate_workers")
    made = [stack.enter_context(shop.worker(name)) for name in names]
    until(lambda: database.count("procrastinate_workers") == there + len(names), what="all of them take jobs")
    return made


def all_over(shops: list[Shop], broadcasts: list[int]) -> Callable[[], bool]:
    return lambda: all(shop.is_over(broadcast) for shop, broadcast in zip(shops, broadcasts, strict=True))


def test_a_killed_and_a_paused_workers_fanpages_are_taken_over_and_waking_up_does_no_harm(
    shops: list[Shop], doing, fresh_database: TestDatabase
) -> None:
    with ExitStack() as stack:
        workers = started(stack, shops[0], fresh_database, "one", "two", "three")
        broadcasts = [shop.launch() for shop in shops]
        until(lambda: all(len(s.accepted()) > 20 for s in shops), what="each sends")
        workers[0].kill()
        workers[1].send_signal(signal.SIGSTOP)
        try:
            until(all_over(shops, broadcasts), seconds=90, what="the third takes over")
        finally:
            workers[1].send_signal(signal.SIGCONT)
        more = [shop.launch() for shop in shops if not shop.opt_in(30)]
        until(all_over(shops, more), seconds=90, what="both of them send")
    for shop, broadcast in zip(shops, broadcasts, strict=True):
        assert_books_agree(shop, broadcast, PEOPLE, accepted=PEOPLE + 30)


def test_a_worker_that_ends_hands_back_and_the_others_go_on_without_a_doubt(
    shops: list[Shop], doing, fresh_database: TestDatabase
) -> None:
    with ExitStack() as stack:
        workers = started(stack, shops[0], fresh_database, "one", "two")
        broadcasts = [shop.launch() for shop in shops]
        until(lambda: all(len(s.accepted()) > 20 for s in shops), what="each sends")
        workers[0].send_signal(signal.SIGTERM)
        assert workers[0].wait(timeout=30) == 0
        assert len(doing()) <= 1
        until(all_over(shops, broadcasts), seconds=90, what="the broadcasts finished")
    for shop, broadcast in zip(shops, broadcasts, strict=True):
        assert_books_agree(shop, broadcast, PEOPLE)
        assert queries.get_broadcast(broadcast).reasons == {}
    assert fresh_database.rows("SELECT count(*) FROM delivery WHERE in_doubt OR attempt > 2") == [(0,)]


def test_a_worker_that_joins_gets_its_share(shops: list[Shop], doing, fresh_database: TestDatabase) -> None:
    with ExitStack() as stack:
        fresh_database.run("UPDATE fanpage SET rate = 10")
        started(stack, shops[0], fresh_database, "one")
        broadcasts = [shop.launch() for shop in shops]
        until(lambda: [len(each) for each in doing().values()] == [3], what="one sends for all")
        stack.enter_context(shops[0].worker("two"))
        until(lambda: {len(each) for each in doing().values()} == {1, 2}, what="they share")
        fresh_database.run("UPDATE fanpage SET rate = 300")
        until(all_over(shops, broadcasts), seconds=90, what="the broadcasts finished")
    for shop, broadcast in zip(shops, broadcasts, strict=True):
        assert_books_agree(shop, broadcast, PEOPLE)


def test_several_clocks_start_each_broadcast_once(shops: list[Shop], fresh_database: TestDatabase) -> None:
    with ExitStack() as stack:
        started(stack, shops[0], fresh_database, "one", "two", "three")
        due = [shop.launch() for shop in shops for _ in range(4)]  # the first of a shop gets everybody
        until(
            lambda: all(queries.get_broadcast(broadcast).state == "finished" for broadcast in due),
            seconds=90,
            what="the broadcasts finished",
        )
    starts = fresh_database.rows(
        "SELECT subject_id, count(*) FROM activity WHERE verb = 'broadcast.start' GROUP BY subject_id"
    )
    assert sorted(starts) == [(broadcast, 1) for broadcast in sorted(due)]
    assert sum(queries.get_broadcast(broadcast).counts["sent"] for broadcast in due) == 3 * PEOPLE
    for shop in shops:
        accepted = shop.accepted()
        assert len(accepted) == len(set(accepted)) == PEOPLE


def test_a_worker_cut_off_from_the_database_sends_nothing_more_and_others_take_over(
    shops: list[Shop], doing, fresh_database: TestDatabase, tmp_path: Path
) -> None:
    server = Path(str(make_url(fresh_database.url).query["host"]))
    with ExitStack() as stack, FrozenConnection(server) as connection:
        address = make_url(fresh_database.url).update_query_dict({"host": str(connection.folder)})
        url = address.render_as_string(hide_password=False)
        stack.enter_context(shops[0].worker("cut off", OTN_DATABASE_URL=url))
        broadcasts = [shop.launch() for shop in shops]
        until(lambda: all(len(s.accepted()) > 20 for s in shops), what="it sends")
        connection.freeze()
        stack.enter_context(shops[0].worker("two"))
        until(all_over(shops, broadcasts), seconds=90, what="the other takes over")
        connection.thaw()
    for shop, broadcast in zip(shops, broadcasts, strict=True):
        assert_books_agree(shop, broadcast, PEOPLE)
