"""The sending loop: one thread that turns four times a second and sends for all fanpages of this process.

A turn settles the outcomes that came back. Every second turn reads the work snapshot, asks the timetable how
many messages each fanpage may claim, claims them in one transaction and plans the calls that carry them. A
pool of threads makes the HTTP calls. See docs/decisions/0040.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from datetime import datetime

import structlog

from core.db.engine import DATABASE_TROUBLE, is_locked
from core.db.work_queue import shard_of
from core.errors import Held
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.sending import claiming
from core.sending.calls.connections import Connections, Found
from core.sending.calls.runner import CallRunner
from core.sending.calls.under_way import CallsUnderWay
from core.sending.claim_planner import ClaimPlanner
from core.sending.claiming import ClaimRequest, SlotsMoved
from core.sending.claims import UnsureCommit
from core.sending.limits.fanpage_limits import UsageWatch
from core.sending.replies.claims import ReplyClaim
from core.sending.sharing.shards import OwnShards
from core.sending.unsettled_outcomes import UnsettledOutcomes
from core.sending.work_snapshot import Snapshot, WorkSnapshots

log = structlog.get_logger(__name__)

TURN_SECONDS = 0.25  # turns begin at multiples of it, as ticks do
CLAIM_SECONDS = 0.5  # so do claims: then what they claim ahead reaches a tick beyond the next claim
BREATH_SECONDS = 0.05  # from one turn to the next at least, however often it is woken
TROUBLE_SECONDS = 0.5  # before the next turn when the database does not answer
ASIDE_SECONDS = 1.0  # before a claim is tried again for a fanpage at which it failed
# So long a claim that failed is tried for ever fewer fanpages, and then so long for those put aside: each may
# wait for a lock, and other fanpages and what came back wait meanwhile. The rest is for the next time.
HALVING_SECONDS, ASIDE_AT_ONCE_SECONDS = 1.0, 0.2
CLAIM_AT_MOST = 2000  # messages in one transaction
CALLS_AT_ONCE = 256  # planned or on the wire
CALL_CARRIES = 20  # messages at least, when there are so many that the wire is the limit
END_WITHIN_SECONDS = 3.5
SOON_SECONDS = 0.02
A_MOMENT_SECONDS = 0.002


class SendingLoop:
    """Sends what the fanpages of its shards have to send; `take` and `give_up` say which shards those are.

    Everything runs in the thread that calls `run`, except where a method says otherwise.
    """

    def __init__(
        self,
        *,
        worker: str,  # the process of its heartbeat
        find_connections: Callable[[Collection[int]], Found],
        call_threads: Executor,
        stop: threading.Event,
        clock: Callable[[], datetime],
        # Whether claims made at this monotonic time are surely still ours; if not, others may send them.
        still_ours: Callable[[float], bool] = lambda _claimed_steady: True,
        mixed_calls: MixedCallSwitch | None = None,
    ) -> None:
        self._worker = worker
        self._stop = stop
        self._clock = clock
        self._shards = OwnShards()
        self._usage = UsageWatch(clock)
        self._woken = threading.Event()  # the next turn is wanted at once
        self._claim_at = float("-inf")  # monotonic; when it is time for the next claim
        self._claimed_at = float("inf")  # monotonic; when it was seen last which shards are ours
        self._look_from = float("-inf")  # only snapshots from after it tell where a fanpage stands
        mixed_calls = mixed_calls or MixedCallSwitch()
        self._aside: dict[int, float] = {}  # fanpages at fault, and when (monotonic) they are tried again
        # Its parts, which keep what is known from turn to turn.
        self.connections = Connections(find_connections, clock)
        self.snapshots = WorkSnapshots(clock, self._shards.watched)
        self.planner = ClaimPlanner(clock, self.connections, self._shards)
        self.runner = CallRunner(
            self.connections,
            self.snapshots,
            clock=clock,
            stop=stop,
            still_ours=still_ours,
            mixed_calls=mixed_calls,
        )
        self.calls = CallsUnderWay(self.runner, self.snapshots, call_threads, mixed_calls, on_reply=self.wake)
        self.unsettled = UnsettledOutcomes(worker, clock)

    # Which shards: called from the thread that takes slices, if there is one.

    def take(self, shard: int, until: float) -> None:
        """Claim for the shard until this monotonic time; taking it again extends the time."""
        if self._shards.take(shard, until) < self._claimed_at:  # a claim has passed it by
            self.wake()

    def give_up(self, shard: int) -> None:
        """Claim nothing more for the shard; what was claimed is still sent and settled."""
        self._shards.give_up(shard)

    def has_work(self, shard: int) -> bool:
        """Whether the latest work snapshot had something to send for the shard."""
        return any(shard_of(fanpage_id) == shard for fanpage_id in self.snapshots.latest.fanpages)

    # When it turns: any thread may call these.

    def look_again(self) -> None:
        """Read a new work snapshot at once: something has just begun."""
        self._look_from = time.monotonic()
        self.wake()

    def look_for_replies(self, fanpage_ids: Collection[int]) -> None:
        """Look again at once, if replies were queued for fanpages of ours."""
        if any(self._shards.may_claim(each) for each in fanpage_ids):
            self.look_again()

    def wake(self) -> None:
        """Do the next turn at once, or as soon as it may follow the last."""
        self._woken.set()

    # The turning.

    def run(self) -> None:
        """Turn until told to stop; then hand back or settle what was claimed, within a few seconds."""
        is_woken = False
        while not self._stop.is_set():
            began = time.monotonic()
            pause = self.turn(claims=is_woken or began >= self._claim_at)
            is_woken = self._woken.wait(pause)
            if is_woken:  # else a wake just now would be lost
                self._woken.clear()
            self._stop.wait(max(0.0, began + BREATH_SECONDS - time.monotonic()))
        self._wind_up()
        self.close()

    def close(self) -> None:
        """End the thread of the schedule: nothing leaves any more."""
        self.calls.schedule.close()

    def turn(self, *, claims: bool = True) -> float:
        """Do one turn and return in how many seconds the next is due. Trouble is logged, never raised."""
        began, is_full = time.monotonic(), False
        try:
            self._take_in_returned()
            self.unsettled.settle_due()
            if claims:
                self._claim_at = float("-inf")
                is_full = self._claim()
                self._claim_at = _next(CLAIM_SECONDS, began)
        except DATABASE_TROUBLE as problem:  # nothing is forgotten meanwhile
            log.warning("database_unavailable", error=type(problem).__name__)
            return TROUBLE_SECONDS
        except Exception:
            log.exception("turn_failed")
            return TROUBLE_SECONDS
        if is_full:
            self._claim_at = float("-inf")
            return 0.0
        return max(0.0, _next(TURN_SECONDS, began) - time.monotonic())

    def _wind_up(self) -> None:
        """Hand back what has not left, wait for the calls on the wire, and settle their outcomes. What cannot
        be settled in time is taken over by another worker as in doubt."""
        until = time.monotonic() + END_WITHIN_SECONDS
        self.calls.recall()
        while time.monotonic() < until:
            try:
                self._take_in_returned()
                self.unsettled.settle()
            except DATABASE_TROUBLE as problem:
                log.warning("database_unavailable", error=type(problem).__name__)
            except Exception:  # what else came back must not be left in doubt with it
                log.exception("wind_up_failed")
            if not self.calls and not self.unsettled:
                return
            time.sleep(SOON_SECONDS)
        log.warning("deliveries_left_in_doubt", calls=len(self.calls), unsettled=len(self.unsettled))

    def _take_in_returned(self) -> None:
        """Pass the outcomes that came back on to be settled."""
        for call, returned in self.calls.take_returned():
            self.unsettled.take_in(returned)  # first: whatever fails afterwards, no outcome is forgotten
            if isinstance(call[0], ReplyClaim):
                self._look_from = time.monotonic()
            self.planner.note_returned(call)
            for fanpage_id in {claim.fanpage_id for claim in call}:
                self._usage.heed(fanpage_id, self.connections.of(fanpage_id))

    # The claiming.

    def _claim(self) -> bool:
        """Claim what is due and plan its calls. Returns whether there was more than one transaction takes."""
        if anew := self._shards.pop_taken_anew():
            self._forget_positions(lambda fanpage_id: shard_of(fanpage_id) in anew)
        self.planner.put_off(self.calls.schedule.delay)
        snapshot = self.snapshots.fresh(after=self._look_from)
        ready = self.planner.ready(snapshot)
        self._claimed_at = now = time.monotonic()
        room = min(CLAIM_AT_MOST, (CALLS_AT_ONCE - len(self.calls)) * CALL_CARRIES)
        sound = [each for each in ready if each not in self._aside]
        wanted = self._try_claim(snapshot, sound, room, until=now + HALVING_SECONDS)
        return wanted + self._try_aside(snapshot, ready, room - wanted) >= CLAIM_AT_MOST

    def _try_aside(self, snapshot: Snapshot, ready: Sequence[int], room: int) -> int:
        """Claim for fanpages that were put aside, each by itself, those that waited longest first."""
        now, wanted = time.monotonic(), 0
        for fanpage_id in sorted(set(ready) & self._aside.keys(), key=self._aside.__getitem__):
            if self._aside[fanpage_id] > now or time.monotonic() > now + ASIDE_AT_ONCE_SECONDS:
                break
            claimed = self._try_claim(snapshot, [fanpage_id], room - wanted, until=now)
            if claimed and self._aside[fanpage_id] <= now:  # else put aside again
                del self._aside[fanpage_id]
            wanted += claimed
        return wanted

    def _try_claim(self, snapshot: Snapshot, fanpage_ids: Sequence[int], room: int, *, until: float) -> int:
        """Claim for these fanpages together; if that fails for each half of them, down to the one at fault,
        which is put aside for a second and then tried by itself. Returns how many messages were wanted; 0 of
        one that was put aside. Raises what is DATABASE_TROUBLE, except a locked row, and Held."""
        if not fanpage_ids:
            return 0
        try:
            return self._claim_and_plan(self.planner.plan(snapshot, fanpage_ids, room=room))
        except (*DATABASE_TROUBLE, Held) as problem:
            if not is_locked(problem):
                raise
            log.warning("claiming_delayed", fanpage_ids=fanpage_ids)
        except Exception:
            log.exception("claim_failed", fanpage_ids=fanpage_ids)
        if len(fanpage_ids) == 1:
            self._aside[fanpage_ids[0]] = time.monotonic() + ASIDE_SECONDS
            return 0
        middle, wanted = len(fanpage_ids) // 2, 0
        for half in (fanpage_ids[:middle], fanpage_ids[middle:]):
            if time.monotonic() < until and not self._stop.is_set():
                wanted += self._try_claim(snapshot, half, room - wanted, until=until)
        return wanted

    def _claim_and_plan(self, requests: Sequence[ClaimRequest]) -> int:
        """Returns how many messages these requests are for."""
        if not requests:
            return 0
        claimed_at = time.monotonic()
        try:
            batches = claiming.claim(requests, worker=self._worker, now=self._clock())
        except UnsureCommit as unsure:
            self.unsettled.take_in(unsure.claims)
            self._forget_positions(lambda _: True)
            raise unsure.__cause__ or unsure from None
        except SlotsMoved as moved:  # another process sends for those: the next snapshot tells
            theirs = moved.fanpage_ids
            self._forget_positions(lambda fanpage_id: fanpage_id in theirs)
            self.wake()
            return self._claim_and_plan([each for each in requests if each.fanpage_id not in theirs])
        unplanned = self.calls.plan(batches, known_delay=self.planner.delay)
        self._aside |= dict.fromkeys(unplanned, time.monotonic() + ASIDE_SECONDS)
        self.planner.note_claimed(batches, claimed_at=claimed_at)
        return sum(each.count for each in requests)

    def _forget_positions(self, are_meant: Callable[[int], bool]) -> None:
        self.planner.forget_positions(are_meant)
        self._look_from = time.monotonic()


def _next(seconds: float, after: float) -> float:
    """The next multiple of so many seconds after a monotonic time, and a moment, lest it be before it."""
    return (after // seconds + 1.0) * seconds + A_MOMENT_SECONDS
