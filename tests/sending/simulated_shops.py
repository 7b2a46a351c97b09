"""Shops on the simulator: a fanpage each, a topic, opt-ins bought from the platform, and its books."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries
from core.broadcasts.dry_run_queries import dry_run
from core.clock import utc_now
from core.consent import actions as topics
from core.consent import imports
from core.fanpages import actions as fanpages
from core.simulator.control_client import SimulatorClient
from tests.processes import process


@dataclass
class Shop:
    remote: SimulatorClient
    folder: Path
    page_id: str
    fanpage_id: int
    topic_id: int

    def worker(self, name: str = "worker", **settings: str):
        given = {"OTN_GRAPH_URL": self.remote.base_url, **settings}
        return process("-m", "core", "worker", log=self.folder / f"{name}.log", **given)

    def opt_in(self, count: int) -> None:
        issued = self.remote.issue_tokens(self.page_id, count)
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

    def is_over(self, broadcast_id: int) -> bool:
        return queries.get_broadcast(broadcast_id).state == "finished"

    def accepted(self) -> list[str]:
        sends = self.remote.books(self.page_id)["sends"]
        return [send["token"] for send in sends if send["token"] and send["mid"]]


def open_shop(remote: SimulatorClient, folder: Path, page_id: str, *, rate: int) -> Shop:
    remote.save_page(
        page_id, name="Tiệm Hoa Mai", token=f"page-token-{page_id}", app_secret="app-secret-for-tests"
    )
    fanpage = fanpages.connect(
        COMMAND_LINE,
        page_id=page_id,
        name="Tiệm Hoa Mai",
        token=f"page-token-{page_id}",
        rate=rate,
        i_know=True,
        now=utc_now(),
    )
    topic_id = topics.create_topic(COMMAND_LINE, fanpage.id, name="Hàng mới", now=utc_now())
    return Shop(remote, folder, page_id, fanpage.id, topic_id)


def assert_books_agree(shop: Shop, broadcast_id: int, people: int, *, accepted: int | None = None) -> None:
    """`accepted`: by the platform for this shop in all, if that is more than of this broadcast."""
    taken = shop.accepted()
    assert len(taken) == len(set(taken)) == (accepted or people)
    shown = queries.get_broadcast(broadcast_id)
    assert (shown.counts["sent"], shown.balances) == (people, True)
    assert dry_run(shop.topic_id, now=utc_now()).eligible == 0
