"""One transaction claims for all fanpages: just what each may send now, replies first, one slot a message."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from core.broadcasts.rules import BroadcastState
from core.consent.rules import OptInSource, OptInState
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Customer, Delivery, FanpageRate, OptIn, Reply
from core.deliveries.rules import DeliveryState
from core.encryption import encrypt, lookup_hash
from core.sending import claiming, claims, timetable
from core.sending.claiming import ClaimedBatch, ClaimRequest, SlotsMoved
from core.sending.limits import fanpage_limits
from core.sending.timetable import Demand, SlotPosition
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase
from tests.sending.conftest import Studio
from tests.sending.test_locked_rows import locked, two_broadcasts

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
STEADY = 1000.0  # what the monotonic clock says
RATE = 100.0
ROWS = ("delivery", "opt_in", "reply", "pace", "broadcast")
LONG = timedelta(days=100)

# Of a delivery: what of it and its opt-in is out of the ordinary, and how it ends if it is taken up.
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str | None] | None]] = {
    "ready": ({}, {}, None),
    "in doubt": ({"in_doubt": True, "tries": 1, "attempt": 1}, {}, None),
    "in doubt, past our margin": ({"in_doubt": True}, {"expires_at": NOW - timedelta(hours=1)}, None),
    "withdrawn": ({}, {"state": OptInState.WITHDRAWN}, ("skipped", "withdrawn")),
    "expired": ({}, {"expires_at": NOW}, ("skipped", "expired")),
    "withdrawn in doubt": ({"in_doubt": True}, {"state": OptInState.WITHDRAWN}, ("unknown", "withdrawn")),
    "expired in doubt": ({"in_doubt": True}, {"expires_at": NOW - timedelta(days=2)}, ("unknown", "expired")),
    "of another key": ({}, {"token_sealed": "sealed with another key"}, ("failed", "cannot_open")),
}
ELSEWHERE: dict[str, dict[str, Any]] = {  # not to be taken up
    "tried again later": {"next_try_at": NOW + timedelta(seconds=30)},
    "with another worker": {
        "state": DeliveryState.SENDING,
        "claimed_by": "worker z",
        "claimed_at": NOW,
        "lease_until": NOW + timedelta(minutes=1),
        "attempt": 1,
    },
    "cancelled": {"state": DeliveryState.CANCELLED},
}
BROADCASTS: dict[str, dict[str, Any]] = {
    "sending": {},
    "in time": {"best_before": NOW + timedelta(seconds=1)},
    "late": {"best_before": NOW},
    "paused": {"state": BroadcastState.PAUSED},
    "cancelled": {"state": BroadcastState.CANCELLED},
}
REPLIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # of the reply, of the customer
    "waiting": ({}, {}),
    "later": ({"next_try_at": NOW + timedelta(seconds=30)}, {}),
    "window closed": ({}, {"window_closes_at": NOW}),
    "on its way": ({"state": "sending", "claimed_by": "worker z", "claimed_at": NOW}, {}),
}


@dataclass(frozen=True)
class Shape:
    """A fanpage: its broadcasts with their deliveries, its replies, and what it would claim."""

    broadcasts: list[tuple[str, list[str], int | None]]  # the last: how many go first
    replies: list[str]
    count: int
    turn: int
    condition: str
    behind: float


SHAPES = st.builds(
    Shape,
    broadcasts=st.lists(
        st.tuples(
            st.sampled_from(["sending", *BROADCASTS]),
            st.lists(st.sampled_from(["ready", "ready", *KINDS, *ELSEWHERE]), max_size=5),
            st.none() | st.integers(1, 3),
        ),
        max_size=3,
    ),
    replies=st.lists(st.sampled_from(["waiting", *REPLIES]), max_size=3),
    count=st.integers(1, 7),
    turn=st.integers(0, 3),
    condition=st.sampled_from(["free", "free", "held", "stopped"]),
    behind=st.sampled_from([0.0, 0.3, 0.9]),
)


@dataclass
class Town:
    """Fanpages of these shapes in the database, and what a claim for all of them has to come to."""

    shapes: Sequence[Shape]
    arrange: Arrange = field(default_factory=lambda: Arrange(NOW))
    wanted: list[ClaimRequest] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)  # by delivery
    waiting: dict[int, list[int]] = field(default_factory=dict)  # replies that may go, by fanpage
    offered: dict[int, list[int]] = field(default_factory=dict)  # by broadcast
    _numbers: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for shape in self.shapes:
            self.wanted.append(self._fanpage(shape))

    def _fanpage(self, shape: Shape) -> ClaimRequest:
        fanpage_id = self.arrange.fanpage()
        topic_id = self.arrange.topic(fanpage_id)
        with transaction() as db:
            broadcasts = [self._broadcast(db, fanpage_id, topic_id, *each) for each in shape.broadcasts]
            self.waiting[fanpage_id] = [
                reply_id
                for kind in shape.replies
                for reply_id in self._replies(db, fanpage_id, kind)
                if kind == "waiting"
            ]
            slot_in_row = NOW.timestamp() - shape.behind
            pace = db.get_one(FanpageRate, fanpage_id)
            pace.next_free = slot_in_row
            if shape.condition == "held":
                pace.held_until, pace.held_at = NOW.timestamp() + 60, NOW.timestamp()
            if shape.condition == "stopped":  # meanwhile: the work snapshot does not know of it yet
                fanpage_limits.stop_fanpage(db, fanpage_id, "restricted", now=NOW)
                self.offered |= {broadcast_id: [] for broadcast_id in broadcasts}
        position = SlotPosition(STEADY - shape.behind)
        has_replies = bool(shape.replies)
        return ClaimRequest(
            fanpage_id, shape.count, broadcasts, has_replies, position, Demand(RATE), slot_in_row, shape.turn
        )

    def _broadcast(
        self, db: Any, fanpage_id: int, topic_id: int, kind: str, people: list[str], first: int | None
    ) -> int:
        values = {"state": BroadcastState.SENDING, **BROADCASTS[kind]}
        content = {"kind": "text", "text": "Đã về"}
        made = Broadcast(
            fanpage_id=fanpage_id,
            topic_id=topic_id,
            name="x",
            content=content,
            created_at=NOW,
            updated_at=NOW,
            **values,
        )
        broadcast_id = self._add(db, made)
        ids = [self._delivery(db, made, each) for each in people]
        is_split = first is not None and first < len(ids)
        made.canary_last_id = ids[first - 1] if is_split else None
        may_go = [each for each in ids if self.kinds[each] in KINDS]
        if is_split:
            may_go = [each for each in may_go if each <= made.canary_last_id]
        self.offered[broadcast_id] = may_go if kind in ("sending", "in time") else []
        return broadcast_id

    def _delivery(self, db: Any, broadcast: Broadcast, kind: str) -> int:
        mine, of_opt_in, _ = KINDS[kind] if kind in KINDS else (ELSEWHERE[kind], {}, None)
        customer_id = self._customer(db, broadcast.fanpage_id)
        token = f"token-{next(self._numbers)}"
        opt_in = OptIn(
            fanpage_id=broadcast.fanpage_id,
            customer_id=customer_id,
            topic_id=broadcast.topic_id,
            token_hash=lookup_hash(token),
            source=OptInSource.WEBHOOK,
            consented_at=NOW - LONG,
            created_at=NOW,
            **{
                "token_sealed": encrypt(token),
                "state": OptInState.RESERVED,
                "expires_at": NOW + LONG,
                **of_opt_in,
            },
        )
        delivery = Delivery(
            broadcast_id=broadcast.id, customer_id=customer_id, opt_in_id=self._add(db, opt_in), **mine
        )
        self.kinds[self._add(db, delivery)] = kind
        return delivery.id

    def _replies(self, db: Any, fanpage_id: int, kind: str) -> list[int]:
        """Two to one customer, who is to get them one after the other: only the first may go."""
        of_reply, of_customer = REPLIES[kind]
        customer_id = self._customer(db, fanpage_id, **of_customer)
        both = [
            Reply(
                fanpage_id=fanpage_id, customer_id=customer_id, body={"text": "x"}, created_at=NOW, **values
            )
            for values in (of_reply, {})
        ]
        return [self._add(db, each) for each in both][:1]

    def _customer(self, db: Any, fanpage_id: int, **more: Any) -> int:
        values = {"window_closes_at": NOW + timedelta(hours=1), **more}
        psid = str(2500 + next(self._numbers))
        return self._add(db, Customer(fanpage_id=fanpage_id, psid=psid, created_at=NOW, **values))

    def _add(self, db: Any, row: Any) -> int:
        db.add(row)
        db.flush()
        return row.id

    def expected(self, wanted: ClaimRequest) -> tuple[list[int], list[int]]:
        """Its replies and its deliveries that are taken up, in plain words."""
        replies = self.waiting[wanted.fanpage_id][: wanted.count]
        of_each = [self.offered[each] for each in wanted.broadcast_ids]
        if not of_each:
            return replies, []
        shares = timetable.share(
            wanted.count - len(replies), [min(wanted.count, len(each)) for each in of_each], turn=wanted.turn
        )
        return replies, [i for ids, count in zip(of_each, shares, strict=True) for i in ids[:count]]


def claim(wanted: Sequence[ClaimRequest], worker: str = "worker a") -> list[ClaimedBatch]:
    return claiming.claim(wanted, worker=worker, now=NOW)


def everything(database: TestDatabase) -> list[list[tuple[Any, ...]]]:
    return [database.rows(f"SELECT * FROM {table} ORDER BY 1") for table in ROWS]


def next_free(database: TestDatabase) -> dict[int, float]:
    return dict(database.rows("SELECT fanpage_id, next_free FROM pace"))


def assert_each_got_its_own(town: Town, taken: Sequence[ClaimedBatch], database: TestDatabase) -> None:
    found = {row[0]: row[1:] for row in database.rows("SELECT id, state, reason FROM delivery")}
    for each in taken:
        replies, chosen = town.expected(each.request)
        fit = [one for one in chosen if KINDS[town.kinds[one]][2] is None]
        assert [claim.reply_id for claim in each.replies] == replies
        assert [claim.delivery_id for claim in each.deliveries] == fit
        assert each.claims == [*each.replies, *each.deliveries]
        assert len(each.claims) <= each.request.count
        assert all(claim.needs.token for claim in each.deliveries)
        for one in chosen:
            ended = KINDS[town.kinds[one]][2]
            assert found[one] == (ended or ("sending", None))


def assert_slots_are_used(town: Town, taken: Sequence[ClaimedBatch], database: TestDatabase) -> None:
    """As many as there are messages, of each fanpage by itself; nothing leaves before its turn. Of one that
    is behind the row says when its last message has left, so that nobody sends beside it."""
    slots = next_free(database)
    for each in taken:
        moved = slots[each.request.fanpage_id] - each.request.slot_in_row
        if each.request.position.slot < STEADY and each.claims:
            last = each.times[-1] - each.request.position.slot
            assert last <= moved <= last + 2 / RATE
        else:
            assert moved == pytest.approx(len(each.claims) / RATE, abs=1e-4)
        assert len(each.times) == len(each.claims)
        assert list(each.times) == sorted(each.times)
        assert all(at >= STEADY for at in each.times)


def assert_no_token_is_given_back_in_doubt(database: TestDatabase) -> None:
    rows = database.rows(
        "SELECT d.in_doubt, d.state, o.state FROM delivery d JOIN opt_in o ON o.id = d.opt_in_id"
    )
    for in_doubt, state, opt_in in rows:
        if in_doubt or state in ("queued", "sending", "unknown", "failed"):
            assert opt_in in ("reserved", "withdrawn"), (in_doubt, state, opt_in)


def claims_twice(town: Town, taken: Sequence[ClaimedBatch]) -> list[ClaimedBatch]:
    """By another worker that knows where the first has left the slots."""
    on = {each.request.fanpage_id: each for each in taken if each.position}
    again = [
        replace(one, position=on[one.fanpage_id].position, slot_in_row=on[one.fanpage_id].slot_in_row)
        if one.fanpage_id in on
        else one
        for one in town.wanted
    ]
    return claim(again, "worker b")


def counted(*taken: ClaimedBatch) -> Counter[tuple[str, int]]:
    replies = [("reply", claim.reply_id) for each in taken for claim in each.replies]
    return Counter([*replies, *(("delivery", c.delivery_id) for each in taken for c in each.deliveries)])


def try_with_a_slot_that_was_moved(town: Town, place: int, database: TestDatabase) -> bool:
    """Whether nothing was claimed. That another moved a slot matters to whom it would have been given."""
    moved = town.wanted[place % len(town.wanted)]
    others = [replace(each, slot_in_row=each.slot_in_row - (each is moved)) for each in town.wanted]
    before = everything(database)
    try:
        claim(others)
    except SlotsMoved:
        assert everything(database) == before
        return True
    return False


@pytest.mark.timeout(200)
def test_a_claim_takes_what_each_may_send_and_nothing_twice(
    databases: Databases, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "time", SimpleNamespace(monotonic=lambda: STEADY))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(SHAPES, min_size=1, max_size=4))
    def check(shapes: list[Shape]) -> None:
        databases.empty(fresh_database)
        town = Town(shapes)
        taken = claim(town.wanted)
        assert_each_got_its_own(town, taken, fresh_database)
        assert_slots_are_used(town, taken, fresh_database)
        assert set(counted(*taken, *claims_twice(town, taken)).values()) <= {1}
        assert_no_token_is_given_back_in_doubt(fresh_database)

    check()


@pytest.mark.timeout(200)
def test_when_another_process_moved_a_slot_nothing_is_claimed_for_anybody(
    databases: Databases, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "time", SimpleNamespace(monotonic=lambda: STEADY))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(SHAPES, min_size=1, max_size=3), st.integers(0, 2))
    def check(shapes: list[Shape], place: int) -> None:
        databases.empty(fresh_database)
        town = Town(shapes)
        moved = town.wanted[place % len(town.wanted)]
        replies, chosen = town.expected(moved)
        has_claims = bool(replies) or any(KINDS[town.kinds[one]][2] is None for one in chosen)
        assert try_with_a_slot_that_was_moved(town, place, fresh_database) == has_claims

    check()


@pytest.mark.postgresql
def test_a_broadcast_that_somebody_holds_is_left_out_without_waiting(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    """This very thread holds it: whoever waited would wait for ever."""
    first, second = two_broadcasts(studio)
    slot_in_row = next_free(fresh_database)[studio.fanpage_id]
    wanted = ClaimRequest(
        studio.fanpage_id, 3, [first, second], False, SlotPosition(0.0), Demand(RATE), slot_in_row
    )
    with locked(fresh_database, first):
        (taken,) = claiming.claim([wanted], worker="worker a", now=studio.now)
    assert [claim.broadcast_id for claim in taken.deliveries] == [second, second]
    assert taken.without_any == {first}
    assert studio.show(first).counts["queued"] == 2


@pytest.mark.sqlite  # PostgreSQL's plan depends on how many there are
def test_what_was_lost_is_looked_for_among_what_is_claimed(studio: Studio) -> None:
    """There are ever more deliveries that have ended, and the look is made every second."""
    asked = list[tuple[str, Any]]()

    def note(_connection: Any, _cursor: Any, said: str, bound: Any, *_more: Any) -> None:
        asked.append((said, bound))

    with reading() as db:
        looking = db.get_bind()
        event.listen(looking, "before_cursor_execute", note)
        try:
            claims.take_over_lost(now=studio.now)
        finally:
            event.remove(looking, "before_cursor_execute", note)
        said, bound = next(each for each in asked if "FROM delivery" in each[0])
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", bound)
        assert [row[3] for row in plan if "delivery" in row[3]] == [
            "SCAN delivery USING INDEX ix_delivery_lease_until"
        ]
