"""Sends for one fanpage for a while: replies first, its broadcasts in turn, at the fanpage's pace.

Claim → wait for a slot → HTTP (no transaction open) → settle. A pump moves by steps that never wait for
long, so that a few threads drive many (crew.py). One that ends hands back what it has not put on the wire and
waits for what it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Event, Lock

import structlog

from core.database import DATABASE_TROUBLE, transaction
from core.errors import OperatorError
from core.messenger.client import Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.messenger.wire import BATCH_LIMIT
from core.sealing import CannotOpen
from core.sending import allowance, pace, queries, replies, settling
from core.sending.claims import Claim, PerhapsTaken
from core.sending.clerk import Clerk
from core.sending.flights import Gate, Slot, Slots, Unpaced
from core.sending.hands import Hands
from core.sending.landing import Landed, Landing
from core.sending.outcomes import Outcome
from core.sending.replies import ReplyClaim, ReplyOutcome
from core.sending.rules import LEASE
from core.sending.sender import Sender, TokenSender
from core.sending.watch import Look, Watch

log = structlog.get_logger(__name__)

LONGEST_STEP_SECONDS = 0.2  # how soon a pause or a new rate is noticed while calls are on the wire
LONGEST_SLEEP_SECONDS = 0.5  # and a reply, between two slots that are so far apart
LOOK_AHEAD_SECONDS = 0.25  # how far ahead of its slot a handful is made ready, so that no read delays it
YOUNG_LOOK_SECONDS = 0.3  # if it can be had
OLDEST_LOOK_SECONDS = 0.5  # nothing leaves on what was seen longer ago
SHORT_PAUSE_SECONDS = 0.01
BUSY_SECONDS = 0.05  # before a broadcast that is just being changed is asked for again
LONG_HOLD_SECONDS = 2.0  # a hold so long is not worth keeping claims for
DATABASE_WAIT_SECONDS = 0.5
LINE_EVERY_SECONDS = 3.0  # how soon a new access token is noticed
ALLOWANCE_EVERY_SECONDS = 20.0
ALLOWANCE_WAIT_SECONDS = 300.0
IN_FLIGHT = 48  # calls ready or on the wire at once, per fanpage
USAGE_FULL, USAGE_HIGH = 100.0, 95.0


UNPACED = pace.Speed(rate=20.0 * BATCH_LIMIT, held_until=0.0)  # full batches


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
    watch: Watch = None  # type: ignore[assignment]  # shared by the pumps of a process
    clerk: Clerk = None  # type: ignore[assignment]  # likewise
    # Calls at a monotonic time.
    depart: Callable[[float, Callable[[], object]], object] = lambda _at, leave: leave()
    on_wake: Callable[[], object] | None = None  # the next step is wanted now
    _gate: Gate = field(default_factory=Gate)
    _flying: set[Future[list[Landed]]] = field(default_factory=set)
    _messenger: Messenger | None = None
    _began: float = field(default_factory=time.monotonic)
    _ends_at: float | None = None  # when we stop waiting for what is on the wire; set once we end
    _problem: Exception | None = None
    _awaits_landing: bool = False
    _is_unsure: bool = False  # whether something landed because the database may have taken its claim
    _left: float = 0.0  # the latest slot that something left at, as the pace row has it
    _answered_at: float = 0.0
    _line_at: float = 0.0
    _usage_at: float = 0.0
    _allowance_at: float = -ALLOWANCE_EVERY_SECONDS

    def __post_init__(self) -> None:
        self._woken = Event()
        self._leaving = Lock()
        self._hands = Hands(self.worker, lambda: self.clock(), lambda taken_at: self.holds_since(taken_at))
        self._slots = (Slots if self.paced else Unpaced)(self.fanpage_id, self.clock)
        self.clerk = self.clerk or Clerk(lambda: self.clock())
        self._landing = Landing(self.fanpage_id, self.worker, lambda: self.clock(), self.clerk)
        self.watch = self.watch or Watch(self.clock)
        self.watch.start(self.fanpage_id)

    def run(self) -> None:
        """All steps in this thread, until nothing is left that may be tried now, or we are told to stop."""
        while (pause := self.step()) is not None:
            if pause:
                self._woken.wait(pause)
                self._woken.clear()
        if self._problem:
            raise self._problem

    def end(self) -> None:
        """Nothing more leaves; the steps that follow hand back, wait for what is on the wire and settle."""
        if self._ends_at is None:
            grace = self.grace_seconds if self.stop.is_set() else 60.0
            self._ends_at = time.monotonic() + grace

    @property
    def has_let_go(self) -> bool:
        """Whether another may send for this fanpage: we only settle what is on the wire."""
        return self._ends_at is not None and self._hands.are_empty

    def step(self) -> float | None:
        """One move. Returns in how many seconds the next is due at the latest; None when all is done."""
        self._awaits_landing = False
        try:
            if self._ends_at is None and not self.stop.is_set():
                pause = self._once()
                if pause is not None:
                    return pause
            self.end()
            pause = self._wind_up()
        except PerhapsTaken as unsure:
            self._landing.take_in(unsure.claims)
            self._is_unsure = True
            pause = self._wait_for_database(unsure.__cause__)
        except DATABASE_TROUBLE as problem:
            pause = self._wait_for_database(problem)
        except Exception as problem:  # the next tick starts another; what was claimed is taken over
            log.exception("pump_failed", fanpage_id=self.fanpage_id)
            self._problem = self._problem or problem
            self.end()
            pause = self._or_give_up(DATABASE_WAIT_SECONDS)
        if pause is None:
            self.watch.end(self.fanpage_id)
        return pause

    def _wait_for_database(self, problem: BaseException | None) -> float | None:
        """Locked or lost; nothing is forgotten meanwhile."""
        log.warning("database_unavailable", fanpage_id=self.fanpage_id, error=type(problem).__name__)
        known = self._landing.knows_of_acceptances and not self.stop.is_set()
        return DATABASE_WAIT_SECONDS if known else self._or_give_up(DATABASE_WAIT_SECONDS)

    def _once(self) -> float | None:
        """One look, and at most one handful made ready. None when nothing is left to do for now."""
        self._collect(at_once=self._is_unsure)  # before the same is claimed again
        look = self.watch.fresh(self.fanpage_id)
        work = look.work
        if work is None or not self.holds_since(self._began) or not self._has_messenger():
            return None
        if self._is_used_up() or work.speed.held_until - self.clock().timestamp() > LONG_HOLD_SECONDS:
            return None  # the next tick after the hold starts another pump
        if not self.paced:
            work = replace(work, speed=UNPACED)
        self._hands.keep(work.broadcasts)
        if len(self._flying) >= IN_FLIGHT:
            return self._until_landing()
        answers = work.replies and look.at > self._answered_at
        ready = self._hands.fill(work)
        if ready is None and not answers:
            return BUSY_SECONDS if self._hands.wait else self._at_the_end(look)
        left = self._slots.next(work.speed).at - LOOK_AHEAD_SECONDS - time.monotonic()
        if left > 0:
            return min(left, LONGEST_SLEEP_SECONDS)
        self._send_handful(work, ready, answers)
        return 0.0

    def _at_the_end(self, look: Look) -> float | None:
        """Nothing to send for now, unless what comes back makes some, or has since the look."""
        self._collect(at_once=True)
        if self._flying:
            return self._until_landing()
        changed_at = max(self._landing.settled_at, self._answered_at)
        if look.at > changed_at:
            return None
        self.watch.fresh(self.fanpage_id, after=changed_at)
        return SHORT_PAUSE_SECONDS

    def _until_landing(self) -> float:
        """The next step is due as soon as a call is back."""
        self._awaits_landing = True
        return 0.0 if any(future.done() for future in self._flying) else LONGEST_STEP_SECONDS

    def _has_messenger(self) -> bool:
        """Without a token that opens nothing can leave: staff are told, and nothing is claimed."""
        if self._messenger and time.monotonic() - self._line_at < LINE_EVERY_SECONDS:
            return True
        try:
            self._messenger = self.messenger_for(self.fanpage_id)
        except CannotOpen:  # this process has another key; those who have the right one go on
            log.error("another_key", fanpage_id=self.fanpage_id)
            return False
        except OperatorError as problem:
            log.warning("no_line_to_messenger", fanpage_id=self.fanpage_id, error=type(problem).__name__)
            with transaction() as db:
                settling.stop_fanpage(db, self.fanpage_id, "token_invalid", now=self.clock())
            return False
        self._line_at = time.monotonic()
        return True

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

    def _send_handful(self, work: queries.Work, broadcast_id: int | None, answers: bool) -> None:
        """Use our slots: replies first, the rest for the broadcast whose turn it is."""
        slot = self._slots.take()
        count = slot.count - (self._send_replies(slot) if answers else 0)
        if broadcast_id is not None and count > 0:
            leaves = Slot(count, slot.at, slot.seconds / slot.count * count, slot.said)
            self._send_deliveries(work, broadcast_id, leaves)

    def _send_replies(self, slot: Slot) -> int:
        taken_at = time.monotonic()
        answering = replies.claim_replies(self.fanpage_id, slot.count, worker=self.worker, now=self.clock())
        if len(answering) < slot.count:
            self._answered_at = time.monotonic()  # a look from before says nothing about what is left
        for claim in answering:
            may_leave = partial(self._may_leave, None, taken_at)
            leaves = Slot(1, slot.at, slot.seconds / slot.count, slot.said)
            self._fly(leaves, may_leave, [claim], partial(self._answer, self._messenger, claim))
        return len(answering)

    def _answer(self, messenger: Messenger | None, claim: ReplyClaim) -> list[Landed]:
        try:
            outcome = replies.send_reply(_known(messenger), claim)
            return [replace(outcome, answered_at=self.clock())]
        except Exception as problem:  # a defect of ours must not lose the outcome
            return [ReplyOutcome(claim, _defect(problem, self.fanpage_id))]

    def _send_deliveries(self, work: queries.Work, broadcast_id: int, slot: Slot) -> None:
        handful = self._hands.give(broadcast_id, slot.count)
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

    def _may_leave(self, broadcast_id: int | None, taken_at: float) -> bool:
        """Asked in the last moment: a pause, a stop or lost leases keep a handful here."""
        look = self._last_look()
        if self.stop.is_set() or self._ends_at is not None or look.work is None:
            return False
        if time.monotonic() - look.at > OLDEST_LOOK_SECONDS or not self.holds_since(taken_at):
            return False  # we were asleep: whatever we knew may have changed
        if time.monotonic() - taken_at >= LEASE.total_seconds() / 2:
            return False  # it waited for a thread: the answer might come after the lease
        if broadcast_id is None:
            return True
        sending = look.work.broadcasts.get(broadcast_id)
        return sending is not None and (sending.best_before is None or self.clock() < sending.best_before)

    def _last_look(self) -> Look:
        """Young enough for a pause to bite at once, also when the pump's steps are far apart."""
        look = self.watch.last(self.fanpage_id)
        if time.monotonic() - look.at < YOUNG_LOOK_SECONDS:
            return look
        try:
            return self.watch.fresh(self.fanpage_id)
        except DATABASE_TROUBLE:
            return look

    def _fly(
        self,
        slot: Slot,
        may_leave: Callable[[], bool],
        handful: Sequence[Claim | ReplyClaim],
        call: Callable[[], list[Landed]],
    ) -> None:
        """Hand over to the wire what leaves at its slot; it takes a thread only then."""
        flight: Future[list[Landed]] = Future()

        def leave() -> None:
            try:
                self._gate.pass_at(slot.at, slot.seconds, self.stop)
                flight.set_result(call() if self._sets_out(slot, may_leave) else list(handful))
            except Exception as problem:
                flight.set_exception(problem)

        self._flying.add(flight)
        flight.add_done_callback(self._on_landing)
        self.depart(slot.at, partial(self.wire.submit, leave))

    def _sets_out(self, slot: Slot, may_leave: Callable[[], bool]) -> bool:
        with self._leaving:  # so that, once we end, it is known what was the last
            if not may_leave():
                return False
            self._left = max(self._left, slot.said)
            return True

    def _on_landing(self, _flight: Future[list[Landed]]) -> None:
        if self._awaits_landing:
            (self.on_wake or self._woken.set)()

    def _collect(self, *, at_once: bool = False) -> None:
        done = {future for future in self._flying if future.done()}
        self._flying -= done
        failed = {future for future in done if future.exception()}
        for future in done - failed:  # first: one that failed must not take their outcomes with it
            self._landing.take_in(future.result())
        for future in failed:
            future.result()
        if at_once:
            self._landing.settle()
            self._is_unsure = False
        if self._landing.settle_due() or at_once:
            self._mind_usage(self.clock())

    def _mind_usage(self, now: datetime) -> None:
        usage = self._messenger.usage() if self._messenger else None
        if usage is None or usage.seen_at <= self._usage_at or usage.percent < USAGE_HIGH:
            return
        self._usage_at = usage.seen_at
        full = usage.percent >= USAGE_FULL
        seconds = max(usage.regain_seconds, 60.0) if full else 0.0
        with transaction() as db:
            pace.slow_down(db, self.fanpage_id, at=now.timestamp(), hold_seconds=seconds)

    def _wind_up(self) -> float | None:
        """Hand back, wait for what is on the wire, settle; what cannot be settled in time stays in doubt."""
        with self._leaving:
            left = self._left
        self._slots.give_back_after(left)
        self._hands.let_go()
        self._collect(at_once=True)
        return self._or_give_up(self._until_landing()) if self._flying else None

    def _or_give_up(self, pause: float) -> float | None:
        if self._ends_at is not None and time.monotonic() > self._ends_at:
            log.warning("left_in_doubt", fanpage_id=self.fanpage_id, calls=len(self._flying))
            return None
        return pause


def _known(messenger: Messenger | None) -> Messenger:
    if messenger is None:
        raise RuntimeError("nothing is sent before the line is known")
    return messenger


def _defect(problem: Exception, fanpage_id: int) -> Failure:
    """An unexpected exception while sending: the call may have left, so it is in doubt."""
    log.error("send_failed", fanpage_id=fanpage_id, error=type(problem).__name__)
    return Failure(NextStep.IN_DOUBT, "our_error", detail=type(problem).__name__)
