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
FAR_AWAY_SECONDS = 2.0  # a slot farther away is not worth holding claims for
DATABASE_WAIT_SECONDS = 0.5
ALLOWANCE_EVERY_SECONDS = 20.0
ALLOWANCE_WAIT_SECONDS = 300.0
IN_FLIGHT = 24  # calls on the wire at once, per fanpage
SETTLE_EVERY_SECONDS = 0.25
USAGE_FULL, USAGE_HIGH = 100.0, 95.0
Sent = Outcome | ReplyOutcome


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
    _hands: dict[int, deque[Claim]] = field(default_factory=dict)  # by broadcast
    _flying: set[Future[list[Sent]]] = field(default_factory=set)
    _unsettled: list[Sent] = field(default_factory=list)
    _taken_at: float = 0.0  # monotonic time of the oldest claim in our hands
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
        self._collect()
        work = queries.work_of(self.fanpage_id, now=self.clock())
        if work is None or self._is_used_up():
            return False
        self._let_go(set(self._hands) - set(work.broadcasts))
        answering = self._claim_replies(work) if work.replies else []
        if answering:
            return self._send_replies(answering, work)
        handful = self._next_handful(work)
        if not handful:
            return self._wait_for_flying()
        return self._send_handful(handful, work)

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
            pace.hold(db, self.fanpage_id, until=now.timestamp() + ALLOWANCE_WAIT_SECONDS)
        return True

    def _claim_replies(self, work: queries.Work) -> list[ReplyClaim]:
        count = max(1, int(work.speed.rate / 10))
        if not any(self._hands.values()):
            self._taken_at = time.monotonic()
        return replies.claim_replies(self.fanpage_id, count, worker=self.worker, now=self.clock())

    def _send_replies(self, answering: list[ReplyClaim], work: queries.Work) -> bool:
        ready = False
        try:
            ready = self._slot_came(len(answering), work)
        finally:
            if not ready:
                replies.hand_back_replies(answering, now=self.clock())
        if ready:
            for claim in answering:
                self._fly(partial(self._answer, claim))
        return True

    def _answer(self, claim: ReplyClaim) -> list[Sent]:
        try:
            return [replies.send_reply(self.messenger_for(self.fanpage_id), claim)]
        except Exception as problem:  # a defect of ours must not lose the outcome
            return [ReplyOutcome(claim, _defect(problem, self.fanpage_id))]

    def _next_handful(self, work: queries.Work) -> list[Claim]:
        """The next few of the broadcast whose turn it is; a broadcast with nothing due passes its turn."""
        ids = sorted(work.broadcasts)
        size = batch_size(work.speed.rate)
        for step in range(len(ids)):
            broadcast_id = ids[(self._turn + step) % len(ids)]
            hand = self._hands.setdefault(broadcast_id, deque())
            if not hand:
                ahead = min(500, max(size, int(work.speed.rate / len(ids))))
                hand.extend(self._claim(broadcast_id, ahead))
            if hand:
                self._turn = (self._turn + step + 1) % len(ids)
                return [hand.popleft() for _ in range(min(size, len(hand)))]
        return []

    def _claim(self, broadcast_id: int, count: int) -> list[Claim]:
        if not any(self._hands.values()):
            self._taken_at = time.monotonic()
        return claims.claim(broadcast_id, count, worker=self.worker, now=self.clock())

    def _send_handful(self, handful: list[Claim], work: queries.Work) -> bool:
        hand = self._hands[handful[0].broadcast_id]
        hand.extendleft(reversed(handful))  # in our hands until it is on the wire, whatever happens
        if self._slot_came(len(handful), work):
            for _ in handful:
                hand.popleft()
            content = work.broadcasts[handful[0].broadcast_id]
            self._fly(partial(self._deliver, content, handful))
        return True

    def _deliver(self, content: dict[str, object], handful: list[Claim]) -> list[Sent]:
        try:
            answers: list[Answer] = self.sender.send(self.messenger_for(self.fanpage_id), content, handful)
        except Exception as problem:  # a defect of ours must not lose the outcome
            answers = [_defect(problem, self.fanpage_id)] * len(handful)
        return [Outcome(claim, answer) for claim, answer in zip(handful, answers, strict=True)]

    def _slot_came(self, count: int, work: queries.Work) -> bool:
        """Wait for our slots. False when something changed meanwhile and the work must be looked at again."""
        now, taken_at = self.clock().timestamp(), self._taken_at
        if work.speed.held_until - now > FAR_AWAY_SECONDS:
            self._let_go(set(self._hands))
            self.stop.wait(LOOK_AGAIN_SECONDS)
            return False
        while len(self._flying) >= IN_FLIGHT:
            self._wait_for_flying()
        wait_seconds = pace.reserve(self.fanpage_id, count, work.speed, at=now) - now
        started = time.monotonic()
        while (left := wait_seconds - (time.monotonic() - started)) > 0:
            if self.stop.wait(min(left, LOOK_AGAIN_SECONDS)):
                return False
            if left > LOOK_AGAIN_SECONDS and self._changed(work):
                return False
        if self.stop.is_set():
            return False
        if not self.holds_since(taken_at):  # we were asleep: others may have taken over what we hold
            self._let_go(set(self._hands))
            return False
        return True

    def _changed(self, work: queries.Work) -> bool:
        self._collect()
        fresh = queries.work_of(self.fanpage_id, now=self.clock())
        return (
            fresh is None
            or fresh.replies
            or set(fresh.broadcasts) != set(work.broadcasts)
            or abs(fresh.speed.rate - work.speed.rate) > work.speed.rate / 10
            or fresh.speed.held_until > work.speed.held_until
        )

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
            hand = self._hands.pop(broadcast_id, deque())
            if hand:
                claims.hand_back(list(hand), worker=self.worker, now=self.clock())

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
