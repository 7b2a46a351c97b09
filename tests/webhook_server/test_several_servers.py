"""Real servers on one database: the same events at the same moment count once; a database that goes and
comes back loses nothing that was answered well."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import requests
from sqlalchemy import make_url

from tests import processes
from tests.inbox.platform import body, said, signed, tap

PATIENCE = 30.0
OURS_CUT_OFF = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = %s AND application_name = 'notify-once'"""
Post = Callable[[bytes], int]


@pytest.fixture
def servers(fresh_database, tmp_path: Path) -> Iterator[Callable[[int], list[Post]]]:
    """Starts so many; each is a function that posts to it and tells the status."""
    with ExitStack() as running:

        def _start(count: int) -> list[Post]:
            ports = [processes.free_port() for _ in range(count)]
            for port in ports:
                log = tmp_path / f"server-{port}.log"
                settings = {"OTN_WEBHOOK_PORT": str(port)}
                running.enter_context(processes.process("-m", "webhook_server", log=log, **settings))
            for port in ports:
                processes.until(lambda port=port: _is_ready(port), what=f"server on {port}")
            return [_poster(port) for port in ports]

        yield _start


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _poster(port: int) -> Post:
    url = f"http://127.0.0.1:{port}/webhook"

    def post(raw: bytes) -> int:
        return requests.post(url, data=raw, headers=signed(raw), timeout=PATIENCE).status_code

    return post


def test_two_servers_told_the_same_at_once_store_it_once(fanpage, servers, fresh_database, now):
    both = servers(2)
    chance = random.Random(7)
    events = [tap(str(n % 40), now, f"token-{n}") for n in range(300)]
    events += [said(str(n % 40), now, "hi", f"m_{n}") for n in range(60)]

    def bodies() -> list[bytes]:
        """Everything, in an order and in portions of its own."""
        told = chance.sample(events, len(events))
        return [body(*told[start : start + 12]) for start in range(0, len(told), 12)]

    def post_until_taken(post: Post, raw: bytes) -> None:
        processes.until(lambda: post(raw) == 200, what="the server takes it in")

    with ThreadPoolExecutor(12) as pool:
        told = [
            pool.submit(post_until_taken, post, raw) for post in both for _ in range(3) for raw in bodies()
        ]
        for each in told:
            each.result()

    assert fresh_database.count("event") == 360
    processes.until(lambda: _all_applied(fresh_database), what="all are applied")
    assert fresh_database.count("opt_in") == 300
    assert fresh_database.count("customer") == 40


def _all_applied(database) -> bool:
    return database.rows("SELECT count(*) FROM event WHERE state <> 'applied'") == [(0,)]


@pytest.fixture
def elsewhere(fresh_database) -> Iterator[psycopg.Connection]:
    """A connection to the same PostgreSQL, but not to the test's database."""
    url = make_url(fresh_database.url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


@pytest.mark.postgresql
def test_a_database_that_is_gone_is_a_503_until_it_comes_back(
    fanpage, servers, fresh_database, elsewhere, now
):
    [post] = servers(1)
    name = fresh_database.name
    assert post(body(tap("25", now, "token-1"))) == 200

    elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        elsewhere.execute(OURS_CUT_OFF, [name])
        assert post(body(tap("25", now, "token-2"))) == 503
    finally:
        elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    processes.until(lambda: post(body(tap("25", now, "token-2"))) == 200, what="it takes in again")
    processes.until(lambda: fresh_database.count("opt_in") == 2, what="both taps are applied")


@pytest.mark.postgresql
def test_a_database_that_is_slow_is_a_503_in_time(fanpage, servers, fresh_database, now):
    [post] = servers(1)
    url = make_url(fresh_database.url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as holder:
        holder.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        assert post(body(tap("25", now, "token-1"))) == 503
        holder.rollback()

    processes.until(lambda: post(body(tap("25", now, "token-1"))) == 200, what="it takes in again")
    processes.until(lambda: fresh_database.count("opt_in") == 1, what="the tap is applied")
    assert fresh_database.count("event") == 1
