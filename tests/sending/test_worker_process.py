"""The real worker in a process of its own, against the simulator over HTTP: killed, stopped, doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries
from core.clock import utc_now
from core.consent import imports
from core.fanpages import actions as fanpages
from core.settings import settings
from core.simulator import World, running
from core.simulator.remote import Remote
from tests.processes import process, until

PAGE_ID = "100000000000042"


@dataclass
class Shop:
    remote: Remote
    folder: Path
    graph_url: str
    fanpage_id: int
    topic_id: int

    def worker(self, name: str = "worker"):
        return process("-m", "core", "worker", log=self.folder / f"{name}.log", OTN_GRAPH_URL=self.graph_url)

    def opt_in(self, count: int) -> None:
        issued = self.remote.issue_tokens(PAGE_ID, count)
        at = utc_now().isoformat()
        lines = ["psid,token,consented_at", *(f"{t['psid']},{t['token']},{at}" for t in issued)]
        imports.import_opt_ins(
            COMMAND_LINE,
            self.fanpage_id,
            topic_id=self.topic_id,
            data="\n".join(lines).encode(),
            now=utc_now(),
        )

    def launch(self) -> int:
        broadcast_id = actions.create_broadcast(
            COMMAND_LINE, topic_id=self.topic_id, content={"kind": "text", "text": "Đã về!"}, now=utc_now()
        )
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=utc_now())
        return broadcast_id

    def counts(self, broadcast_id: int) -> dict[str, int]:
        return queries.get_broadcast(broadcast_id).counts

    def is_over(self, broadcast_id: int) -> bool:
        return queries.get_broadcast(broadcast_id).state == "finished"

    def accepted(self) -> list[str]:
        return [
            send["token"] for send in self.remote.books(PAGE_ID)["sends"] if send["token"] and send["mid"]
        ]


@pytest.fixture
def shop(arrange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with running(World()) as graph_url:
        remote = Remote(graph_url)
        remote.save_page(PAGE_ID, name="Tiệm Hoa Mai", token="page-token", app_secret="app-secret-for-tests")
        monkeypatch.setenv("OTN_GRAPH_URL", graph_url)
        settings.cache_clear()
        fanpage = fanpages.connect(
            COMMAND_LINE,
            page_id=PAGE_ID,
            name="Tiệm Hoa Mai",
            token="page-token",
            rate=300,
            i_know=True,
            now=utc_now(),
        )
        yield Shop(remote, tmp_path, graph_url, fanpage.id, arrange.topic(fanpage.id))
        remote.close()


def assert_books_agree(shop: Shop, broadcast_id: int, people: int) -> None:
    accepted = shop.accepted()
    assert len(accepted) == len(set(accepted)) == people
    shown = queries.get_broadcast(broadcast_id)
    assert (shown.counts["sent"], shown.balances) == (people, True)
    assert queries.dry_run(shop.topic_id, now=utc_now()).eligible == 0


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
