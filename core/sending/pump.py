"""Sends for one fanpage for a while: replies first, its broadcasts in turn, at the fanpage's pace.

Claim → wait for a slot → HTTP (no transaction open) → settle. A pump that stops hands back what it has
not put on the wire and waits for what it has.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event

import structlog
from sqlalchemy.exc import OperationalError

from core.database import transaction
from core.messenger.client import Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.sending import allowance, claims, pace, queries, replies, settling
from core.sending.claims import Claim
from core.sending.replies import ReplyClaim, ReplyOutcome
from core.sending.rules import batch_size
from core.sending.sender import Sender, TokenSender
from core.sending.settling import Outcome

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 0.1  # how soon a pause, a new rate or a reply is noticed
LONG_HOLD_SECONDS = 2.0  # a hold so long is not worth keeping claims for
CLAIM_AT_MOST = 500
DATABASE_WAIT_SECONDS = 0.5
ALLOWANCE_EVERY_SECONDS = 20.0
ALLOWANCE_WAIT_SECONDS = 300.0
IN_FLIGHT = 24  # calls on the wire at once, per fanpage
SETTLE_EVERY_SECONDS = 0.25
USAGE_FULL, USAGE_HIGH = 100.0, 95.0
Sent = Outcome | ReplyOutcome


@dataclass
class _Slot:
    """Room in the pace row for `count` messages from a monotonic time on."""

    count: int
    at: float


@dataclass
class _Hand:
    """Claims of one broadcast and the monotonic time from before they were taken."""

    claims: deque[Claim]
    taken_at: float

    def __bool__(self) -> bool:
        return bool(self.claims)


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
    _hands: dict[int, _Hand] = field(default_factory=dict)  # by broadcast
    _slot: _Slot | None = None
    _flying: set[Future[list[Sent]]] = field(default_factory=set)
    _unsettled: list[Sent] = field(default_factory=list)
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
        except OperationalError as problem:
            log.warning("database_unavailable", fanpage_id=self.fanpage_id, error=type(problem.orig).__name__)
            self.stop.wait(DATABASE_WAIT_SECONDS)
            return True

    def _once(self) -> bool:
        """One look, and at most one handful put on the wire. False when nothing is left to do for now."""
        self._collect()
        work = queries.work_of(self.fanpage_id, now=self.clock())
        if work is None or self._is_used_up():
            return False
        self._let_go(set(self._hands) - set(work.broadcasts))
        if work.speed.held_until - self.clock().timestamp() > LONG_HOLD_SECONDS:
            return False  # the next tick after the hold starts another pump
        ready = self._take_in_hand(work)
        if ready is None and not work.replies:
            return self._wait_for_flying()
        if self._slot_has_come(work):
            self._send_handful(work, ready)
        return True

    def _slot_has_come(self, work: queries.Work) -> bool:
        """Wait a little for our slot. A reservation is kept until it is used, so that none is wasted."""
        if self._slot is None:
            count, now = batch_size(work.speed.rate), self.clock().timestamp()
            wait_seconds = pace.reserve(self.fanpage_id, count, work.speed, at=now) - now
            self._slot = _Slot(count, time.monotonic() + wait_seconds)
        left = self._slot.at - time.monotonic()
        if self.stop.wait(max(0.0, min(left, LOOK_AGAIN_SECONDS))):
            return False
        return left <= LOOK_AGAIN_SECONDS

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
        ids = sorted(work.broadcasts)
        for step in range(len(ids)):
            broadcast_id = ids[(self._turn + step) % len(ids)]
            if not self._hands.get(broadcast_id):
                ahead = min(CLAIM_AT_MOST, max(batch_size(work.speed.rate), int(work.speed.rate / len(ids))))
                taken_at = time.monotonic()
                taken = claims.claim(broadcast_id, ahead, worker=self.worker, now=self.clock())
                self._hands[broadcast_id] = _Hand(deque(taken), taken_at)
            if self._hands[broadcast_id]:
                self._turn = (self._turn + step) % len(ids)
                return broadcast_id
        return None

    def _send_handful(self, work: queries.Work, broadcast_id: int | None) -> None:
        """Use our slots: replies first, the rest for the broadcast whose turn it is."""
        while len(self._flying) >= IN_FLIGHT:
            self._wait_for_flying()
        count = self._slot.count if self._slot else 0
        if work.replies:
            count -= self._send_replies(count)
        if broadcast_id is not None and count > 0:
            self._send_deliveries(work, broadcast_id, count)
        self._slot = None

    def _send_replies(self, count: int) -> int:
        answering = replies.claim_replies(self.fanpage_id, count, worker=self.worker, now=self.clock())
        for claim in answering:
            self._fly(partial(self._answer, claim))
        return len(answering)

    def _answer(self, claim: ReplyClaim) -> list[Sent]:
        try:
            return [replies.send_reply(self.messenger_for(self.fanpage_id), claim)]
        except Exception as problem:  # a defect of ours must not lose the outcome
            return [ReplyOutcome(claim, _defect(problem, self.fanpage_id))]

    def _send_deliveries(self, work: queries.Work, broadcast_id: int, count: int) -> None:
        hand = self._hands[broadcast_id]
        if not self.holds_since(hand.taken_at):  # we were asleep: others may have taken over what we hold
            self._let_go({broadcast_id})
            return
        handful = [hand.claims.popleft() for _ in range(min(count, len(hand.claims)))]
        self._turn += 1
        self._fly(partial(self._deliver, work.broadcasts[broadcast_id], handful))

    def _deliver(self, content: dict[str, object], handful: list[Claim]) -> list[Sent]:
        try:
            messenger = self.messenger_for(self.fanpage_id)
            answers: list[Answer] = self.sender.send(messenger, content, handful)
        except Exception as problem:  # a defect of ours must not lose the outcome
            answers = [_defect(problem, self.fanpage_id)] * len(handful)
        return [Outcome(claim, answer) for claim, answer in zip(handful, answers, strict=True)]

    def _fly(self, call: Callable[[], list[Sent]]) -> None:
        self._flying.add(self.wire.submit(call))

    def _wait_for_flying(self) -> bool:
        """False when nothing is on the wire and so nothing is left to do for now."""
        if not self._flying and not self._unsettled:
            return False
        wait(self._flying, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
        self._collect(at_once=True)
        return True

    def _collect(self, *, at_once: bool = False) -> None:
        done = {future for future in self._flying if future.done()}
        self._flying -= done
        for future in done:
            self._unsettled.extend(future.result())
        if self._unsettled and (at_once or time.monotonic() - self._settled_at > SETTLE_EVERY_SECONDS):
            self._settle()

    def _settle(self) -> None:
        """Keep the outcomes until the database has them."""
        now = self.clock()
        deliveries = [o for o in self._unsettled if isinstance(o, Outcome)]
        answered = [o for o in self._unsettled if isinstance(o, ReplyOutcome)]
        settling.settle(self.fanpage_id, deliveries, now=now)
        replies.settle_replies(self.fanpage_id, answered, now=now)
        self._unsettled.clear()
        self._settled_at = time.monotonic()
        self._mind_usage(now)

    def _mind_usage(self, now: datetime) -> None:
        usage = self.messenger_for(self.fanpage_id).usage()
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
                claims.hand_back(list(hand.claims), worker=self.worker, now=self.clock())
            self._hands.pop(broadcast_id, None)

    def _wind_up(self) -> None:
        """Hand back, wait for what is on the wire, settle; what cannot be settled in time stays in doubt."""
        until = time.monotonic() + (self.grace_seconds if self.stop.is_set() else 60.0)
        while self._hands or self._flying or self._unsettled:
            if time.monotonic() > until:
                log.warning("left_in_doubt", fanpage_id=self.fanpage_id, calls=len(self._flying))
                return
            try:
                self._let_go(set(self._hands))
                if self._flying:
                    wait(self._flying, timeout=LOOK_AGAIN_SECONDS)
                self._collect(at_once=True)
            except OperationalError:
                time.sleep(LOOK_AGAIN_SECONDS)


def _defect(problem: Exception, fanpage_id: int) -> Failure:
    """An unexpected exception while sending: the call may have left, so it is in doubt."""
    log.error("send_failed", fanpage_id=fanpage_id, error=type(problem).__name__)
    return Failure(NextStep.IN_DOUBT, "our_error", detail=type(problem).__name__)
