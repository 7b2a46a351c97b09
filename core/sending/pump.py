"""Sends for one fanpage for a while: replies first, its broadcasts in turn, at the fanpage's pace.

Claim → wait for a slot → HTTP (no transaction open) → settle. A pump that stops hands back what it has
not put on the wire and waits for what it has.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Event, Lock
from typing import TypeVar

import structlog

from core.database import DATABASE_TROUBLE, transaction
from core.errors import OperatorError
from core.messenger.client import Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.messenger.wire import BATCH_LIMIT
from core.sending import allowance, claims, pace, queries, replies, settling
from core.sending.claims import Claim
from core.sending.replies import ReplyClaim, ReplyOutcome
from core.sending.rules import LEASE, batch_size
from core.sending.sender import Sender, TokenSender
from core.sending.settling import Outcome

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 0.1  # how soon a pause, a new rate or a reply is noticed
LOOK_AHEAD_SECONDS = 0.25  # how far ahead of its slot a handful goes to the wire, so that no read delays it
MAKE_UP = 1.05  # how much faster than the rate a late handful may follow the one before
OLDEST_LOOK_SECONDS = 0.5  # nothing leaves on what was seen longer ago
LONG_HOLD_SECONDS = 2.0  # a hold so long is not worth keeping claims for
CLAIM_AT_MOST = 500
DATABASE_WAIT_SECONDS = 0.5
ALLOWANCE_EVERY_SECONDS = 20.0
ALLOWANCE_WAIT_SECONDS = 300.0
IN_FLIGHT = 24  # calls on the wire at once, per fanpage
SETTLE_EVERY_SECONDS = 0.25
USAGE_FULL, USAGE_HIGH = 100.0, 95.0
Landed = Outcome | ReplyOutcome | Claim | ReplyClaim  # a claim: it never left
T = TypeVar("T")


UNPACED = pace.Speed(rate=20.0 * BATCH_LIMIT, held_until=0.0)  # full batches


@dataclass
class _Slot:
    """Room in the pace row for `count` messages from a monotonic time on."""

    count: int
    at: float
    seconds: float  # what they take at the rate


class _Gate:
    """Keeps handfuls apart that come late together, after a stall: they make up for it little by little."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opens = 0.0

    def pass_at(self, at: float, seconds: float, stop: Event) -> None:
        """Wait for a monotonic time, and for the one before to be `seconds` away, or a little less."""
        while not stop.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= max(at, self._opens):
                    self._opens = now + seconds / MAKE_UP
                    return
                left = max(at, self._opens) - now
            stop.wait(left)


@dataclass
class Pump:
    fanpage_id: int
    messenger_for: Callable[[int], Messenger]
    worker: str  # Heartbeat.process
    wire: Executor  # threads for HTTP
    stop: Event
    clock: Callable[[], datetime]
    # Whether claims taken at a monotonic time are surely still ours; otherwise others may send them.
    holds_since: Callable[[float], bool] = lambda _taken_at: True
    sender: Sender = field(default_factory=TokenSender)
    grace_seconds: float = 3.5
    paced: bool = True  # False only for benchmarks against a stand-in
    _hands: dict[int, deque[Claim]] = field(default_factory=dict)  # by broadcast
    _slot: _Slot | None = None
    _gate: _Gate = field(default_factory=_Gate)
    _flying: set[Future[list[Landed]]] = field(default_factory=set)
    _landed: list[Landed] = field(default_factory=list)
    _messenger: Messenger | None = None
    _may_send: dict[int, queries.Sending] = field(default_factory=dict)  # as of the last look
    _may_answer: bool = False
    _work: queries.Work | None = None
    _looked_at: float = 0.0
    _turn: int = 0
    _settled_at: float = 0.0
    _usage_at: float = 0.0
    _allowance_at: float = -ALLOWANCE_EVERY_SECONDS

    def run(self) -> None:
        """Until nothing is left that may be tried now, or we are told to stop."""
        try:
            while not self.stop.is_set() and self._patiently(self._once):
                pass
        finally:
            self._wind_up()

    def _patiently(self, step: Callable[[], bool]) -> bool:
        """A locked or lost database is waited for; nothing is forgotten meanwhile."""
        try:
            return step()
        except DATABASE_TROUBLE as problem:
            log.warning("database_unavailable", fanpage_id=self.fanpage_id, error=type(problem).__name__)
            self.stop.wait(DATABASE_WAIT_SECONDS)
            return True

    def _once(self) -> bool:
        """One look, and at most one handful on its way. False when nothing is left to do for now."""
        self._collect()
        work = self._look()
        if work is None or not self._has_messenger() or self._is_used_up():
            return False
        self._let_go(set(self._hands) - set(self._may_send))
        self._let_go({b for b, hand in self._hands.items() if hand and not self._is_fresh(hand[0])})
        if work.speed.held_until - self.clock().timestamp() > LONG_HOLD_SECONDS:
            return False  # the next tick after the hold starts another pump
        if len(self._flying) >= IN_FLIGHT:
            return self._wait_for_flying()
        ready = self._take_in_hand(work)
        if ready is None and not work.replies:
            self._work = None
            return self._wait_for_flying()
        if self._slot_is_near(work):
            self._send_handful(work, ready)
        return True

    def _look(self) -> queries.Work | None:
        """What there is to send; looked at again soon enough that a pause bites at once."""
        if self._work is None or time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS / 2:
            began = time.monotonic()
            self._work = queries.work_of(self.fanpage_id, now=self.clock())
            if self._work and not self.paced:
                self._work = replace(self._work, speed=UNPACED)
            self._may_send = self._work.broadcasts if self._work else {}
            self._may_answer = self._work is not None
            self._looked_at = began  # last, or what is on its way would trust the look before
        return self._work

    def _has_messenger(self) -> bool:
        """Without a token that opens nothing can leave: staff are told, and nothing is claimed."""
        try:
            self._messenger = self.messenger_for(self.fanpage_id)
        except OperatorError as problem:
            log.warning("no_line_to_messenger", fanpage_id=self.fanpage_id, error=type(problem).__name__)
            with transaction() as db:
                settling.stop_fanpage(db, self.fanpage_id, "token_invalid", now=self.clock())
            return False
        return True

    def _slot_is_near(self, work: queries.Work) -> bool:
        """Wait a little for our slot. A reservation is kept until it is used, so that none is wasted."""
        if self._slot is None:
            self._slot = self._reserve(work) if self.paced else _Slot(BATCH_LIMIT, time.monotonic(), 0.0)
        left = self._slot.at - LOOK_AHEAD_SECONDS - time.monotonic()
        if self.stop.wait(max(0.0, min(left, LOOK_AGAIN_SECONDS))):
            return False
        return left <= LOOK_AGAIN_SECONDS

    def _reserve(self, work: queries.Work) -> _Slot:
        count, now = batch_size(work.speed.rate), self.clock().timestamp()
        wait_seconds = pace.reserve(self.fanpage_id, count, work.speed, at=now) - now
        return _Slot(count, time.monotonic() + wait_seconds, count / work.speed.rate)

    def _is_used_up(self) -> bool:
        """Whether the platform's allowance of 24 hours is gone; then the fanpage waits and looks again."""
        if time.monotonic() - self._allowance_at < ALLOWANCE_EVERY_SECONDS:
            return False
        now = self.clock()
        if allowance.allowance_of(self.fanpage_id, now=now).left > 0:
            self._allowance_at = time.monotonic()
            return False
        log.warning("allowance_used_up", fanpage_id=self.fanpage_id)
        with transaction() as db:
            pace.hold(db, self.fanpage_id, at=now.timestamp(), seconds=ALLOWANCE_WAIT_SECONDS)
        return True

    def _take_in_hand(self, work: queries.Work) -> int | None:
        """The broadcast whose turn it is, with claims in our hands; one with nothing due passes its turn."""
        ids, size = sorted(work.broadcasts), batch_size(work.speed.rate)
        for step in range(len(ids)):
            broadcast_id = ids[(self._turn + step) % len(ids)]
            hand = self._hands.setdefault(broadcast_id, deque())
            if len(hand) < size:  # a handful is always full while enough are waiting
                share = int(work.speed.rate / len(ids)) // size * size
                ahead = min(CLAIM_AT_MOST, max(size, share))
                hand.extend(claims.claim(broadcast_id, ahead, worker=self.worker, now=self.clock()))
            if hand:
                self._turn = (self._turn + step) % len(ids)
                return broadcast_id
        return None

    def _send_handful(self, work: queries.Work, broadcast_id: int | None) -> None:
        """Use our slots: replies first, the rest for the broadcast whose turn it is."""
        slot, self._slot = self._slot, None
        if slot is None:
            return
        count = slot.count
        if work.replies:
            self._work = None  # there may be more of them, or none
            count -= self._send_replies(slot)
        if broadcast_id is not None and count > 0:
            leaves = _Slot(count, slot.at, slot.seconds / slot.count * count)
            self._send_deliveries(work, broadcast_id, leaves)

    def _send_replies(self, slot: _Slot) -> int:
        taken_at = time.monotonic()
        answering = replies.claim_replies(self.fanpage_id, slot.count, worker=self.worker, now=self.clock())
        for claim in answering:
            may_leave = partial(self._may_leave, None, taken_at)
            leaves = _Slot(1, slot.at, slot.seconds / slot.count)
            self._fly(leaves, may_leave, [claim], partial(self._answer, self._messenger, claim))
        return len(answering)

    def _answer(self, messenger: Messenger | None, claim: ReplyClaim) -> list[Landed]:
        try:
            return [replies.send_reply(_known(messenger), claim)]
        except Exception as problem:  # a defect of ours must not lose the outcome
            return [ReplyOutcome(claim, _defect(problem, self.fanpage_id))]

    def _send_deliveries(self, work: queries.Work, broadcast_id: int, slot: _Slot) -> None:
        hand = self._hands[broadcast_id]
        handful = [hand.popleft() for _ in range(min(slot.count, len(hand)))]
        self._turn += 1
        call = partial(self._deliver, self._messenger, work.broadcasts[broadcast_id].content, handful)
        self._fly(slot, partial(self._may_leave, broadcast_id, handful[0].taken_at), handful, call)

    def _deliver(
        self, messenger: Messenger | None, content: dict[str, object], handful: list[Claim]
    ) -> list[Landed]:
        began = self.clock()
        try:
            answers: list[Answer] = self.sender.send(_known(messenger), content, handful)
        except Exception as problem:  # a defect of ours must not lose the outcome
            answers = [_defect(problem, self.fanpage_id)] * len(handful)
        ended = self.clock()
        return [Outcome(claim, answer, began, ended) for claim, answer in zip(handful, answers, strict=True)]

    def _is_fresh(self, claim: Claim) -> bool:
        """Surely still ours, and for long enough to be sent and settled."""
        is_young = time.monotonic() - claim.taken_at < LEASE.total_seconds() / 2
        return is_young and self.holds_since(claim.taken_at)

    def _may_leave(self, broadcast_id: int | None, taken_at: float) -> bool:
        """Asked in the last moment: a pause, a stop or lost leases keep a handful here."""
        if self.stop.is_set() or time.monotonic() - self._looked_at > OLDEST_LOOK_SECONDS:
            return False  # we were asleep: whatever we knew may have changed
        if broadcast_id is None:
            return self._may_answer and self.holds_since(taken_at)
        sending = self._may_send.get(broadcast_id)
        in_time = sending and (sending.best_before is None or self.clock() < sending.best_before)
        return bool(in_time) and self.holds_since(taken_at)

    def _fly(
        self,
        slot: _Slot,
        may_leave: Callable[[], bool],
        handful: Sequence[Claim | ReplyClaim],
        call: Callable[[], list[Landed]],
    ) -> None:
        """Hand over to the wire what leaves at its slot, a little ahead of it."""

        def flight() -> list[Landed]:
            self._gate.pass_at(slot.at, slot.seconds, self.stop)
            return call() if may_leave() else list(handful)

        self._flying.add(self.wire.submit(flight))

    def _wait_for_flying(self) -> bool:
        """False when nothing is on the wire and so nothing is left to do for now."""
        if not self._flying and not self._landed:
            return False
        wait(self._flying, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
        self._collect(at_once=True)
        return True

    def _collect(self, *, at_once: bool = False) -> None:
        done = {future for future in self._flying if future.done()}
        self._flying -= done
        for future in done:
            self._landed.extend(future.result())
        if self._landed and (at_once or time.monotonic() - self._settled_at > SETTLE_EVERY_SECONDS):
            self._settle()

    def _settle(self) -> None:
        """Keep the outcomes until the database has them; hand back what stayed here."""
        now = self.clock()
        settling.settle(self.fanpage_id, _only(Outcome, self._landed), now=now)
        self._landed = [each for each in self._landed if not isinstance(each, Outcome)]
        replies.settle_replies(self.fanpage_id, _only(ReplyOutcome, self._landed), now=now)
        claims.hand_back(_only(Claim, self._landed), worker=self.worker, now=now)
        replies.hand_back_replies(_only(ReplyClaim, self._landed), worker=self.worker)
        self._landed.clear()
        self._settled_at = time.monotonic()
        self._mind_usage(now)

    def _mind_usage(self, now: datetime) -> None:
        usage = self._messenger.usage() if self._messenger else None
        if usage is None or usage.seen_at <= self._usage_at or usage.percent < USAGE_HIGH:
            return
        self._usage_at = usage.seen_at
        full = usage.percent >= USAGE_FULL
        seconds = max(usage.regain_seconds, 60.0) if full else 0.0
        with transaction() as db:
            pace.slow_down(db, self.fanpage_id, at=now.timestamp(), hold_seconds=seconds)

    def _let_go(self, broadcast_ids: set[int]) -> None:
        for broadcast_id in broadcast_ids:
            if hand := self._hands.get(broadcast_id):
                claims.hand_back(list(hand), worker=self.worker, now=self.clock())
            self._hands.pop(broadcast_id, None)

    def _wind_up(self) -> None:
        """Hand back, wait for what is on the wire, settle; what cannot be settled in time stays in doubt."""
        self._may_send, self._may_answer = {}, False
        until = time.monotonic() + (self.grace_seconds if self.stop.is_set() else 60.0)
        while self._hands or self._flying or self._landed:
            if time.monotonic() > until:
                log.warning("left_in_doubt", fanpage_id=self.fanpage_id, calls=len(self._flying))
                return
            try:
                self._let_go(set(self._hands))
                if self._flying:
                    wait(self._flying, timeout=LOOK_AGAIN_SECONDS)
                self._collect(at_once=True)
            except DATABASE_TROUBLE:
                time.sleep(LOOK_AGAIN_SECONDS)


def _known(messenger: Messenger | None) -> Messenger:
    if messenger is None:
        raise RuntimeError("nothing is sent before the line is known")
    return messenger


def _only(kind: type[T], landed: Sequence[Landed]) -> list[T]:
    return [each for each in landed if isinstance(each, kind)]


def _defect(problem: Exception, fanpage_id: int) -> Failure:
    """An unexpected exception while sending: the call may have left, so it is in doubt."""
    log.error("send_failed", fanpage_id=fanpage_id, error=type(problem).__name__)
    return Failure(NextStep.IN_DOUBT, "our_error", detail=type(problem).__name__)
