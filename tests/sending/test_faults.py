"""Any mixture of faults, through the real client, the real loop and HTTP: each token is taken exactly once.

Every delivery ends where it belongs, and the books balance. The seed in a failure's name replays its mixture.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, retry
from core.consent import imports
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Delivery, Fanpage, OptIn
from core.deliveries.attempts import attempts_of
from core.encryption import decrypt
from core.messenger.client import Messenger
from core.sending.calls import grouping as call_grouping
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.sending.conftest import Studio
from tests.sending.flaky_network import PASS, RESET_AFTER, RESET_BEFORE, FlakyNetwork, flaky_network

PEOPLE, BLOCKED = 240, 6
ROUNDS_OF_TROUBLE = 8
SECRET = "app-secret-for-tests"
REQUEST_FAULTS: dict[str, Any] = {
    "http_500_before": None,
    "http_500_after": None,
    "html_502_before": None,
    "html_502_after": None,
    "html_403_before": None,
    "bad_json_before": None,
    "bad_json": None,
    "no_message_id": None,
    "drop_before": None,
    "drop_after": None,
    "hang_before": 0.6,  # longer than our patience
    "hang_after": 0.6,
    "batch_1357046": None,
    "batch_empty": None,
    "batch_longer": None,
    "refuse_all": {"code": 4},
}
MESSAGE_FAULTS = (
    "temporary",
    "unknown_1",
    "outage_2",
    "unknown_temporary",
    "app_limit_4",
    "rate_613",
    "busy_80006",
    "message_500_before",
    "message_500_after",
    "batch_null",
    "batch_null_after",
    "batch_short",
)
PROVED = {None, "refused_on_retry", "accepted_on_retry"}


@dataclass
class Storm:
    """A studio whose platform is the simulator behind a bad network."""

    studio: Studio
    remote: SimulatorClient
    way: FlakyNetwork
    connection: Messenger
    hasty: Messenger  # for the rounds of trouble: it does not wait for a platform that hangs
    dice: random.Random
    page_id: str
    blocked: set[str] = field(default_factory=set)

    def import_opt_ins(self, count: int) -> None:
        issued = self.remote.issue_tokens(self.page_id, count)
        at = (self.studio.now - timedelta(days=1)).isoformat()
        lines = ["psid,token,consented_at", *(f"{t['psid']},{t['token']},{at}" for t in issued)]
        imports.import_opt_ins(
            COMMAND_LINE,
            self.studio.fanpage_id,
            topic_id=self.studio.topic_id,
            data="\n".join(lines).encode(),
            now=self.studio.now,
        )
        for token in self.dice.sample(issued, BLOCKED):
            self.remote.change_person(token["psid"], blocked=True)
            self.blocked.add(token["token"])

    def round(self, *, trouble: bool) -> None:
        self.remote.end_faults()
        self.remote.usage()
        self.way.fate = lambda: PASS
        if trouble:
            self.make_trouble()
        self.send_by(self.hasty if trouble else self.connection)
        self.way.open()
        self.studio.pass_time(seconds=90)
        self.go_on()

    def send_by(self, connection: Messenger) -> None:
        self.studio.loop(find_connections=lambda ids: dict.fromkeys(ids, connection)).drain()

    def make_trouble(self) -> None:
        for name in self.dice.sample(sorted(REQUEST_FAULTS), 5):
            self.remote.fault(name, share=self.dice.uniform(0.03, 0.1), value=REQUEST_FAULTS[name])
        for name in self.dice.sample(MESSAGE_FAULTS, 5):
            self.remote.fault(name, share=self.dice.uniform(0.01, 0.05))
        self.remote.fault("latency", share=0.2, value=0.05)
        fates = [PASS] * 12 + [RESET_BEFORE, RESET_AFTER]
        self.way.fate = lambda: self.dice.choice(fates)
        match self.dice.randrange(6):
            case 0:
                self.way.close()  # connection refused
            case 1:
                self.remote.usage(self.dice.choice([60, 96, 100]), minutes=1)

    def go_on(self) -> None:
        """What staff do when a fault made the fanpage stop."""
        with transaction() as db:
            fanpage = db.get_one(Fanpage, self.studio.fanpage_id)
            stopped, fanpage.stopped_code = fanpage.stopped_code, None
            paused = db.execute(select(col(Broadcast.id)).where(col(Broadcast.state) == "paused")).scalars()
            broadcast_ids = [each for each in paused if each]
        for broadcast_id in broadcast_ids if stopped else ():
            actions.resume(COMMAND_LINE, broadcast_id, now=self.studio.now)

    def taken(self) -> Counter[str]:
        return Counter(
            s["token"] for s in self.remote.books(self.page_id)["sends"] if s["token"] and s["mid"]
        )


@pytest.fixture
def storm(studio: Studio, request) -> Iterator[Storm]:
    world = World(clock=lambda: studio.now.timestamp())
    with running_simulator(world) as url, flaky_network(url) as way, SimulatorClient(url) as remote:
        page_id = "100000000000099"
        remote.save_page(page_id, name="Tiệm Hoa Mai", token="page-token", app_secret=SECRET)
        remote.settings(calls_per_second=0)
        known = {"base_url": way.url, "version": "v26.0", "app_secret": SECRET}
        connection = Messenger(page_id, "page-token", **known)
        hasty = Messenger(page_id, "page-token", read_timeout=0.4, **known)
        yield Storm(studio, remote, way, connection, hasty, random.Random(request.param), page_id)
        hasty.close()
        connection.close()


def outcome(broadcast_id: int) -> list[tuple[str, Delivery]]:
    """(token, delivery) of everyone."""
    with reading() as db:
        rows = db.execute(
            select(col(OptIn.token_sealed), Delivery)
            .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
            .where(col(Delivery.broadcast_id) == broadcast_id)
        )
        return [(decrypt(sealed), delivery) for sealed, delivery in rows.all()]


def assert_the_books_agree(storm: Storm, broadcast_id: int) -> None:
    taken = storm.taken()
    assert set(taken.values()) <= {1}, "the platform took a token twice"
    shown = queries.get_broadcast(broadcast_id)
    assert shown.balances
    assert (shown.counts["queued"], shown.counts["sending"]) == (0, 0)
    for token, delivery in outcome(broadcast_id):
        if delivery.state == "sent":
            assert taken[token], f"counted as sent without being taken: {delivery.evidence}"
            assert delivery.evidence in PROVED
            assert delivery.reason is None
        else:
            assert delivery.reason, "ended without a reason"
            assert delivery.state == "unknown" or not taken[token], f"taken but {delivery.state}"


def assert_the_ledger_agrees(broadcast_id: int) -> None:
    with reading() as db:
        rows = db.execute(
            select(col(Delivery.state), col(OptIn.state)).join(
                OptIn, col(OptIn.id) == col(Delivery.opt_in_id)
            )
        )
        held = {"sent": "spent", "unknown": "reserved", "failed": "available"}
        assert all(opt_in == held[delivery] for delivery, opt_in in rows)


def send_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the fanpage is, each message is a call of its own."""
    monkeypatch.setattr(call_grouping, "BATCH_LIMIT", 1)


@pytest.mark.parametrize(
    ("storm", "singly"),
    [(3, False), (7, True)],
    indirect=["storm"],
    ids=["seed 3, in batches", "seed 7, one by one"],
)
def test_through_any_mixture_each_token_is_taken_once(storm: Storm, singly: bool, monkeypatch) -> None:
    if singly:
        send_singly(monkeypatch)
    storm.import_opt_ins(PEOPLE)
    broadcast_id = storm.studio.broadcast()
    storm.studio.launch(broadcast_id)
    for _ in range(ROUNDS_OF_TROUBLE):
        storm.round(trouble=True)
    for _ in range(12):
        storm.round(trouble=False)
    assert storm.studio.show(broadcast_id).state == "finished"
    assert_the_books_agree(storm, broadcast_id)
    assert_the_ledger_agrees(broadcast_id)
    _staff_try_again(storm, broadcast_id)
    assert_the_books_agree(storm, broadcast_id)
    for token, delivery in outcome(broadcast_id):
        assert delivery.state == "sent" or token in storm.blocked, (delivery.state, delivery.reason)
    assert set(storm.taken()) == {token for token, _ in outcome(broadcast_id)} - storm.blocked


def _staff_try_again(storm: Storm, broadcast_id: int) -> None:
    unknown = [d for _, d in outcome(broadcast_id) if d.state == "unknown"]
    assert all(attempts_of([d.id])[d.id] for d in unknown), "a doubt without its tries"
    retry.try_again(COMMAND_LINE, broadcast_id, now=storm.studio.now)
    retry.retry_failed(COMMAND_LINE, broadcast_id, now=storm.studio.now)
    for _ in range(10):
        storm.round(trouble=False)


@pytest.mark.one_database
@pytest.mark.parametrize("storm", [5], indirect=True)
@pytest.mark.parametrize("singly", [False, True], ids=["in batches", "one by one"])
def test_an_app_secret_changed_in_mid_broadcast_burns_no_token(
    storm: Storm, singly: bool, monkeypatch
) -> None:
    if singly:
        send_singly(monkeypatch)
    storm.import_opt_ins(60)
    broadcast_id = storm.studio.broadcast()
    storm.studio.launch(broadcast_id)
    storm.remote.fault("drop_after", share=0.3)  # doubts, whose retries meet the wrong secret
    calls = itertools.count()

    def change_at_the_third_call() -> str:
        if next(calls) == 2:
            storm.remote.save_page(storm.page_id, app_secret="another-secret")
        return PASS

    storm.way.fate = change_at_the_third_call
    storm.send_by(storm.connection)
    storm.studio.pass_time(seconds=90)
    shown = storm.studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "call_refused")
    assert set(shown.reasons) <= {"blocked"}
    assert shown.counts["sent"] == sum(1 for _, d in outcome(broadcast_id) if d.state == "sent" and d.mid)
    storm.remote.save_page(storm.page_id, app_secret=SECRET)
    storm.go_on()
    for _ in range(5):
        storm.round(trouble=False)
    assert_the_books_agree(storm, broadcast_id)
    assert {d.state for token, d in outcome(broadcast_id) if token not in storm.blocked} == {"sent"}
