"""The sending loop: one thread that turns four times a second and sends for all fanpages of this process.

A turn settles the outcomes that came back, reads the work snapshot, asks the timetable how many messages each
fanpage may claim, claims them in one transaction and plans the calls that carry them. A pool of threads makes
the HTTP calls. See docs/decisions/0040.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from core.db.engine import DATABASE_TROUBLE
from core.db.work_queue import SHARDS, shard_of
from core.messenger.across import AcrossFanpages
from core.sending import claiming, timetable
from core.sending.allowance import Allowances
from core.sending.calls import Call, Landed, Leaving, grouped
from core.sending.carrier import Carrier
from core.sending.claiming import SlotsMoved, Taken, Wanted
from core.sending.claims import PerhapsTaken
from core.sending.departures import Departures
from core.sending.lines import Found, Lines
from core.sending.replies import ReplyClaim
from core.sending.settlement import Settlement
from core.sending.silent_fanpages import SilentFanpages
from core.sending.timetable import Demand, Lane
from core.sending.usage import UsageWatch
from core.sending.work_snapshot import NOTHING, FanpageWork, Snapshot, WorkSnapshots

log = structlog.get_logger(__name__)

TURN_SECONDS = 0.25
BREATH_SECONDS = 0.05  # from one turn to the next at least, however often it is woken
YOUNG_SECONDS = 0.6  # of the work snapshot that a call leaves on
TROUBLE_SECONDS = 0.5  # before the next turn when the database does not answer
CLAIM_AT_MOST = 2000  # messages in one transaction
CALLS_AT_ONCE = 256  # planned or on the wire
CALL_HOLDS = 20  # messages at least, when there are so many that the wire is the limit
KEPT_SECONDS = 5.0  # how long a shard that was given up is watched: what was claimed for it still leaves
AWAY_SECONDS = 1.0  # a shard that was not ours for so long was another's: shorter than a slice
END_WITHIN_SECONDS = 3.5
SOON_SECONDS = 0.02


class SendingLoop:
    """Sends what the fanpages of its shards have to send; `take` and `release` say which shards those are.

    Everything runs in the thread that calls `run`, except where a method says otherwise.
    """

    def __init__(
        self,
        *,
        worker: str,  # the process of its heartbeat
        find_lines: Callable[[Collection[int]], Found],
        wire: Executor,
        stop: threading.Event,
        clock: Callable[[], datetime],
        # Whether claims made at this monotonic time are surely still ours; if not, others may send them.
        holds_since: Callable[[float], bool] = lambda _taken_at: True,
        across: AcrossFanpages | None = None,
    ) -> None:
        self._worker = worker
        self._stop = stop
        self._clock = clock
        self._shards = dict.fromkeys(range(SHARDS), float("-inf"))  # until which monotonic time each is ours
        self._taken_anew: deque[int] = deque()  # shards that others may have sent for before
        self._woken = threading.Event()  # the next turn is wanted at once
        self._snapshots = WorkSnapshots(clock, self._watched)
        self._lines = Lines(find_lines, clock)
        self._allowances = Allowances(clock)
        self._usage = UsageWatch(clock)
        self._across = across or AcrossFanpages()
        self._carrier = Carrier(
            self._lines,
            self._snapshots,
            clock=clock,
            stop=stop,
            holds_since=holds_since,
            across=self._across,
        )
        self._wire = wire
        self._departures = Departures[Call](self._set_out)
        self._delay = 0.0  # of the departures, as far as the lanes know it
        self._landed: deque[tuple[Call, list[Landed]]] = deque()  # filled by the threads of the wire
        self._settlement = Settlement(worker, clock)
        self._lanes: dict[int, Lane] = {}  # by fanpage
        self._stored: dict[int, float] = {}  # the next slot that its rate row has, as far as we know
        self._look_from = float("-inf")  # only snapshots from after it tell where a fanpage stands
        self._turns: Counter[int] = Counter()  # whose broadcast's turn it is, by fanpage
        self._unanswered: Counter[int] = Counter()  # by fanpage
        self._calls = 0  # planned or on the wire
        self._silence = SilentFanpages()
        self._empty: dict[tuple[str, int], float] = {}  # what had nothing to claim, and when
        self._claimed_at = 0.0
        self._seen = NOTHING  # the snapshot that `_works` is of
        self._works: dict[int, FanpageWork] = {}

    # Which shards: called by the assignment, from its own thread.

    def take(self, shard: int, until: float) -> None:
        """Claim for the shard until this monotonic time; taking it again extends the time."""
        if time.monotonic() - self._shards[shard] > AWAY_SECONDS:
            self._taken_anew.append(shard)
            self._woken.set()
        self._shards[shard] = max(until, self._shards[shard])

    def release(self, shard: int) -> None:
        """Claim nothing more for the shard; what was claimed is still sent and settled."""
        self._shards[shard] = min(self._shards[shard], time.monotonic())

    def look_again(self) -> None:
        """Read a new work snapshot at once: something has just begun."""
        self._look_from = time.monotonic()
        self._woken.set()

    def has_work(self, shard: int) -> bool:
        """Whether the latest work snapshot had something to send for the shard."""
        return any(shard_of(fanpage_id) == shard for fanpage_id in self._snapshots.latest.fanpages)

    def _watched(self) -> list[int]:
        """The shards that work snapshots are read for: ours, and those given up in the last five seconds."""
        oldest = time.monotonic() - KEPT_SECONDS
        return [shard for shard, until in self._shards.items() if until > oldest]

    # The turning.

    def run(self) -> None:
        """Turn until told to stop; then hand back or settle what was claimed, within a few seconds."""
        while not self._stop.is_set():
            began = time.monotonic()
            self._woken.wait(self.turn())
            self._woken.clear()
            self._stop.wait(max(0.0, began + BREATH_SECONDS - time.monotonic()))
        self._wind_up()
        self.close()

    def close(self) -> None:
        """End the thread of the departures: nothing leaves any more."""
        self._departures.close()

    def drain(self) -> None:
        """Turn until nothing is left that may be sent now, or until told to stop: for tests and benches."""
        while not self._stop.is_set():
            pause = self.turn()
            with suppress(*DATABASE_TROUBLE):  # the next turn says so
                if self._is_drained():
                    return
            self._stop.wait(min(pause, SOON_SECONDS))
        self._wind_up()

    def turn(self) -> float:
        """Do one turn and return in how many seconds the next is due. Trouble is logged, never raised."""
        began = time.monotonic()
        try:
            self._land()
            self._settlement.settle_due()
            is_full = self._claim()
        except SlotsMoved:  # another process sends for one of these fanpages: the next snapshot tells
            return SOON_SECONDS
        except DATABASE_TROUBLE as problem:  # nothing is forgotten meanwhile
            log.warning("database_unavailable", error=type(problem).__name__)
            return TROUBLE_SECONDS
        except Exception:
            log.exception("turn_failed")
            return TROUBLE_SECONDS
        if is_full:
            return 0.0
        return max(0.0, began + TURN_SECONDS - time.monotonic())

    def _is_drained(self) -> bool:
        """Whether all outcomes are settled and a work snapshot from after that shows nothing to claim."""
        if self._calls or self._settlement:
            self._settlement.settle()
            return False
        snapshot = self._snapshots.fresh(after=self._settlement.settled_at)
        return not self._left_of(self._works_of(snapshot), snapshot)

    def _wind_up(self) -> None:
        """Hand back what has not left, wait for the calls on the wire, and settle their outcomes. What cannot
        be settled in time is taken over by another worker as in doubt."""
        until = time.monotonic() + END_WITHIN_SECONDS
        for call in self._departures.recall():
            self._landed.append((call, list(call)))
        while time.monotonic() < until:
            try:
                self._land()
                self._settlement.settle()
            except DATABASE_TROUBLE as problem:
                log.warning("database_unavailable", error=type(problem).__name__)
            except Exception:  # what else came back must not be left in doubt with it
                log.exception("wind_up_failed")
            if not self._calls and not self._settlement:
                return
            time.sleep(SOON_SECONDS)
        log.warning("left_in_doubt", calls=self._calls, unsettled=len(self._settlement))

    def _set_out(self, call: Call) -> None:
        """Give a call to the pool; runs in the thread of the departures. An old work snapshot is read again,
        so that a pause takes effect also while the loop waits for the database. A read that takes long delays
        the calls behind it."""
        try:
            self._snapshots.fresh(YOUNG_SECONDS)
        except DATABASE_TROUBLE as problem:
            log.warning("database_unavailable", error=type(problem).__name__)
        except Exception:  # the carrier lets nothing leave on an old snapshot; the claims are handed back
            log.exception("snapshot_failed")
        self._wire.submit(self._carry, call)

    def _carry(self, call: Call) -> None:
        """Make a call and queue its outcomes for the loop; runs in a thread of the pool."""
        landed: list[Landed] = []
        try:
            landed = self._carrier.carry(call)
        except Exception:  # what was claimed is taken over when its lease has run out
            log.exception("call_failed")
        self._landed.append((call, landed))
        if isinstance(call[0], ReplyClaim):
            self._woken.set()  # the customer's next reply waits for it

    def _land(self) -> None:
        """Pass the outcomes that came back on to the settlement."""
        while self._landed:
            call, landed = self._landed.popleft()
            self._calls -= 1
            if isinstance(call[0], ReplyClaim):
                self._look_from = time.monotonic()
            self._silence.note_landed(call)
            self._settlement.take_in(landed)  # first: whatever fails afterwards, no outcome is forgotten
            self._unanswered.subtract(claim.fanpage_id for claim in call)
            for fanpage_id in {claim.fanpage_id for claim in call}:
                self._usage.heed(fanpage_id, self._lines.of(fanpage_id))

    # The claiming.

    def _claim(self) -> bool:
        """Claim what is due and plan its calls. Returns whether there was more than one transaction takes."""
        self._forget_slots_of_new_shards()
        snapshot = self._snapshots.fresh(after=self._look_from)
        wanted = self._wanted(snapshot)
        if not wanted:
            return False
        try:
            self._claim_and_plan(wanted)
        except (SlotsMoved, *DATABASE_TROUBLE):
            raise
        except Exception:  # a defect met at one fanpage must not keep the others from sending
            log.exception("claim_failed", fanpages=len(wanted))
            for each in wanted:
                self._claim_alone(each)
        return sum(each.count for each in wanted) >= CLAIM_AT_MOST

    def _claim_alone(self, wanted: Wanted) -> None:
        try:
            self._claim_and_plan([wanted])
        except (SlotsMoved, *DATABASE_TROUBLE):
            raise
        except Exception:
            log.exception("fanpage_not_claimed", fanpage_id=wanted.fanpage_id)

    def _claim_and_plan(self, wanted: Sequence[Wanted]) -> None:
        self._claimed_at = time.monotonic()
        try:
            taken = claiming.claim(wanted, worker=self._worker, now=self._clock())
        except PerhapsTaken as unsure:
            self._settlement.take_in(unsure.claims)
            self._forget_slots(self._stored)
            raise unsure.__cause__ or unsure from None
        except SlotsMoved:
            self._forget_slots(self._stored)
            raise
        self._plan(taken)

    def _forget_slots_of_new_shards(self) -> None:
        while self._taken_anew:
            shard = self._taken_anew.popleft()
            self._forget_slots([key for key in self._stored if shard_of(key) == shard])

    def _forget_slots(self, fanpage_ids: Collection[int]) -> None:
        """Where these stand is for the next snapshot to say. What was planned for them leaves all the same:
        `opens` of their lanes stays."""
        for fanpage_id in list(fanpage_ids):
            del self._stored[fanpage_id]
        self._look_from = time.monotonic()

    def _wanted(self, snapshot: Snapshot) -> list[Wanted]:
        """What to claim for each fanpage that has something to send and a send slot in the look-ahead."""
        now = time.monotonic()
        near = {
            key: work
            for key, work in self._works_of(snapshot).items()
            if key not in self._stored or timetable.is_near(self._lanes[key], work.speed.rate, now=now)
        }
        left = self._left_of(near, snapshot)
        self._know_lanes({key: near[key] for key in left})
        demands = {key: Demand(near[key].speed.rate, self._unanswered[key]) for key in left}
        room = min(CLAIM_AT_MOST, (CALLS_AT_ONCE - self._calls) * CALL_HOLDS)
        counts = timetable.plan(self._lanes, demands, now=now, room=room)
        return [
            Wanted(
                key, count, *left[key], self._lanes[key], demands[key], self._stored[key], self._turns[key]
            )
            for key, count in counts.items()
        ]

    def _works_of(self, snapshot: Snapshot) -> dict[int, FanpageWork]:
        """By fanpage the work of a snapshot, without fanpages that are held, have no line to Messenger or
        have used up their allowance. Reckoned once for each snapshot."""
        if snapshot is not self._seen:
            at = self._clock().timestamp()
            free = {key: work for key, work in snapshot.fanpages.items() if work.speed.held_until <= at}
            self._lines.look_up(free)
            used_up = self._allowances.used_up(free)
            self._works = {
                key: work
                for key, work in free.items()
                if self._lines.of(key) is not None and key not in used_up
            }
            self._empty = {key: at for key, at in self._empty.items() if at >= snapshot.at}
            self._seen = snapshot
        return self._works

    def _left_of(
        self, works: Mapping[int, FanpageWork], snapshot: Snapshot
    ) -> dict[int, tuple[list[int], bool]]:
        """The fanpages of our shards that may have something to send: for each its broadcasts, and whether
        replies wait. A broadcast for which a claim found nothing since the snapshot was read is left out."""
        left, now = {}, time.monotonic()
        for key, work in works.items():
            if self._shards[shard_of(key)] <= now:
                continue
            broadcasts = [each for each in work.broadcasts if self._has_some(("broadcast", each), snapshot)]
            has_replies = work.has_replies and self._has_some(("replies", key), snapshot)
            if broadcasts or has_replies:
                left[key] = broadcasts, has_replies
        return left

    def _has_some(self, key: tuple[str, int], snapshot: Snapshot) -> bool:
        """Whether no claim has come back empty since the snapshot was read."""
        return self._empty.get(key, 0.0) < snapshot.at

    def _know_lanes(self, works: dict[int, FanpageWork]) -> None:
        """From the rate rows for those that are new; after a stall of this process they are all later."""
        delay, ahead = self._departures.delay, time.monotonic() - self._clock().timestamp()
        if later := delay - self._delay:
            self._lanes = {key: timetable.delayed(lane, later) for key, lane in self._lanes.items()}
            self._delay = delay
        for key, work in works.items():
            if key not in self._stored:
                before = self._lanes.get(key, Lane(0.0))
                self._lanes[key] = replace(before, slot=work.next_slot + ahead)
                self._stored[key] = work.next_slot

    def _plan(self, taken: Sequence[Taken]) -> None:
        """Group what was claimed into calls and hand them to the departures."""
        leaving: list[Leaving] = []
        for each in taken:
            self._note_what_was_empty(each)
            if each.lane is None:
                continue
            key, rate = each.wanted.fanpage_id, each.wanted.demand.rate
            self._lanes[key], self._stored[key] = each.lane, each.stored
            self._turns[key] += 1
            self._unanswered[key] += len(each.claims)
            times = zip(each.times, each.claims, strict=True)
            leaving += [Leaving(timetable.tick(at, rate), claim) for at, claim in times]
        calls = grouped(leaving, groups=self._groups(taken))
        self._calls += len(calls)
        self._silence.note_planned(calls)
        self._departures.add(calls, known_delay=self._delay)

    def _groups(self, taken: Sequence[Taken]) -> dict[int, int]:
        """Which fanpages share calls: none where the platform or a setting is against it."""
        if self._across.allowed():
            return self._silence.groups()
        return {each.wanted.fanpage_id: each.wanted.fanpage_id for each in taken}

    def _note_what_was_empty(self, taken: Taken) -> None:
        for broadcast_id in taken.without_any:
            self._empty["broadcast", broadcast_id] = self._claimed_at
        if taken.wanted.has_replies and len(taken.replies) < taken.wanted.count:
            self._empty["replies", taken.wanted.fanpage_id] = self._claimed_at
